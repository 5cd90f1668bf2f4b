//! Warnings about probes.

use manifest::core::v1::{PodSpec, Probe};

use super::{Code, Warning};
use crate::container::Role;
use crate::plan::start::gives_up;
use crate::plan::{Entry, entries, span};
use crate::probe::Settings;

/// What a program is given to come up in before a probe may kill it, in seconds.
const TO_COME_UP: u64 = 5;

pub(super) fn warn(spec: &PodSpec, found: &mut Vec<Warning>) {
    for entry in entries(spec).filter(|entry| entry.role != Role::Init) {
        liveness_before_startup(&entry, found);
        liveness_as_readiness(&entry, found);
        startup_too_short(&entry, found);
    }
}

fn liveness_before_startup(entry: &Entry<'_>, found: &mut Vec<Warning>) {
    let container = entry.container;
    let Some(liveness) = container
        .liveness_probe
        .as_ref()
        .filter(|_| container.startup_probe.is_none())
    else {
        return;
    };
    let kills = first_kill(&Settings::of(liveness));
    let expected = container
        .readiness_probe
        .as_ref()
        .map_or(0, |probe| Settings::of(probe).initial_delay.as_secs());
    if kills >= expected.max(TO_COME_UP) {
        return;
    }
    let needs = if expected > kills {
        format!(
            "while its readiness probe expects nothing before {}",
            span(expected)
        )
    } else {
        "which is little time to come up".to_owned()
    };
    let when = if kills == 0 {
        "right at its start".to_owned()
    } else {
        format!("{} after its start", span(kills))
    };
    let message = format!("{} can be killed {when}, {needs}", entry.name());
    found.push(
        Warning::new(Code::LivenessBeforeStartup, entry, entry.path.child("livenessProbe"), message)
            .why("without a startup probe liveness counts from initialDelaySeconds on, and failureThreshold failures in a row kill the container")
            .instead("add a `startupProbe` with the same handler, `periodSeconds: 1` and `failureThreshold: 60`: liveness begins when it has succeeded"),
    );
}

/// Seconds from a container's start to the first moment at which this probe can kill it.
fn first_kill(probe: &Settings) -> u64 {
    let more = u64::from(probe.failure_threshold - 1);
    probe.initial_delay.as_secs() + more.saturating_mul(probe.period.as_secs())
}

fn liveness_as_readiness(entry: &Entry<'_>, found: &mut Vec<Warning>) {
    let container = entry.container;
    let (Some(liveness), Some(readiness)) = (&container.liveness_probe, &container.readiness_probe)
    else {
        return;
    };
    let patience = |probe: &Probe| {
        let settings = Settings::of(probe);
        settings.period * settings.failure_threshold
    };
    if !same_question(liveness, readiness) || patience(liveness) > patience(readiness) {
        return;
    }
    let message = format!(
        "{} is killed as soon as it is not ready: both probes ask the same",
        entry.name()
    );
    let threshold = Settings::of(liveness).failure_threshold.saturating_mul(3);
    found.push(
        Warning::new(Code::LivenessAsReadiness, entry, entry.path.child("livenessProbe"), message)
            .why("readiness is for a program that is busy or waits for others, and restarts nothing; liveness is for one that only a restart can help")
            .instead(format!("raise livenessProbe.failureThreshold (to {threshold}, say), or ask something that fails only when the program hangs")),
    );
}

fn same_question(one: &Probe, other: &Probe) -> bool {
    one.exec == other.exec
        && one.http_get == other.http_get
        && one.tcp_socket == other.tcp_socket
        && one.grpc == other.grpc
}

fn startup_too_short(entry: &Entry<'_>, found: &mut Vec<Warning>) {
    let container = entry.container;
    let Some(startup) = container.startup_probe.as_ref().map(Settings::of) else {
        return;
    };
    let window = gives_up(&startup, 0);
    let delay = |(name, probe): (&'static str, &Option<Probe>)| {
        let seconds = Settings::of(probe.as_ref()?).initial_delay.as_secs();
        Some((seconds, name))
    };
    let others = [
        ("readinessProbe", &container.readiness_probe),
        ("livenessProbe", &container.liveness_probe),
    ];
    let expected = others
        .into_iter()
        .filter_map(delay)
        .max()
        .filter(|(seconds, _)| *seconds > window);
    let against = match expected {
        Some((seconds, name)) => format!(
            "while {name}.initialDelaySeconds gives it {}",
            span(seconds)
        ),
        None if window < TO_COME_UP => "which is little time to come up".to_owned(),
        None => return,
    };
    let seconds = expected.map_or(30, |(seconds, _)| seconds.saturating_mul(2));
    let threshold = seconds.div_ceil(startup.period.as_secs());
    let message = format!(
        "{} is killed unless it is up {} after its start, {against}",
        entry.name(),
        span(window)
    );
    found.push(
        Warning::new(Code::StartupTooShort, entry, entry.path.child("startupProbe"), message)
            .why("a startup probe that fails failureThreshold times in a row kills the container; a great threshold costs nothing, since the first success ends it")
            .instead(format!("write `failureThreshold: {threshold}`")),
    );
}
