//! What each container waits for, since when, and what would end the wait (principle: every wait can
//! be explained).

use crate::container::{Container, Failure, Role, StartStage, Starting};
use crate::machine::{Machine, Stage};
use crate::protocol::ProbeKind;
use crate::sandbox::SandboxState;
use crate::sync::Step;
use crate::terminate::{Stop, StopStage};
use crate::{Time, restart};

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits; nobody in particular when it is the Pod.
    pub container: Option<String>,
    /// What it waits for.
    pub kind: WaitKind,
    /// Since when.
    pub since: Time,
    /// When the wait ends or the next attempt comes, where time alone decides it.
    pub until: Option<Time>,
    /// One sentence for people: what is waited for and what ends it.
    pub text: String,
}

/// What is waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum WaitKind {
    /// The sandbox: namespaces, addresses, volumes.
    Sandbox,
    /// An earlier entry of the start order.
    Predecessor,
    /// Image, creation and start of the container itself.
    Start,
    /// The container's postStart hook.
    PostStart,
    /// The container's own end (an init container).
    Exit,
    /// The startup probe.
    StartupProbe,
    /// The readiness probe.
    ReadinessProbe,
    /// The back-off before a restart.
    RestartBackOff,
    /// The back-off before the next image pull.
    ImageBackOff,
    /// The next attempt of a failed start.
    StartRetry,
    /// The preStop hook.
    PreStop,
    /// Others that must stop first.
    StopTurn,
    /// The end after the stop signal.
    Termination,
}

impl Machine {
    /// What the Pod and each of its containers wait for now, in the order of the spec.
    #[must_use]
    pub fn waits(&self, now: Time) -> Vec<Wait> {
        if self.is_finished() {
            return Vec::new();
        }
        let containers = (0..self.containers.len()).filter_map(|i| {
            let found = self.container_wait(i, now)?;
            let container = Some(self.containers[i].spec.name.clone());
            let Found {
                kind,
                since,
                until,
                text,
            } = found;
            Some(Wait {
                container,
                kind,
                since,
                until,
                text,
            })
        });
        self.sandbox_wait().into_iter().chain(containers).collect()
    }

    fn sandbox_wait(&self) -> Option<Wait> {
        let sandbox = &self.sandbox;
        let text = match sandbox.state {
            SandboxState::Creating => "its network and volumes are being made".to_owned(),
            SandboxState::Stopping => "its network and volumes are being removed".to_owned(),
            SandboxState::Absent => {
                format!("its network and volumes: {}", sandbox.failure.as_ref()?)
            }
            SandboxState::Ready | SandboxState::Stopped => return None,
        };
        let (since, until) = (sandbox.since, sandbox.retry_at);
        Some(Wait {
            container: None,
            kind: WaitKind::Sandbox,
            since,
            until,
            text,
        })
    }

    fn container_wait(&self, i: usize, now: Time) -> Option<Found> {
        let container = &self.containers[i];
        if let Some(stop) = container.stop.as_ref().filter(|stop| !stop.is_done()) {
            return Some(self.stop_wait(i, stop));
        }
        if let Some(starting) = &container.starting {
            return Some(start_wait(starting));
        }
        if container.is_running() {
            return running_wait(container, now);
        }
        if self.stage != Stage::Active {
            return None;
        }
        if self.sandbox.state != SandboxState::Ready {
            return self.stopped_wait(i);
        }
        if let Some(until) = self
            .restart_all_pause()
            .filter(|_| self.restart_all_trigger() == Some(i))
        {
            let text = "the restart of all containers that its exit asked for";
            return Some(Found::new(
                WaitKind::RestartBackOff,
                self.now,
                Some(until),
                text,
            ));
        }
        if let Some(end) = container.ended() {
            let over = match container.role {
                Role::Init => container.is_done(),
                _ => !restart::restarts_after(&container.spec, &self.pod.spec, end.exit.code),
            };
            if over {
                return None;
            }
        }
        let since = container
            .ended()
            .and_then(|end| end.at)
            .unwrap_or(self.begun);
        // What failed to start is tried again only while nobody it depends on is down (R2.5).
        let tried = |step: &Step| matches!(step, Step::Start { index, .. } if *index == i);
        let failure = container.failure.as_ref();
        if let Some(failure) = failure.filter(|_| self.plan().iter().any(tried)) {
            return Some(failure_wait(failure));
        }
        Some(self.predecessor_wait(i, since))
    }

    /// R1.2: the Pod was stopped for an init container that may not be tried again, and is not over all the same.
    fn stopped_wait(&self, i: usize) -> Option<Found> {
        let mut inits = self.containers[..self.inits].iter().enumerate();
        let (failed, init) = inits.find(|(_, init)| self.failed_for_good(init))?;
        let since = init.ended().and_then(|end| end.at).unwrap_or(self.begun);
        let text = format!(
            "its deletion: the Pod was stopped because init container {} failed and is not tried again",
            init.name()
        );
        (i != failed).then(|| Found::new(WaitKind::Predecessor, since, None, text))
    }

    fn stop_wait(&self, i: usize, stop: &Stop) -> Found {
        match stop.stage {
            StopStage::PreStop {
                since,
                until,
                wakes,
                ..
            } => {
                let until = wakes.map_or(until, |wakes| wakes.min(until));
                let text =
                    "its preStop hook; the stop signal follows, at the latest when the grace ends";
                Found::new(WaitKind::PreStop, since, Some(until), text)
            }
            StopStage::Turn { since, until } => {
                let others = self.order.before(i).iter();
                let others: Vec<&str> = others
                    .filter(|&&other| !self.has_stopped(other))
                    .map(|&other| self.containers[other].name())
                    .collect();
                let text = format!("{} to stop first", others.join(", "));
                Found::new(WaitKind::StopTurn, since, Some(until), text)
            }
            StopStage::Term { since, kill_at } => {
                let text = "its end: the stop signal was sent, SIGKILL follows";
                Found::new(WaitKind::Termination, since, Some(kill_at), text)
            }
            StopStage::Killed { since } => Found::new(
                WaitKind::Termination,
                since,
                None,
                "its end: SIGKILL was sent",
            ),
            StopStage::Done => Found::new(WaitKind::Termination, self.now, None, "the others' end"),
        }
    }

    /// Why a container whose start nothing holds back is not started: somebody comes before it.
    fn predecessor_wait(&self, i: usize, since: Time) -> Found {
        let wait = |text: String| Found::new(WaitKind::Predecessor, since, None, text);
        for entry in &self.containers[..i.min(self.inits)] {
            let name = entry.name();
            match entry.role {
                Role::Init if !entry.is_done() => {
                    return wait(format!("init container {name} to exit with 0"));
                }
                Role::Sidecar if !entry.is_running() => {
                    return wait(format!("sidecar {name} to run"));
                }
                Role::Sidecar if !entry.is_started() => {
                    return wait(format!("sidecar {name}: its startup probe must succeed"));
                }
                _ => {}
            }
        }
        // Whatever the pass under way waits for holds up everything after it.
        let stopping = |c: &&Container| c.stop.as_ref().is_some_and(|stop| !stop.is_done());
        let all = || self.containers.iter();
        let text = match (all().find(|c| c.starting.is_some()), all().find(stopping)) {
            (Some(ahead), _) => {
                let name = ahead.name();
                format!("the start of {name}, which everything else of the Pod waits for")
            }
            (None, Some(ahead)) => {
                let name = ahead.name();
                format!("the stop of {name}, which everything else of the Pod waits for")
            }
            (None, None) => "its turn to start".to_owned(),
        };
        wait(text)
    }
}

/// A wait of a container that is known.
struct Found {
    kind: WaitKind,
    since: Time,
    until: Option<Time>,
    text: String,
}

impl Found {
    fn new(kind: WaitKind, since: Time, until: Option<Time>, text: impl Into<String>) -> Self {
        Self {
            kind,
            since,
            until,
            text: text.into(),
        }
    }
}

fn start_wait(starting: &Starting) -> Found {
    match &starting.stage {
        StartStage::Asked => {
            let text = "its image, creation and start";
            Found::new(WaitKind::Start, starting.since, None, text)
        }
        StartStage::PostStart { since, until } => {
            let text = "its postStart hook, which holds up the whole Pod";
            Found::new(WaitKind::PostStart, *since, *until, text)
        }
        StartStage::Killing(error) => {
            let text = format!("its end after its postStart hook failed: {error}");
            Found::new(WaitKind::Termination, starting.since, None, text)
        }
    }
}

fn failure_wait(failure: &Failure) -> Found {
    let kind = match failure.reason {
        "CrashLoopBackOff" => WaitKind::RestartBackOff,
        "ErrImagePull" | "ImagePullBackOff" => WaitKind::ImageBackOff,
        _ => WaitKind::StartRetry,
    };
    let text = format!("the next attempt: {}: {}", failure.reason, failure.message);
    Found::new(kind, failure.since, failure.retry_at, text)
}

fn running_wait(container: &Container, now: Time) -> Option<Found> {
    let since = container
        .run
        .as_ref()
        .and_then(|run| run.started_at)
        .unwrap_or(now);
    if container.role == Role::Init {
        return Some(Found::new(
            WaitKind::Exit,
            since,
            None,
            "its own exit with 0",
        ));
    }
    let started = container.is_started();
    let kind = if started {
        ProbeKind::Readiness
    } else {
        ProbeKind::Startup
    };
    let worker = container.worker(kind).filter(|_| !container.is_ready())?;
    let settings = &worker.settings;
    let (came, needed, word) = match worker.streak() {
        Some((true, n)) => (n, settings.success_threshold, "successes"),
        Some((false, n)) => (n, settings.failure_threshold, "failures"),
        None => (0, settings.success_threshold, "successes"),
    };
    let running = if worker.running_since().is_some() {
        ", a run is under way"
    } else {
        ""
    };
    let text = format!("its {kind} probe: {came} of {needed} {word} in a row{running}");
    let kind = if started {
        WaitKind::ReadinessProbe
    } else {
        WaitKind::StartupProbe
    };
    Some(Found::new(kind, since, worker.due(started), text))
}
