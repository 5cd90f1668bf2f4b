//! What a Pod will do, without running it: who starts after what and why, when at the earliest, what its probes decide,
//! what it asks for, how it is restarted, how it stops, and what will hardly work as meant.
//!
//! All of it is read off the spec. What would follow from a given behaviour of its processes is [`crate::what_if`]'s
//! business.

use manifest::Path;
use manifest::core::v1::{Container, PodSpec};
use serde::{Serialize, Serializer};

use crate::container::Role;

pub(crate) mod command;
mod note;
mod probe;
mod resource;
mod restart;
mod start;
pub(crate) mod stop;
#[cfg(test)]
mod tests;
pub(crate) mod warning;

pub use note::Note;
pub use probe::ProbePlan;
pub use resource::{Qos, Term, Total};
pub use restart::Restart;
pub use start::{Estimate, Gate, Milestone, Start};
pub use stop::{Stop, Stops};
pub use warning::{Code, Warning, catalogue};

/// A Pod's plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// In the order of their starts.
    pub starts: Vec<Start>,
    /// When the condition `Ready` can be True at the earliest; absent where only a run to completion is meant.
    pub ready: Estimate,
    /// What each probe decides and when, in the order of the starts.
    pub probes: Vec<ProbePlan>,
    /// Effective requests, by resource (R13.1).
    pub requests: Vec<Total>,
    /// Effective limits, by resource (R13.1).
    pub limits: Vec<Total>,
    /// QoS class, and why it is no better one (R13.3).
    pub qos: Qos,
    /// What follows when a container ends.
    pub restarts: Vec<Restart>,
    /// How the Pod stops.
    pub stops: Stops,
    /// Oddities of Kubernetes that this Pod meets.
    pub notes: Vec<Note>,
    /// What will hardly work as meant.
    pub warnings: Vec<Warning>,
}

/// A field of the Pod, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// As `spec.containers[0].livenessProbe`.
    #[serde(serialize_with = "as_text")]
    pub path: Path,
    /// Its line in the manifest, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Field {
    fn new(path: Path) -> Self {
        Self { path, line: None }
    }
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}

/// Plans a Pod whose defaults are applied.
#[must_use]
pub fn plan(spec: &PodSpec) -> Plan {
    let starts = start::starts(spec);
    let warnings = warning::warnings(spec, &starts);
    Plan {
        ready: start::ready(spec, &starts),
        starts,
        probes: probe::probes(spec),
        requests: resource::totals(spec, |resources| &resources.requests, true),
        limits: resource::totals(spec, |resources| &resources.limits, false),
        qos: resource::qos(spec),
        restarts: restart::restarts(spec),
        stops: stop::stops(spec),
        notes: note::notes(spec),
        warnings,
    }
}

/// What will hardly work as meant; part of [`plan`].
#[must_use]
pub fn warnings(spec: &PodSpec) -> Vec<Warning> {
    warning::warnings(spec, &start::starts(spec))
}

impl Plan {
    /// Says where each field stands.
    pub fn locate(&mut self, line: impl Fn(&Path) -> Option<usize>) {
        let gates = self.starts.iter_mut().flat_map(|start| &mut start.after);
        let gates = gates.map(|gate| &mut gate.field);
        let warnings = self.warnings.iter_mut().map(|warning| &mut warning.field);
        for field in gates.chain(warnings) {
            field.line = line(&field.path);
        }
    }
}

/// A container with its place in the Pod.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    pub(crate) container: &'a Container,
    pub(crate) role: Role,
    pub(crate) path: Path,
}

impl Entry<'_> {
    pub(crate) fn name(&self) -> &str {
        &self.container.name
    }
}

/// All containers in the order of their starts.
pub(crate) fn entries(spec: &PodSpec) -> impl Iterator<Item = Entry<'_>> {
    let list = |name| Path::root().child("spec").child(name);
    let inits = spec.init_containers.iter().enumerate();
    let inits = inits.map(move |(i, container)| Entry {
        container,
        role: Role::of_init_entry(container),
        path: list("initContainers").index(i),
    });
    let apps = spec.containers.iter().enumerate();
    let apps = apps.map(move |(i, container)| Entry {
        container,
        role: Role::App,
        path: list("containers").index(i),
    });
    inits.chain(apps)
}

/// Seconds that a Pod gets to stop (R8.1).
pub(crate) fn grace_seconds(spec: &PodSpec) -> i64 {
    spec.termination_grace_period_seconds.unwrap_or(30).max(1)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Seconds as people read them: `0s`, `90s`, `2m`, `5m30s`, `1h`.
pub(crate) fn span(seconds: u64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60, rest) {
        _ if seconds < 120 => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, rest) => format!("{minutes}m{rest}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes}m"),
    }
}
