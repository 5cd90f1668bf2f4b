//! What each probe decides, and how fast (section 5).

use manifest::core::v1::{PodSpec, Probe};
use serde::Serialize;

use super::{Entry, entries, span};
use crate::container::{Role, probe_of};
use crate::probe::Settings;
use crate::protocol::ProbeKind;
use crate::restart;

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbePlan {
    /// The container.
    pub container: String,
    /// Which of its probes, as `startupProbe`.
    pub field: &'static str,
    /// How it asks, as `GET /healthz on port http`.
    pub asks: String,
    /// Seconds from the container's start to the first run; the other probes wait for the startup probe besides (R5.7).
    pub first_seconds: u64,
    /// Seconds between two runs.
    pub every_seconds: u64,
    /// From the moment at which it begins to fail: the least number of seconds until that has an effect. For a startup
    /// probe from the start on.
    pub acts_after_seconds: u64,
    /// The same at most.
    pub acts_by_seconds: u64,
    /// When it runs, and what follows from its results.
    pub text: String,
}

/// All probes in the order of the starts.
pub(super) fn probes(spec: &PodSpec) -> Vec<ProbePlan> {
    let of = |entry: Entry<'_>| {
        let found = ProbeKind::ALL
            .map(|kind| Some(one(spec, &entry, kind, probe_of(entry.container, kind)?)));
        found.into_iter().flatten().collect::<Vec<_>>()
    };
    entries(spec)
        .filter(|entry| entry.role != Role::Init)
        .flat_map(of)
        .collect()
}

fn one(spec: &PodSpec, entry: &Entry<'_>, kind: ProbeKind, probe: &Probe) -> ProbePlan {
    let settings = Settings::of(probe);
    let (first, every, timeout) = (
        settings.initial_delay.as_secs(),
        settings.period.as_secs(),
        settings.timeout.as_secs(),
    );
    let step = every.max(timeout);
    let failures = u64::from(settings.failure_threshold);
    let least = (failures - 1).saturating_mul(every);
    // The failure begins just after a run, and is noticed only by time-outs.
    let most = failures.saturating_mul(step) + timeout;
    let (acts_after_seconds, acts_by_seconds) = match kind {
        ProbeKind::Startup => (first + least, super::start::gives_up(&settings, 0)),
        _ => (least, most),
    };
    let startup = entry.container.startup_probe.is_some();
    let begins = match (kind, startup, first) {
        (ProbeKind::Startup, _, 0) | (_, false, 0) => "from its start".to_owned(),
        (ProbeKind::Startup, _, first) | (_, false, first) => {
            format!("from {} after its start", span(first))
        }
        (_, true, 0) => "once the startup probe has succeeded".to_owned(),
        (_, true, first) => format!(
            "once the startup probe has succeeded, {} after the start at the earliest",
            span(first)
        ),
    };
    let rhythm = format!("{begins}, every {}", span(every));
    let again = restart::restarts_after_probe(entry.container, spec) || entry.role == Role::Sidecar;
    let then = if again {
        "and it is restarted"
    } else {
        "for good (restartPolicy Never)"
    };
    let in_a_row = match settings.failure_threshold {
        1 => "the first failure kills".to_owned(),
        n => format!("{n} failures in a row kill"),
    };
    let effect = match kind {
        ProbeKind::Startup => {
            format!(
                "{in_a_row} it, {} after the start, {then}",
                between(acts_after_seconds, acts_by_seconds)
            )
        }
        ProbeKind::Liveness => format!(
            "{in_a_row} it, {} after it stops answering, {then}",
            between(least, most)
        ),
        ProbeKind::Readiness => {
            let successes = match settings.success_threshold {
                1 => "ready at the first success".to_owned(),
                n => format!("ready after {n} successes in a row"),
            };
            format!(
                "{successes}, not ready {} after it stops answering",
                between(least, most)
            )
        }
    };
    ProbePlan {
        container: entry.name().to_owned(),
        field: field(kind),
        asks: asks(probe),
        first_seconds: first,
        every_seconds: every,
        acts_after_seconds,
        acts_by_seconds,
        text: format!("{rhythm}; {effect}"),
    }
}

pub(crate) fn field(kind: ProbeKind) -> &'static str {
    match kind {
        ProbeKind::Startup => "startupProbe",
        ProbeKind::Liveness => "livenessProbe",
        ProbeKind::Readiness => "readinessProbe",
    }
}

fn asks(probe: &Probe) -> String {
    if let Some(get) = &probe.http_get {
        let path = get.path.as_deref().unwrap_or("/");
        format!("GET {path} on port {}", get.port)
    } else if let Some(tcp) = &probe.tcp_socket {
        format!("connects to port {}", tcp.port)
    } else if let Some(grpc) = &probe.grpc {
        format!("gRPC health check on port {}", grpc.port)
    } else {
        let words = probe.exec.iter().flat_map(|exec| &exec.command);
        format!(
            "runs {}",
            words.map(String::as_str).collect::<Vec<_>>().join(" ")
        )
    }
}

fn between(least: u64, most: u64) -> String {
    match least {
        _ if least == most => span(least),
        0 => format!("within {}", span(most)),
        _ => format!("{} to {}", span(least), span(most)),
    }
}
