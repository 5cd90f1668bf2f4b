//! What a Pod will do, without running it: who starts after what and why, what it asks for, and how it
//! stops.

use manifest::core::v1::{Container, PodSpec, QosClass, ResourceList};

use crate::container::Role;

/// A Pod's plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// In the order of their starts.
    pub starts: Vec<Start>,
    /// Effective requests (R13.1).
    pub requests: ResourceList,
    /// Effective limits (R13.1).
    pub limits: ResourceList,
    /// QoS class (R13.3).
    pub qos: QosClass,
    /// In the order of their stop signals; those of one rank together.
    pub stops: Vec<Stop>,
    /// Seconds that all stops together get (R8.1).
    pub grace_seconds: i64,
}

/// When a container starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its name.
    pub container: String,
    /// How it takes part.
    pub role: Role,
    /// What must have happened before, in the order in which it happens.
    pub after: Vec<Gate>,
}

/// What holds a start back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The container that must come so far.
    pub container: String,
    /// How far.
    pub milestone: Milestone,
    /// The field of the Pod that makes it a gate.
    pub field: String,
}

/// How far a container must have come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// It exited with 0 (R1.2).
    Done,
    /// Its process was started (R1.3, R1.6).
    Started,
    /// Its postStart hook ended (R1.4, R1.6).
    PostStartEnded,
    /// Its startup probe succeeded (R1.3).
    StartupProbePassed,
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            container,
            milestone,
            field,
        } = self;
        match milestone {
            Milestone::Done => write!(f, "init container {container} must exit with 0 ({field})"),
            Milestone::Started => write!(f, "{container} must have been started ({field})"),
            Milestone::PostStartEnded => {
                write!(
                    f,
                    "the postStart hook of {container} must have ended ({field})"
                )
            }
            Milestone::StartupProbePassed => {
                write!(
                    f,
                    "the startup probe of {container} must have succeeded ({field})"
                )
            }
        }
    }
}

/// When a container is asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its name.
    pub container: String,
    /// How it takes part.
    pub role: Role,
    /// Those with the same number are asked together.
    pub rank: usize,
    /// Those that must have stopped before (R8.6).
    pub after: Vec<String>,
    /// Whether a preStop hook runs first; all of them begin when the Pod's end begins (R7.12).
    pub pre_stop: bool,
}

/// Plans a Pod whose defaults are applied.
#[must_use]
pub fn plan(spec: &PodSpec) -> Plan {
    Plan {
        starts: starts(spec),
        requests: manifest::resources::effective_requests(spec),
        limits: manifest::resources::effective_limits(spec),
        qos: manifest::resources::qos_class(spec),
        stops: stops(spec),
        grace_seconds: spec.termination_grace_period_seconds.unwrap_or(30).max(1),
    }
}

/// Init entries one after the other, then apps one after the other (R1.1, R1.6): each is gated by the
/// one before it, which was gated by all before that.
fn starts(spec: &PodSpec) -> Vec<Start> {
    let entries = spec.init_containers.iter().enumerate().map(|(i, entry)| {
        (
            entry,
            Role::of_init_entry(entry),
            format!("initContainers[{i}]"),
        )
    });
    let apps = spec.containers.iter().enumerate();
    let apps = apps.map(|(i, app)| (app, Role::App, format!("containers[{i}]")));
    let mut after = Vec::new();
    let mut starts = Vec::new();
    for (container, role, path) in entries.chain(apps) {
        let next = gates(container, role, &path);
        let after = std::mem::replace(&mut after, next);
        starts.push(Start {
            container: container.name.clone(),
            role,
            after,
        });
    }
    starts
}

/// What the container after this one waits for.
fn gates(container: &Container, role: Role, path: &str) -> Vec<Gate> {
    let gate = |milestone, field: String| {
        let container = container.name.clone();
        Gate {
            container,
            milestone,
            field: format!("spec.{field}"),
        }
    };
    if role == Role::Init {
        return vec![gate(Milestone::Done, path.to_owned())];
    }
    let mut gates = Vec::new();
    let field = match role {
        Role::Sidecar => format!("{path}.restartPolicy"),
        _ => path.to_owned(),
    };
    gates.push(gate(Milestone::Started, field));
    if container
        .lifecycle
        .as_ref()
        .is_some_and(|lifecycle| lifecycle.post_start.is_some())
    {
        gates.push(gate(
            Milestone::PostStartEnded,
            format!("{path}.lifecycle.postStart"),
        ));
    }
    if role == Role::Sidecar && container.startup_probe.is_some() {
        gates.push(gate(
            Milestone::StartupProbePassed,
            format!("{path}.startupProbe"),
        ));
    }
    gates
}

/// Apps together, then sidecars one by one from the last to the first (R8.5, R8.6). Inits do not run any
/// more.
fn stops(spec: &PodSpec) -> Vec<Stop> {
    let stop = |container: &Container, role, rank, after| {
        let lifecycle = container.lifecycle.as_ref();
        let pre_stop = lifecycle.is_some_and(|lifecycle| lifecycle.pre_stop.is_some());
        Stop {
            container: container.name.clone(),
            role,
            rank,
            after,
            pre_stop,
        }
    };
    let apps: Vec<String> = spec.containers.iter().map(|app| app.name.clone()).collect();
    let mut stops: Vec<Stop> = spec
        .containers
        .iter()
        .map(|app| stop(app, Role::App, 0, Vec::new()))
        .collect();
    let sidecars = spec.init_containers.iter().rev();
    let sidecars = sidecars.filter(|entry| Role::of_init_entry(entry) == Role::Sidecar);
    let mut next = None;
    for (rank, sidecar) in sidecars.enumerate() {
        let after = apps
            .iter()
            .cloned()
            .chain(next.replace(sidecar.name.clone()))
            .collect();
        stops.push(stop(sidecar, Role::Sidecar, rank + 1, after));
    }
    stops
}

#[cfg(test)]
mod tests {
    use manifest::core::v1::{Lifecycle, LifecycleHandler, Probe, RestartPolicy};

    use super::*;

    fn container(name: &str) -> Container {
        Container {
            name: name.to_owned(),
            ..Container::default()
        }
    }

    fn example() -> PodSpec {
        let sidecar = Container {
            restart_policy: Some(RestartPolicy::Always),
            startup_probe: Some(Probe::default()),
            lifecycle: Some(Lifecycle {
                post_start: Some(LifecycleHandler::default()),
                ..Lifecycle::default()
            }),
            ..container("proxy")
        };
        let other = Container {
            restart_policy: Some(RestartPolicy::Always),
            ..container("logs")
        };
        PodSpec {
            init_containers: vec![container("migrate"), sidecar, other],
            containers: vec![container("web"), container("worker")],
            ..PodSpec::default()
        }
    }

    #[test]
    fn r1_start_order_with_reasons() {
        let starts = plan(&example()).starts;
        let told: Vec<_> = starts
            .iter()
            .map(|start| {
                let after: Vec<_> = start.after.iter().map(ToString::to_string).collect();
                (start.container.as_str(), after.join("; "))
            })
            .collect();
        let expected = [
            ("migrate", ""),
            (
                "proxy",
                "init container migrate must exit with 0 (spec.initContainers[0])",
            ),
            (
                "logs",
                "proxy must have been started (spec.initContainers[1].restartPolicy); \
                 the postStart hook of proxy must have ended \
                 (spec.initContainers[1].lifecycle.postStart); \
                 the startup probe of proxy must have succeeded \
                 (spec.initContainers[1].startupProbe)",
            ),
            (
                "web",
                "logs must have been started (spec.initContainers[2].restartPolicy)",
            ),
            ("worker", "web must have been started (spec.containers[0])"),
        ];
        assert_eq!(told, expected.map(|(name, after)| (name, after.to_owned())));
    }

    #[test]
    fn r8_6_stop_order() {
        let stops = plan(&example()).stops;
        let told: Vec<_> = stops
            .iter()
            .map(|s| (s.container.as_str(), s.rank, s.after.join(" ")))
            .collect();
        let expected = [
            ("web", 0, ""),
            ("worker", 0, ""),
            ("logs", 1, "web worker"),
            ("proxy", 2, "web worker logs"),
        ];
        assert_eq!(
            told,
            expected.map(|(name, rank, after)| (name, rank, after.to_owned()))
        );
    }
}
