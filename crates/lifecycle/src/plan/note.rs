//! Oddities of Kubernetes, told where a Pod meets them. They are no mistakes of the Pod.

use manifest::core::v1::{PodSpec, RestartPolicy};
use serde::Serialize;

use super::stop::pre_stop;
use super::{Entry, entries, list};
use crate::container::{Role, probe_of};
use crate::protocol::ProbeKind;
use crate::restart;

/// One oddity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The rule, as `R8.6`.
    pub rule: &'static str,
    /// In words.
    pub text: String,
}

pub(super) fn notes(spec: &PodSpec) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |rule, text: String| notes.push(Note { rule, text });
    let names = |which: &dyn Fn(&Entry<'_>) -> bool| -> Vec<String> {
        let chosen = entries(spec).filter(|entry| which(entry));
        chosen.map(|entry| entry.name().to_owned()).collect()
    };
    let up = |entry: &Entry<'_>| entry.role != Role::Init;

    let apps: Vec<Entry<'_>> = entries(spec)
        .filter(|entry| entry.role == Role::App)
        .collect();
    let followed = apps.split_last().map_or(&[][..], |(_, before)| before);
    let probed: Vec<&str> = followed
        .iter()
        .filter(|app| app.container.startup_probe.is_some())
        .map(Entry::name)
        .collect();
    if !probed.is_empty() {
        note(
            "R1.6",
            format!(
                "The containers after {} do not wait for its probes: entries of `containers` follow each other as fast as they \
             can be started. Only sidecars hold others back.",
                list(&probed),
            ),
        );
    }
    let policy = restart::pod_policy(spec);
    let gated =
        names(&|entry| entry.role == Role::Sidecar && entry.container.startup_probe.is_some());
    if policy == RestartPolicy::Never && !gated.is_empty() && spec.active_deadline_seconds.is_none()
    {
        note(
            "R2.6",
            format!(
                "A startup probe that never succeeds does not fail this Pod: {} is restarted for ever, restartPolicy Never or \
             not, and the Pod stays Pending. spec.activeDeadlineSeconds would end it.",
                list(&gated),
            ),
        );
    }
    let killed = names(&|entry| {
        let probes = [ProbeKind::Startup, ProbeKind::Liveness];
        let restarts =
            entry.role == Role::Sidecar || restart::restarts_after_probe(entry.container, spec);
        up(entry)
            && restarts
            && probes
                .iter()
                .any(|kind| probe_of(entry.container, *kind).is_some())
    });
    if !killed.is_empty() {
        note(
            "R3.8",
            format!(
                "A restart of {} by a probe counts its back-off from the end of the run before, so the first two come at once, and a later one too if its run was longer than the back-off.",
                list(&killed),
            ),
        );
    }
    let redirected = names(&|entry| {
        let probes = ProbeKind::ALL
            .iter()
            .filter_map(|kind| probe_of(entry.container, *kind));
        let mut gets = probes.filter_map(|probe| probe.http_get.as_ref());
        up(entry) && gets.any(|get| matches!(get.path.as_deref(), None | Some("" | "/")))
    });
    if !redirected.is_empty() {
        note(
            "R6.5",
            format!(
                "A probe of {} asks for /, which many servers answer with a redirect. One to another host counts as success and \
             is not followed; one to the same host is.",
                list(&redirected),
            ),
        );
    }
    let hooked = names(&|entry| {
        let lifecycle = entry.container.lifecycle.as_ref();
        up(entry) && lifecycle.is_some_and(|lifecycle| lifecycle.post_start.is_some())
    });
    if !hooked.is_empty() {
        note(
            "R7.4",
            format!(
                "The postStart hook of {} has no time limit, and a deletion waits for its end before anything is stopped.",
                list(&hooked),
            ),
        );
    }
    let sidecars = names(&|entry| entry.role == Role::Sidecar);
    let waiting =
        entries(spec).filter(|entry| entry.role == Role::Sidecar && pre_stop(entry).is_some());
    let waiting: Vec<String> = waiting.map(|entry| entry.name().to_owned()).collect();
    if !waiting.is_empty() {
        note(
            "R7.12",
            format!(
                "The preStop hook of {} runs while the apps still do: all preStop hooks begin together, only SIGTERM comes in \
             turn.",
                list(&waiting),
            ),
        );
    }
    if sidecars.len() > 1 {
        note(
            "R8.6",
            format!(
                "If one of the sidecars {} is down when the Pod's end begins, those before it in the list do not wait for those \
             after it.",
                list(&sidecars),
            ),
        );
    }
    if spec
        .termination_grace_period_seconds
        .is_some_and(|grace| grace < 2)
    {
        note(
            "R8.3",
            "A grace below 2 s is raised: every container has 2 s between SIGTERM and SIGKILL."
                .to_owned(),
        );
    }
    notes
}
