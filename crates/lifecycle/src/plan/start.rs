//! Who starts after whom, for which reason, and when at the earliest (sections 1, 5 and 7).

use std::fmt;

use manifest::core::v1::{LifecycleHandler, PodSpec};
use serde::Serialize;

use super::{Entry, Field, command, entries, span};
use crate::container::Role;
use crate::probe::Settings;

/// When a container starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// Its name.
    pub container: String,
    /// How it takes part.
    pub role: Role,
    /// What must have happened before, in the order in which it happens.
    pub after: Vec<Gate>,
    /// Counted from when the Pod has its network and volumes, if images are there and everything succeeds at once.
    pub earliest: Estimate,
    /// The same if startup probes succeed only at their last attempt.
    pub latest: Estimate,
}

/// What holds a start back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The container that must come so far.
    pub container: String,
    /// How far.
    pub milestone: Milestone,
    /// What makes it a gate.
    pub field: Field,
}

/// How far a container must have come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
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

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = &self.container;
        match self.milestone {
            Milestone::Done => write!(f, "{container} has exited with 0"),
            Milestone::Started => write!(f, "{container} has been started"),
            Milestone::PostStartEnded => write!(f, "the postStart hook of {container} has ended"),
            Milestone::StartupProbePassed => {
                write!(f, "the startup probe of {container} has succeeded")
            }
        }
    }
}

/// A time: seconds that are known, and what takes as long as it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Seconds from probes and sleeping hooks.
    pub seconds: u64,
    /// What comes on top, as `prepare` (an init container's own time) or `the postStart hook of web`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plus: Vec<String>,
}

impl fmt::Display for Estimate {
    /// `0s`, `prepare`, `prepare + 5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.plus.clone();
        if self.seconds > 0 || parts.is_empty() {
            parts.push(span(self.seconds));
        }
        f.pad(&parts.join(" + "))
    }
}

/// Init entries one after the other, then apps one after the other (R1.1, R1.6): each is gated by the
/// one before it, which was gated by all before that.
pub(super) fn starts(spec: &PodSpec) -> Vec<Start> {
    let mut after = Vec::new();
    let mut earliest = Estimate::default();
    let mut latest = Estimate::default();
    let mut starts = Vec::new();
    for entry in entries(spec) {
        starts.push(Start {
            container: entry.name().to_owned(),
            role: entry.role,
            after: std::mem::replace(&mut after, gates(&entry)),
            earliest: earliest.clone(),
            latest: latest.clone(),
        });
        let held = Held::of(&entry);
        for (time, seconds) in [(&mut earliest, held.least), (&mut latest, held.most)] {
            time.seconds = time.seconds.saturating_add(seconds);
            time.plus.extend(held.unknown.clone());
        }
    }
    starts
}

/// What the container after this one waits for.
fn gates(entry: &Entry<'_>) -> Vec<Gate> {
    let gate = |milestone, path| Gate {
        container: entry.name().to_owned(),
        milestone,
        field: Field::new(path),
    };
    let path = &entry.path;
    if entry.role == Role::Init {
        return vec![gate(Milestone::Done, path.clone())];
    }
    let field = match entry.role {
        Role::Sidecar => path.child("restartPolicy"),
        _ => path.clone(),
    };
    let mut gates = vec![gate(Milestone::Started, field)];
    if post_start(entry).is_some() {
        let path = path.child("lifecycle").child("postStart");
        gates.push(gate(Milestone::PostStartEnded, path));
    }
    if entry.role == Role::Sidecar && entry.container.startup_probe.is_some() {
        gates.push(gate(
            Milestone::StartupProbePassed,
            path.child("startupProbe"),
        ));
    }
    gates
}

/// How long a container holds back the one after it, from its own start on.
struct Held {
    least: u64,
    most: u64,
    unknown: Option<String>,
}

impl Held {
    fn of(entry: &Entry<'_>) -> Self {
        if entry.role == Role::Init {
            let unknown = Some(entry.name().to_owned());
            return Self {
                least: 0,
                most: 0,
                unknown,
            };
        }
        let (hook, unknown) = hook(entry);
        let startup = entry.container.startup_probe.as_ref();
        match startup
            .filter(|_| entry.role == Role::Sidecar)
            .map(Settings::of)
        {
            Some(probe) => Self {
                least: hook.max(probe.initial_delay.as_secs()),
                most: gives_up(&probe, hook),
                unknown,
            },
            None => Self {
                least: hook,
                most: hook,
                unknown,
            },
        }
    }
}

/// Seconds from a container's start to the last moment at which its startup probe can succeed before it gives up, where
/// its first `hook` seconds belong to postStart (R5.18).
pub(super) fn gives_up(probe: &Settings, hook: u64) -> u64 {
    let first = hook.max(probe.initial_delay.as_secs());
    let step = probe.period.max(probe.timeout).as_secs();
    let steps = u64::from(probe.failure_threshold - 1);
    first + steps.saturating_mul(step) + probe.timeout.as_secs()
}

fn post_start<'a>(entry: &Entry<'a>) -> Option<&'a LifecycleHandler> {
    entry.container.lifecycle.as_ref()?.post_start.as_ref()
}

/// Seconds that a postStart hook takes, and what it is called where they are not known.
fn hook(entry: &Entry<'_>) -> (u64, Option<String>) {
    let Some(hook) = post_start(entry) else {
        return (0, None);
    };
    if let Some(sleep) = &hook.sleep {
        return (u64::try_from(sleep.seconds).unwrap_or(0), None);
    }
    let exec = hook.exec.as_ref();
    let slept = exec.and_then(|exec| command::seconds_slept(&exec.command));
    (
        slept.unwrap_or(0),
        Some(format!("postStart of {}", entry.name())),
    )
}

/// When the last sidecar or app can be ready.
pub(super) fn ready(spec: &PodSpec, starts: &[Start]) -> Estimate {
    let mut ready = Estimate::default();
    for (entry, start) in entries(spec).zip(starts) {
        if entry.role == Role::Init {
            continue;
        }
        let (hook, unknown) = hook(&entry);
        let container = entry.container;
        let startup = container.startup_probe.as_ref().map(Settings::of);
        let started = startup.map_or(hook, |probe| hook.max(probe.initial_delay.as_secs()));
        let readiness = container.readiness_probe.as_ref().map(Settings::of);
        let own = readiness.map_or(started, |probe| {
            let more = u64::from(probe.success_threshold - 1);
            started.max(probe.initial_delay.as_secs()) + more.saturating_mul(probe.period.as_secs())
        });
        ready.seconds = ready
            .seconds
            .max(start.earliest.seconds.saturating_add(own));
        for unknown in start.earliest.plus.iter().cloned().chain(unknown) {
            if !ready.plus.contains(&unknown) {
                ready.plus.push(unknown);
            }
        }
    }
    ready
}
