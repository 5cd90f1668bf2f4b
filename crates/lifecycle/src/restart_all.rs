//! RestartAllContainers: one container's exit restarts them all in place (R20.7 to R20.13).

use std::time::Duration;

use manifest::core::v1::ContainerRestartRuleAction as RuleAction;

use crate::container::{Container, End, Failure, Run};
use crate::machine::Machine;
use crate::protocol::Exit;
use crate::{Time, restart};

/// Reason of the waiting state, and of `lastState` afterwards (R20.8).
pub(crate) const REASON: &str = "RestartingAllContainers";
const MESSAGE: &str = "The container is removed because RestartAllContainers in place";
/// Least time between the end of one restart of all and the begin of the next. Upstream has no back-off here
/// (R20.12) and is kept from spinning by its own slowness; this is as long as it takes to notice an exit.
const PAUSE: Duration = Duration::from_secs(1);
/// SIGKILL, whatever the container really ended with (R20.8).
const CODE: i32 = 137;

impl Machine {
    /// The container whose exit asks for it. The records of a restart are removed, so that no exit is
    /// looked at twice (R20.11).
    pub(crate) fn restart_all_trigger(&self) -> Option<usize> {
        self.containers.iter().position(asks_for_it)
    }

    /// When the trigger's wish may be followed, if that is not now.
    pub(crate) fn restart_all_pause(&self) -> Option<Time> {
        self.restart_all_trigger()?;
        self.restarted_all_at
            .map(|at| at + PAUSE)
            .filter(|&until| until > self.now)
    }

    /// The order in which containers are stopped and forgotten: apps, then init entries, each in list
    /// order, and last, in the same order, those whose exit asked for it (R20.9).
    pub(crate) fn restart_all_queue(&self, trigger: usize) -> Vec<usize> {
        let apps = self.inits..self.containers.len();
        let asks = |&i: &usize| i == trigger || asks_for_it(&self.containers[i]);
        let (sources, mut queue): (Vec<_>, Vec<_>) = apps.chain(0..self.inits).partition(asks);
        queue.extend(sources);
        queue
    }

    /// Begins with the next container: stops it if it runs. Says whether there is anything to wait for.
    pub(crate) fn restart_all_begin(&mut self, i: usize) -> bool {
        if self.containers[i].live().is_none() {
            return false;
        }
        self.begin_quick_stop(i);
        true
    }

    /// Forgets the records of a container that is down (R20.8).
    pub(crate) fn restart_all_forget(&mut self, i: usize) {
        let now = self.now;
        let container = &mut self.containers[i];
        container.stop = None;
        for worker in &mut container.workers {
            worker.detach();
        }
        let Some(run) = container.run.take() else {
            return;
        };
        container.next_instance = run.instance.saturating_add(1);
        let mut removed: Vec<_> = container.previous.take().into_iter().collect();
        container.previous = Some(Run {
            end: Some(End {
                at: None,
                exit: Exit {
                    code: CODE,
                    ..Exit::default()
                },
                reason: REASON.into(),
                message: Some(MESSAGE.to_owned()),
            }),
            started_at: None,
            hook: None,
            ..run.clone()
        });
        container.failure = Some(Failure {
            reason: REASON,
            message: MESSAGE.to_owned(),
            since: now,
            first: now,
            retry_at: None,
        });
        removed.push(run);
        for run in removed {
            self.remove_run(i, Some(run));
        }
    }

    /// All records are gone: the Pod starts again from its first entry.
    pub(crate) fn restart_all_end(&mut self) {
        self.restarting_all = false;
        self.restarted_all_at = Some(self.now);
        for container in &mut self.containers {
            container.failure = container.failure.take().filter(|f| f.reason != REASON);
        }
        self.dirty = true;
    }
}

/// Whether a container's end matches a rule that restarts all.
fn asks_for_it(container: &Container) -> bool {
    container.ended().is_some_and(|end| {
        let action = restart::rule_action(&container.spec, end.exit.code);
        action == Some(RuleAction::RestartAllContainers)
    })
}
