//! What a container waits for that starts, runs, stops or has failed.

use super::{Wait, WaitKind};
use crate::container::{Container, Failure, Role, StartStage, Starting};
use crate::machine::Machine;
use crate::probe::Worker;
use crate::protocol::{ProbeKind, StopSignal};
use crate::terminate::{LEAST_GRACE, Stop, StopStage, stop_signal};
use crate::{Time, message};

/// Bytes of a probe's output that are shown.
const OUTPUT_BYTES: usize = 160;

impl Machine {
    /// What a stop waits for. SIGKILL comes no later than the least grace after the grace itself, whatever a hook and a turn
    /// took of it (R8.3).
    pub(super) fn stop_wait(&self, i: usize, stop: &Stop) -> Wait {
        let least = std::time::Duration::from_secs(LEAST_GRACE.unsigned_abs());
        let signal = match stop_signal(&self.containers[i]) {
            StopSignal::OfImage => "stop signal".to_owned(),
            StopSignal::Named(name) => name,
        };
        let mut wait = match stop.stage {
            StopStage::PreStop {
                since,
                until,
                wakes,
                ..
            } => {
                let text = "its preStop hook to end";
                let wait = Wait::new(WaitKind::PreStop, since, text);
                // A sleep ends by itself, and not after the grace.
                let wait = match wakes.filter(|wakes| *wakes < until) {
                    Some(wakes) => wait.then(wakes, "its end"),
                    None => wait.with(until, &signal, Some(false)),
                };
                wait.with(until + least, "SIGKILL", Some(false))
            }
            StopStage::Turn { since, until } => {
                let others = self.order.before(i).iter();
                let others: Vec<&str> = others
                    .filter(|&&other| !self.has_stopped(other))
                    .map(|&other| self.containers[other].name())
                    .collect();
                let text = format!("{} to stop first, as sidecars do", list(&others));
                Wait::new(WaitKind::StopTurn, since, text)
                    .with(until, &signal, Some(false))
                    .with(until + least, "SIGKILL", Some(false))
            }
            StopStage::Term { since, kill_at } => {
                let text = format!("its own end after the {signal}");
                Wait::new(WaitKind::Termination, since, text).then(kill_at, "SIGKILL")
            }
            StopStage::Killed { since } => {
                Wait::new(WaitKind::Termination, since, "its end after SIGKILL")
            }
            StopStage::Done => Wait::new(WaitKind::Termination, self.now, "the others' end"),
        };
        if let Some(shorter) = self.deletion.and_then(|deletion| deletion.too_late) {
            let late = format!("; {shorter} s of grace were asked for too late for it");
            wait.text.push_str(&late);
        }
        wait
    }
}

pub(super) fn start_wait(starting: &Starting) -> Wait {
    match &starting.stage {
        StartStage::Asked => {
            let text = "its image, its creation and its start";
            Wait::new(WaitKind::Start, starting.since, text)
        }
        StartStage::PostStart { since, until } => {
            let text = "its postStart hook to end, which the whole Pod waits for";
            Wait::new(WaitKind::PostStart, *since, text).then_at(*until, "its end")
        }
        StartStage::Killing(error) => {
            let text = format!("its end, since its postStart hook failed: {error}");
            Wait::new(WaitKind::Termination, starting.since, text)
        }
    }
}

pub(super) fn failure_wait(container: &Container, failure: &Failure) -> Wait {
    let Failure {
        reason, message, ..
    } = failure;
    let (kind, text) = match *reason {
        "CrashLoopBackOff" => {
            let code = container.ended().map(|end| end.exit.code);
            let code = code.map(|code| format!(" after its exit with code {code}"));
            let n = container.restart_count().saturating_add(1);
            let text = format!("restart {n}{}: CrashLoopBackOff", code.unwrap_or_default());
            (WaitKind::RestartBackOff, text)
        }
        "ErrImagePull" | "ImagePullBackOff" => (
            WaitKind::ImageBackOff,
            format!("its image: {reason}: {message}"),
        ),
        crate::restart_all::REASON => {
            let text = "the restart of all containers that an exit asked for";
            (WaitKind::RestartAll, text.to_owned())
        }
        _ => (
            WaitKind::StartRetry,
            format!("its start: {reason}: {message}"),
        ),
    };
    Wait::new(kind, failure.first, text).then_at(failure.retry_at, "next attempt")
}

/// An init container ends; others become started, then ready; and a liveness probe that fails may end them.
pub(super) fn running_waits(container: &Container, now: Time) -> Vec<Wait> {
    let run = container.run.as_ref();
    let since = run.and_then(|run| run.started_at).unwrap_or(now);
    if container.role == Role::Init {
        let text = "its own exit with code 0, as an init container";
        return vec![Wait::new(WaitKind::Exit, since, text)];
    }
    if !container.is_started() {
        let startup = container.worker(ProbeKind::Startup);
        return startup
            .map(|worker| probe_wait(worker, since, false))
            .into_iter()
            .collect();
    }
    let started = container.worker(ProbeKind::Startup);
    let since = since.max(
        started
            .and_then(|worker| worker.changed_at)
            .unwrap_or(since),
    );
    let readiness = container.worker(ProbeKind::Readiness);
    let readiness = readiness.filter(|_| !container.is_ready()).map(|worker| {
        let since = since.max(worker.changed_at.unwrap_or(since));
        probe_wait(worker, since, true)
    });
    let liveness = container.worker(ProbeKind::Liveness);
    let failing = |worker: &&Worker| matches!(worker.streak(), Some((false, 1..)));
    let liveness = liveness
        .filter(failing)
        .filter(|worker| worker.due(true).is_some() || worker.running_since().is_some());
    let liveness =
        liveness.map(|worker| probe_wait(worker, worker.streak_since.unwrap_or(since), true));
    readiness.into_iter().chain(liveness).collect()
}

/// What a probe still needs, what it said last, and when its next run comes.
fn probe_wait(worker: &Worker, since: Time, started: bool) -> Wait {
    let settings = &worker.settings;
    let (kind, name) = match worker.kind {
        ProbeKind::Startup => (WaitKind::StartupProbe, "startup"),
        ProbeKind::Readiness => (WaitKind::ReadinessProbe, "readiness"),
        ProbeKind::Liveness => (WaitKind::LivenessProbe, "liveness"),
    };
    let mut text = format!("its {name} probe to succeed");
    // For readiness nothing more comes of failures once they count.
    let decides = worker.kind != ProbeKind::Readiness;
    match worker.streak() {
        Some((true, n @ 1..)) if n < settings.success_threshold => {
            text.push_str(&format!(
                ", {n} of {} times so far",
                settings.success_threshold
            ));
        }
        Some((false, n @ 1..)) => {
            let of = if decides {
                format!(" of {}", settings.failure_threshold)
            } else {
                String::new()
            };
            let times = if n == 1 && !decides {
                "once"
            } else if decides {
                "times"
            } else {
                "times in a row"
            };
            let n = if times == "once" {
                String::new()
            } else {
                format!("{n}{of} ")
            };
            text.push_str(&format!("; it failed {n}{times}"));
        }
        _ => {}
    }
    if let Some(output) = &worker.last_failure {
        let output = output.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!(": {}", message::cut(&output, OUTPUT_BYTES)));
    }
    let mut wait = Wait::new(kind, since, text);
    let next = match worker.running_since() {
        Some(running) => {
            // R5.14: it has failed when it takes longer.
            let timeout = running + settings.timeout;
            wait = wait.with(timeout, "answer to the run under way", Some(false));
            running
        }
        None => {
            let due = worker.due(started);
            wait = wait.then_at(due, "next run");
            match due {
                Some(due) => due,
                None => return wait,
            }
        }
    };
    if decides {
        let failures = match worker.streak() {
            Some((false, n)) => n,
            _ => 0,
        };
        // The next run counts, and then one each period.
        let more = settings
            .failure_threshold
            .saturating_sub(failures)
            .saturating_sub(1);
        wait = wait.with(next + settings.period * more, "restart", Some(true));
    }
    wait
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => "others".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
