//! Warnings about starting and about completing.

use std::collections::BTreeMap;

use manifest::Path;
use manifest::core::v1::{PodSpec, Protocol, RestartPolicy};

use super::{Code, Warning};
use crate::container::Role;
use crate::plan::command::Program;
use crate::plan::start::Start;
use crate::plan::{Entry, entries, span};
use crate::restart;

pub(super) fn warn(spec: &PodSpec, starts: &[Start], found: &mut Vec<Warning>) {
    helper_outlives_job(spec, found);
    for (position, entry) in entries(spec).enumerate() {
        match entry.role {
            Role::Init => init_never_ends(&entry, found),
            Role::Sidecar => sidecar_not_awaited(spec, position, &entry, found),
            Role::App => {}
        }
        hook_never_works(&entry, found);
    }
    deadline(spec, starts, found);
    same_port(spec, found);
}

/// Whether an app is meant to run until it is stopped, as far as the manifest tells.
pub(crate) fn is_helper(entry: &Entry<'_>) -> bool {
    let container = entry.container;
    !container.ports.is_empty()
        || container.readiness_probe.is_some()
        || Program::of(container).is_endless()
}

fn helper_outlives_job(spec: &PodSpec, found: &mut Vec<Warning>) {
    let apps: Vec<Entry<'_>> = entries(spec)
        .filter(|entry| entry.role == Role::App)
        .collect();
    let ends = |app: &&Entry<'_>| restart::policy(app.container, spec) != RestartPolicy::Always;
    let job = apps.iter().filter(ends).find(|app| !is_helper(app));
    let Some(job) = job.filter(|_| restart::pod_policy(spec) != RestartPolicy::Always) else {
        return;
    };
    for helper in apps.iter().filter(|app| is_helper(app)) {
        let message = format!(
            "{} runs for ever, so this Pod never completes, even after {} has ended",
            helper.name(),
            job.name()
        );
        let warning = Warning::new(
            Code::HelperOutlivesJob,
            helper,
            helper.path.clone(),
            message,
        );
        let policy = restart::pod_policy(spec);
        found.push(
            warning
                .why(format!("a Pod with restartPolicy {policy} completes when all entries of `containers` have ended; sidecars are not waited for"))
                .instead("move it to spec.initContainers and give it `restartPolicy: Always`: a native sidecar starts before the app and is stopped after it"),
        );
    }
}

fn init_never_ends(entry: &Entry<'_>, found: &mut Vec<Warning>) {
    let program = Program::of(entry.container);
    let serves = !entry.container.ports.is_empty() && !program.is_brief();
    if !serves && !program.is_endless() {
        return;
    }
    let how = if serves {
        "declares ports, so it seems to be a server"
    } else {
        "runs a program that does not end by itself"
    };
    let message = format!(
        "{} {how}; while it runs, nothing after it starts",
        entry.name()
    );
    found.push(
        Warning::new(Code::InitNeverEnds, entry, entry.path.clone(), message)
            .why("an init container is done when it has exited with 0, and the next one starts only then")
            .instead("add `restartPolicy: Always`: then it is a sidecar, and what follows starts once it runs"),
    );
}

fn sidecar_not_awaited(
    spec: &PodSpec,
    position: usize,
    entry: &Entry<'_>,
    found: &mut Vec<Warning>,
) {
    let container = entry.container;
    let asked = [&container.readiness_probe, &container.liveness_probe];
    let serving = asked
        .into_iter()
        .flatten()
        .find(|probe| probe.exec.is_none());
    let port = container.ports.first().map(|port| {
        port.name
            .clone()
            .unwrap_or_else(|| port.container_port.to_string())
    });
    let hooked = container
        .lifecycle
        .as_ref()
        .is_some_and(|lifecycle| lifecycle.post_start.is_some());
    if container.startup_probe.is_some() || hooked || (port.is_none() && serving.is_none()) {
        return;
    }
    let Some(next) = entries(spec).nth(position + 1) else {
        return;
    };
    let message = format!(
        "{} starts as soon as the process of {} does, before it can answer",
        next.name(),
        entry.name()
    );
    let why = if container.readiness_probe.is_some() {
        "only a startup probe (or a postStart hook) of a sidecar holds back what follows; its readiness probe does not"
    } else {
        "without a startup probe a sidecar counts as started once its process runs"
    };
    let probe = match (serving, port) {
        (Some(_), _) if container.readiness_probe.is_some() => {
            "the readiness probe's handler".to_owned()
        }
        (Some(_), _) => "the liveness probe's handler".to_owned(),
        (None, Some(port)) => format!("`tcpSocket: {{port: {port}}}` or an httpGet"),
        (None, None) => "a handler".to_owned(),
    };
    found.push(
        Warning::new(Code::SidecarNotAwaited, entry, entry.path.clone(), message)
            .why(why)
            .instead(format!(
                "add a `startupProbe` with {probe}, `periodSeconds: 1` and `failureThreshold: 60`"
            )),
    );
}

fn hook_never_works(entry: &Entry<'_>, found: &mut Vec<Warning>) {
    let Some(lifecycle) = &entry.container.lifecycle else {
        return;
    };
    let path = entry.path.child("lifecycle");
    let hooks = [
        ("postStart", &lifecycle.post_start),
        ("preStop", &lifecycle.pre_stop),
    ];
    for (name, hook) in hooks {
        let Some(hook) = hook else { continue };
        if hook.tcp_socket.is_none()
            || hook.exec.is_some()
            || hook.http_get.is_some()
            || hook.sleep.is_some()
        {
            continue;
        }
        let effect = if name == "postStart" {
            "so the container is killed each time it was started"
        } else {
            "so SIGTERM comes at once"
        };
        let message = format!("this {name} hook always fails, {effect}");
        found.push(
            Warning::new(Code::HookNeverWorks, entry, path.child(name).child("tcpSocket"), message)
                .why("`tcpSocket` passes validation in hooks for compatibility, and no kubelet has ever run it")
                .instead("use `exec`, `httpGet` or `sleep`"),
        );
    }
}

fn deadline(spec: &PodSpec, starts: &[Start], found: &mut Vec<Warning>) {
    let Some(deadline) = spec.active_deadline_seconds else {
        return;
    };
    let Some(last) = starts.last() else { return };
    let inits = entries(spec).filter(|entry| entry.role == Role::Init);
    let slept = inits.filter_map(|init| Program::of(init.container).seconds_slept());
    let earliest = slept.fold(last.earliest.seconds, u64::saturating_add);
    if deadline < 0 || earliest < deadline.unsigned_abs() {
        return;
    }
    let path = Path::root().child("spec").child("activeDeadlineSeconds");
    let message = format!(
        "the Pod is ended after {}, and {} cannot start before {}",
        span(deadline.unsigned_abs()),
        last.container,
        span(earliest)
    );
    found.push(
        Warning::of_pod(Code::DeadlineBeforeStart, path, message)
            .why("the deadline counts from the Pod's start, initialization included")
            .instead("raise it, or shorten what comes before that container: init containers that sleep, delays of probes, hooks"),
    );
}

/// Ports on which two containers would listen at the same time. Validation knows only of host ports, and only of those
/// of apps (R14.10).
fn same_port(spec: &PodSpec, found: &mut Vec<Warning>) {
    let mut taken: BTreeMap<(i32, &'static str), String> = BTreeMap::new();
    for entry in entries(spec).filter(|entry| entry.role != Role::Init) {
        for (index, port) in entry.container.ports.iter().enumerate() {
            let protocol = port.protocol.unwrap_or(Protocol::Tcp).as_str();
            let key = (port.container_port, protocol);
            let other = taken.entry(key).or_insert_with(|| entry.name().to_owned());
            if other == entry.name() {
                continue;
            }
            let message = format!(
                "{} and {other} both listen on port {}; the second cannot",
                entry.name(),
                port.container_port
            );
            let path = entry
                .path
                .child("ports")
                .index(index)
                .child("containerPort");
            found.push(
                Warning::new(Code::SamePort, &entry, path, message)
                    .why("the containers of a Pod share one network: a port is taken for all of them")
                    .instead("let one of the programs listen on another port, and declare that"),
            );
        }
    }
}
