//! Warnings about hooks and stopping.

use manifest::Path;
use manifest::core::v1::PodSpec;

use super::{Code, Warning};
use crate::container::Role;
use crate::plan::command::{OnSigterm, Program};
use crate::plan::stop::{least_seconds, pre_stop};
use crate::plan::{Entry, entries, grace_seconds, span};

pub(super) fn warn(spec: &PodSpec, found: &mut Vec<Warning>) {
    let grace = grace_seconds(spec).unsigned_abs();
    let before = found.len();
    for entry in entries(spec).filter(|entry| entry.role != Role::Init) {
        sigterm_ignored(spec, &entry, grace, found);
        pre_stop_over_grace(&entry, grace, found);
        post_start_over_grace(&entry, grace, found);
    }
    // What is wrong by itself needs no second warning.
    if !found[before..]
        .iter()
        .any(|warning| warning.code == Code::PreStopOverGrace)
    {
        stops_over_grace(spec, grace, found);
    }
}

/// How SIGTERM fares with a container's first process, as far as the manifest tells.
pub(crate) fn on_sigterm(spec: &PodSpec, entry: &Entry<'_>) -> OnSigterm {
    let lifecycle = entry.container.lifecycle.as_ref();
    let other_signal = lifecycle.and_then(|lifecycle| lifecycle.stop_signal.as_deref());
    // With a shared process namespace it is not process 1, and SIGTERM ends what has no handler.
    if spec.share_process_namespace == Some(true)
        || other_signal.is_some_and(|name| name != "SIGTERM")
    {
        return OnSigterm::Handled;
    }
    // A sidecar is always ended by it; an app that ends by itself hardly ever.
    Program::of(entry.container).on_sigterm(entry.role == Role::Sidecar)
}

fn sigterm_ignored(spec: &PodSpec, entry: &Entry<'_>, grace: u64, found: &mut Vec<Warning>) {
    let (program, late) = match on_sigterm(spec, entry) {
        OnSigterm::Ignored(program) => (program, false),
        OnSigterm::Late => (None, true),
        OnSigterm::Handled | OnSigterm::Trapped(_) => return,
    };
    let hook = pre_stop(entry).and_then(|hook| hook.exec.as_ref());
    let hook = hook.map(|exec| manifest::core::v1::Container {
        command: exec.command.clone(),
        ..Default::default()
    });
    if hook.is_some_and(|hook| Program::of(&hook).kills()) {
        return;
    }
    let who = program.unwrap_or("the shell");
    let does = if late {
        "runs its trap for SIGTERM only after the program in the foreground"
    } else {
        "ignores SIGTERM"
    };
    let message = format!(
        "{who} is process 1 of {} and {does}: each stop takes {}, then SIGKILL (exit code 137)",
        entry.name(),
        span(grace.max(2))
    );
    let why = match program {
        Some(_) => {
            "the kernel gives process 1 only signals it has a handler for, and this program has none for SIGTERM"
        }
        None if late => {
            "a shell looks at its traps only between two commands; `wait` is the one that a signal interrupts"
        }
        None => {
            "the kernel gives process 1 only signals it has a handler for; a shell has none without `trap`, and hands no signal on to the program it waits for"
        }
    };
    let instead = match program {
        None if late => "start the program with `&` and `wait` for it",
        Some(_) => "run it under a shell: `trap 'exit 0' TERM; COMMAND & wait`",
        None => {
            "`exec` the last program, or begin with `trap 'exit 0' TERM`, start programs with `&` and `wait` for them"
        }
    };
    let container = entry.container;
    let field = if container.args.is_empty() || container.command.len() > 2 {
        "command"
    } else {
        "args"
    };
    found.push(
        Warning::new(
            Code::SigtermIgnored,
            entry,
            entry.path.child(field),
            message,
        )
        .why(why)
        .instead(instead),
    );
}

fn pre_stop_over_grace(entry: &Entry<'_>, grace: u64, found: &mut Vec<Warning>) {
    let Some(seconds) = pre_stop(entry)
        .map(least_seconds)
        .filter(|seconds| *seconds >= grace)
    else {
        return;
    };
    let takes = if seconds > 1_000_000 {
        "for ever".to_owned()
    } else {
        span(seconds)
    };
    let message = format!(
        "this preStop hook takes {takes} and all of the grace ({}): {} has 2s between SIGTERM and SIGKILL",
        span(grace),
        entry.name()
    );
    let path = entry.path.child("lifecycle").child("preStop");
    found.push(
        Warning::new(Code::PreStopOverGrace, entry, path, message)
            .why("the grace begins with the preStop hook, not after it")
            .instead(format!(
                "write `terminationGracePeriodSeconds: {}`, or shorten the hook",
                if seconds > 1_000_000 {
                    grace
                } else {
                    seconds + 10
                }
            )),
    );
}

fn post_start_over_grace(entry: &Entry<'_>, grace: u64, found: &mut Vec<Warning>) {
    let lifecycle = entry.container.lifecycle.as_ref();
    let hook = lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref());
    let Some(seconds) = hook.map(least_seconds).filter(|seconds| *seconds > grace) else {
        return;
    };
    let takes = if seconds > 1_000_000 {
        "for ever".to_owned()
    } else {
        span(seconds)
    };
    let message = format!(
        "this postStart hook takes {takes}; a Pod deleted meanwhile begins to stop only after it"
    );
    let path = entry.path.child("lifecycle").child("postStart");
    found.push(
        Warning::new(Code::PostStartOverGrace, entry, path, message)
            .why("a postStart hook has no time limit, holds all later starts back, and nothing interrupts it, not even a deletion")
            .instead("do the work in the container's own program, or before it in an init container"),
    );
}

/// The time that is known of: preStop hooks that sleep and traps that do.
fn stops_over_grace(spec: &PodSpec, grace: u64, found: &mut Vec<Warning>) {
    let after_signal = |entry: &Entry<'_>| match on_sigterm(spec, entry) {
        OnSigterm::Trapped(seconds) => seconds,
        _ => 0,
    };
    let hook = |entry: &Entry<'_>| pre_stop(entry).map_or(0, least_seconds);
    let (mut at, mut told, mut sidecars) = (0, Vec::new(), 0);
    for app in entries(spec).filter(|entry| entry.role == Role::App) {
        at = hook(&app).saturating_add(after_signal(&app)).max(at);
    }
    if at > 0 {
        told.push(format!("the apps {}", span(at)));
    }
    let all: Vec<Entry<'_>> = entries(spec)
        .filter(|entry| entry.role == Role::Sidecar)
        .collect();
    for sidecar in all.iter().rev() {
        let down = at.max(hook(sidecar)).saturating_add(after_signal(sidecar));
        if down > at {
            told.push(format!("{} {}", sidecar.name(), span(down - at)));
            sidecars += 1;
        }
        at = down;
    }
    if sidecars == 0 || at <= grace {
        return;
    }
    let path = Path::root()
        .child("spec")
        .child("terminationGracePeriodSeconds");
    let message = format!(
        "stopping takes {} ({}), the grace is {}: who comes last is killed",
        span(at),
        told.join(", then "),
        span(grace)
    );
    found.push(
        Warning::of_pod(Code::StopsOverGrace, path, message)
            .why("one grace is for all: apps stop first, then the sidecars one by one from the last to the first")
            .instead(format!("write `terminationGracePeriodSeconds: {}`", at.saturating_add(5))),
    );
}
