//! Stopping containers: preStop, the turn of a sidecar, the stop signal, SIGKILL (section 8).
//!
//! A [`Stop`] is what upstream's `killContainer` does for one container, as a state machine; its
//! accounting in whole seconds is kept (R8.3).

use std::time::Duration;

use manifest::core::v1::LifecycleHandler;
use serde::{Deserialize, Serialize};

use crate::container::{Container, Role};
use crate::hook::HookStart;
use crate::machine::Machine;
use crate::protocol::{Action, HookKind, ProbeKind, StopSignal};
use crate::{Time, events};

/// Least seconds between the stop signal and SIGKILL (R8.3).
pub(crate) const LEAST_GRACE: i64 = 2;

/// The stop of one container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stop {
    /// Seconds left.
    grace: i64,
    /// Whether it waits for its turn (R8.6).
    ordered: bool,
    pub(crate) stage: StopStage,
}

/// How far a stop is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StopStage {
    /// The preStop hook runs, until it ends or the grace does.
    PreStop {
        since: Time,
        until: Time,
        /// End of a sleep hook.
        wakes: Option<Time>,
        finished: bool,
    },
    /// Others must stop first.
    Turn { since: Time, until: Time },
    /// The stop signal was sent.
    Term { since: Time, kill_at: Time },
    /// SIGKILL was sent.
    Killed { since: Time },
    /// The container is down and everybody was told.
    Done,
}

impl Stop {
    /// A stop that goes straight to SIGKILL.
    pub(crate) fn at_once(now: Time) -> Self {
        Self {
            grace: 0,
            ordered: false,
            stage: StopStage::Term {
                since: now,
                kill_at: now,
            },
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stage == StopStage::Done
    }

    /// When time moves this stop on.
    pub(crate) fn due(&self) -> Option<Time> {
        match self.stage {
            StopStage::PreStop { until, wakes, .. } => Some(wakes.map_or(until, |t| t.min(until))),
            StopStage::Turn { until, .. } => Some(until),
            StopStage::Term { kill_at, .. } => Some(kill_at),
            StopStage::Killed { .. } | StopStage::Done => None,
        }
    }
}

/// Who waits for whom when the whole Pod stops, fixed when that began (R8.6, R8.7).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TerminationOrder {
    /// By container: those that must be done before its stop signal.
    before: Vec<Vec<usize>>,
}

impl TerminationOrder {
    /// As upstream's `newTerminationOrdering`: every sidecar waits for the running apps and for the
    /// sidecar right after it, if that runs; if it does not, nobody further on is waited for.
    pub(crate) fn new(containers: &[Container]) -> Self {
        let running = |&i: &usize| containers[i].live().is_some();
        let apps = (0..containers.len()).filter(|&i| containers[i].role == Role::App);
        let apps: Vec<usize> = apps.filter(running).collect();
        let mut before = vec![Vec::new(); containers.len()];
        let mut next = None;
        for i in (0..containers.len())
            .rev()
            .filter(|&i| containers[i].role == Role::Sidecar)
        {
            before[i] = apps.iter().copied().chain(next.filter(running)).collect();
            next = Some(i);
        }
        Self { before }
    }

    /// Those that this container waits for.
    pub(crate) fn before(&self, container: usize) -> &[usize] {
        self.before.get(container).map_or(&[], Vec::as_slice)
    }
}

impl Machine {
    /// Begins to stop every running container in order, with this grace (R8.2).
    pub(crate) fn begin_stop_all(&mut self, grace: i64) -> Vec<usize> {
        self.order = TerminationOrder::new(&self.containers);
        let live: Vec<usize> = self.live_indices().collect();
        for &i in &live {
            // SIGKILL is on its way already when the Pod is to be gone at once.
            if !(self.kill_now && self.containers[i].stop.is_some()) {
                self.begin_stop(i, grace, true, None);
            }
        }
        live
    }

    /// Begins to stop one container.
    pub(crate) fn begin_stop(&mut self, i: usize, grace: i64, ordered: bool, why: Option<&str>) {
        let now = self.now;
        let default = format!("Stopping container {}", self.containers[i].name());
        let event = events::killing(self.containers[i].name(), why.unwrap_or(&default));
        self.emit(event);
        let mut stop = Stop {
            grace,
            ordered,
            stage: StopStage::Done,
        };
        // R7.7: without grace there is no preStop.
        match pre_stop(&self.containers[i])
            .filter(|_| grace > 0 && !self.kill_now)
            .cloned()
        {
            Some(hook) => {
                let until = after_seconds(now, grace);
                let start = self.begin_hook(i, HookKind::PreStop, &hook);
                let wakes = if let HookStart::Sleeps(until) = start {
                    Some(until)
                } else {
                    None
                };
                stop.stage = StopStage::PreStop {
                    since: now,
                    until,
                    wakes,
                    finished: false,
                };
                self.containers[i].stop = Some(stop);
                if let HookStart::Failed(error) = start {
                    self.pre_stop_done(i, &Err(error));
                }
            }
            None => {
                self.containers[i].stop = Some(stop);
                self.take_turn(i);
            }
        }
        if self.kill_now {
            self.kill(i);
        }
    }

    /// Stops one container without hook and grace, as RestartAllContainers does (R20.9).
    pub(crate) fn begin_quick_stop(&mut self, i: usize) {
        // The word that a kubelet gives its `killContainer` here.
        let event = events::killing(self.containers[i].name(), "killing");
        self.emit(event);
        self.containers[i].stop = Some(Stop {
            grace: 0,
            ordered: false,
            stage: StopStage::Done,
        });
        self.signal(i);
        if self.kill_now {
            self.kill(i);
        }
    }

    /// The preStop hook is over: a sidecar waits for its turn, the others get their signal. Without
    /// grace left nobody waits (R8.8).
    fn take_turn(&mut self, i: usize) {
        let now = self.now;
        let Some(stop) = &mut self.containers[i].stop else {
            return;
        };
        if stop.ordered && stop.grace > 0 {
            stop.stage = StopStage::Turn {
                since: now,
                until: after_seconds(now, stop.grace),
            };
        } else {
            self.signal(i);
        }
    }

    /// Sends the stop signal, unless the container is down already.
    fn signal(&mut self, i: usize) {
        let now = self.now;
        let container = &mut self.containers[i];
        let Some(stop) = &mut container.stop else {
            return;
        };
        stop.grace = stop.grace.max(LEAST_GRACE);
        stop.stage = StopStage::Term {
            since: now,
            kill_at: after_seconds(now, stop.grace),
        };
        let kill_now = self.kill_now;
        if let Some(run) = container.live().filter(|_| !kill_now) {
            let (name, instance) = (container.spec.name.clone(), run.instance);
            let signal = stop_signal(container);
            self.act(Action::Stop {
                container: name,
                instance,
                signal,
            });
        }
    }

    /// Sends SIGKILL once.
    pub(crate) fn kill(&mut self, i: usize) {
        let now = self.now;
        let container = &mut self.containers[i];
        let Some(stop) = &mut container.stop else {
            return;
        };
        if matches!(stop.stage, StopStage::Killed { .. } | StopStage::Done) {
            return;
        }
        stop.stage = StopStage::Killed { since: now };
        if let Some(run) = container.live() {
            let (container, instance) = (container.spec.name.clone(), run.instance);
            self.act(Action::Kill {
                container,
                instance,
            });
        }
    }

    /// Moves every stop as far as it goes; says whether any moved.
    pub(crate) fn advance_stops(&mut self) -> bool {
        let mut moved = false;
        for i in 0..self.containers.len() {
            while self.advance_stop(i) {
                moved = true;
            }
        }
        moved
    }

    fn advance_stop(&mut self, i: usize) -> bool {
        let now = self.now;
        let down = self.containers[i].live().is_none();
        let turn_came = self
            .order
            .before(i)
            .iter()
            .all(|&other| self.has_stopped(other));
        let Some(stop) = &mut self.containers[i].stop else {
            return false;
        };
        match stop.stage {
            StopStage::PreStop {
                since,
                until,
                wakes,
                finished,
            } => {
                if !finished && until > now && wakes.is_none_or(|t| t > now) {
                    return false;
                }
                stop.grace = stop.grace.saturating_sub(whole_seconds(now - since));
                self.take_turn(i);
            }
            StopStage::Turn { since, until } => {
                if !turn_came && until > now {
                    return false;
                }
                stop.grace = stop.grace.saturating_sub(whole_seconds(now - since));
                self.signal(i);
            }
            StopStage::Term { kill_at, .. } => {
                if down {
                    self.finish_stop(i);
                } else if kill_at <= now {
                    self.kill(i);
                } else {
                    return false;
                }
            }
            StopStage::Killed { .. } => {
                if !down {
                    return false;
                }
                self.finish_stop(i);
            }
            StopStage::Done => return false,
        }
        true
    }

    fn finish_stop(&mut self, i: usize) {
        if let Some(stop) = &mut self.containers[i].stop {
            stop.stage = StopStage::Done;
        }
        self.cancel_hook(i);
    }

    /// Whether others need not wait for this container any more. One that died keeps them waiting until
    /// its own turn came (R8.6).
    pub(crate) fn has_stopped(&self, i: usize) -> bool {
        match &self.containers[i].stop {
            Some(stop) => stop.is_done(),
            None => self.containers[i].live().is_none(),
        }
    }

    /// Seconds that a container gets which a probe or a failed hook kills (R8.13, R8.14).
    pub(crate) fn single_grace(&self, i: usize, probe: Option<ProbeKind>) -> i64 {
        if let Some(deletion) = &self.deletion {
            return deletion.grace;
        }
        // Where the Pod has none, that of a probe does not count either (R8.14).
        let Some(of_pod) = self.pod.spec.termination_grace_period_seconds else {
            return LEAST_GRACE;
        };
        let spec = &self.containers[i].spec;
        let probe = probe.and_then(|kind| crate::container::probe_of(spec, kind));
        probe
            .and_then(|probe| probe.termination_grace_period_seconds)
            .unwrap_or(of_pod)
    }

    /// The Pod's own grace (R8.14).
    pub(crate) fn spec_grace(&self) -> i64 {
        self.pod
            .spec
            .termination_grace_period_seconds
            .unwrap_or(LEAST_GRACE)
    }

    pub(crate) fn live_indices(&self) -> impl Iterator<Item = usize> {
        (0..self.containers.len()).filter(|&i| self.containers[i].live().is_some())
    }
}

/// A container's preStop hook.
fn pre_stop(container: &Container) -> Option<&LifecycleHandler> {
    container.spec.lifecycle.as_ref()?.pre_stop.as_ref()
}

/// The container's stop signal (R8.18).
pub(crate) fn stop_signal(container: &Container) -> StopSignal {
    let lifecycle = container.spec.lifecycle.as_ref();
    let named = lifecycle
        .and_then(|l| l.stop_signal.clone())
        .filter(|name| !name.is_empty());
    named.map_or(StopSignal::OfImage, StopSignal::Named)
}

/// Whole seconds of a wait, cut off (R8.3).
fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn after_seconds(now: Time, seconds: i64) -> Time {
    Time(now.0.saturating_add(seconds.max(0).saturating_mul(1000)))
}
