//! What a sync is to do: which containers to stop and to start (sections 1, 2, 4).
//!
//! Upstream reconciles a Pod in passes: look, decide, then do everything decided, one step after the
//! other, each waiting for its end. Much that can be observed follows from that form (a postStart hook
//! holds up the whole Pod, a deletion waits for the pass under way), so it is kept: [`Machine::plan`]
//! decides, after `computePodActions` and `computeInitContainerActions`; `start.rs` and `terminate.rs`
//! do. What is not kept is the waiting between passes: the next one begins as soon as something changed.

use std::collections::VecDeque;

use manifest::core::v1::RestartPolicy;
use serde::{Deserialize, Serialize};

use crate::container::{Container, End, Role, Run};
use crate::machine::Machine;
use crate::protocol::ProbeKind;
use crate::sandbox::SandboxState;
use crate::{Time, restart};

#[cfg(test)]
mod upstream;

/// One step of a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Make the sandbox; without it the sync ends.
    CreateSandbox,
    /// Stop the whole Pod in order.
    StopAll {
        /// Seconds.
        grace: i64,
    },
    /// Take the sandbox down.
    StopSandbox,
    /// Stop single containers.
    Stop(Vec<SingleStop>),
    /// Start a container.
    Start {
        /// Which one.
        index: usize,
        /// When its newest run ended that was known before this sync stopped any: what back-off is
        /// counted from (R3.8).
        ended: Option<Time>,
    },
    /// Stop all containers one by one and forget their records (R20.9).
    RestartAll {
        /// Whose exit asked for it.
        trigger: usize,
    },
}

/// A container to be stopped by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SingleStop {
    pub(crate) index: usize,
    /// Message of the event.
    pub(crate) why: String,
    /// The probe that failed, if that is why.
    pub(crate) probe: Option<ProbeKind>,
}

/// What [`Machine::plan`] collects.
#[derive(Default)]
struct Plan {
    stops: Vec<SingleStop>,
    inits: Vec<usize>,
    apps: Vec<usize>,
    stop_pod: bool,
}

impl Machine {
    /// The steps that the Pod's state asks for now.
    pub(crate) fn plan(&self) -> VecDeque<Step> {
        if let Some(trigger) = self.restart_all_trigger() {
            return VecDeque::from([Step::RestartAll { trigger }]);
        }
        if self.sandbox.state != SandboxState::Ready {
            return self.plan_new_sandbox();
        }
        let mut plan = Plan::default();
        if self.apps_are_over() {
            plan.stop_pod = true;
        } else if self.plan_inits(&mut plan) && !plan.stop_pod {
            self.plan_apps(&mut plan);
        }
        if plan.stop_pod {
            return VecDeque::from([
                Step::StopAll {
                    grace: self.spec_grace(),
                },
                Step::StopSandbox,
            ]);
        }
        let mut steps = VecDeque::new();
        let starts = plan.inits.into_iter().chain(plan.apps);
        let starts = starts
            .map(|index| self.start_step(index))
            .collect::<Vec<_>>();
        if !plan.stops.is_empty() {
            steps.push_back(Step::Stop(plan.stops));
        }
        steps.extend(starts);
        steps
    }

    fn start_step(&self, index: usize) -> Step {
        Step::Start {
            index,
            ended: self.containers[index].newest_end(),
        }
    }

    /// The first sandbox, or one that replaces a dead one: everything starts from the first entry
    /// (R1.11), but not in a Pod that is never to be restarted (R21.2).
    fn plan_new_sandbox(&self) -> VecDeque<Step> {
        let policy = restart::pod_policy(&self.pod.spec);
        let known = self
            .containers
            .iter()
            .any(|container| container.run.is_some());
        if policy == RestartPolicy::Never && self.sandbox.attempts > 0 && known {
            return VecDeque::new();
        }
        // R1.2: stopped for an init that ran out of memory and may not be tried again.
        if self.containers[..self.inits]
            .iter()
            .any(|init| self.failed_for_good(init))
        {
            return VecDeque::new();
        }
        if self.sandbox.retry_at.is_some_and(|at| at > self.now) {
            return VecDeque::new();
        }
        // What ended for good stays so (R3.1); if that is all, there is nothing to make a sandbox for (R21.2).
        let due = |&i: &usize| {
            let app = &self.containers[i];
            app.ended().is_none() || self.restarts(app)
        };
        let due = (self.inits..self.containers.len()).filter(due);
        let due = due.map(|i| self.start_step(i)).collect::<Vec<_>>();
        if due.is_empty() {
            return VecDeque::new();
        }
        let mut steps = VecDeque::new();
        if self.live_indices().next().is_some() {
            steps.push_back(Step::StopAll {
                grace: self.spec_grace(),
            });
        }
        steps.push_back(Step::CreateSandbox);
        if self.inits > 0 {
            steps.push_back(self.start_step(0));
        } else {
            steps.extend(due);
        }
        steps
    }

    /// Whether all apps ran in this sandbox and ended for good: sidecars are not started again then,
    /// even when the last entry is one that is down (R4.2, without upstream's oddity).
    fn apps_are_over(&self) -> bool {
        self.containers[self.inits..].iter().all(|app| {
            let here = |run: &Run| run.sandbox == self.sandbox.attempts;
            app.run.as_ref().is_some_and(here) && app.ended().is_some() && !self.restarts(app)
        })
    }

    /// Whether a container has ended and its policy or a rule starts it again (R3.1).
    pub(crate) fn restarts(&self, container: &Container) -> bool {
        let pod = &self.pod.spec;
        let again = |end: &End| restart::restarts_after(&container.spec, pod, end.exit.code);
        container.ended().is_some_and(again)
    }

    /// Looks at the entries of `initContainers` from the last to the first; the last one with a record
    /// is the frontier (R1.9). Says whether the Pod is initialized.
    fn plan_inits(&self, plan: &mut Plan) -> bool {
        if self.inits == 0 {
            return true;
        }
        // R1.10: an app that runs proves it, one that ended does not.
        let mut initialized = self.containers[self.inits..]
            .iter()
            .any(Container::is_running);
        let mut before_frontier = initialized;
        for i in (0..self.inits).rev() {
            let container = &self.containers[i];
            let sidecar = container.role == Role::Sidecar;
            if container.run.is_none() {
                // Started before and its record gone.
                if before_frontier && sidecar {
                    plan.inits.push(i);
                }
                continue;
            }
            if before_frontier && !sidecar {
                continue;
            }
            let up = if sidecar {
                self.plan_sidecar(i, plan)
            } else {
                match self.plan_init(i, plan) {
                    Some(done) => done,
                    None => return false,
                }
            };
            if up {
                if i + 1 == self.inits {
                    initialized = true;
                } else if !before_frontier {
                    plan.inits.push(i + 1);
                }
            }
            before_frontier = true;
        }
        if !before_frontier {
            plan.inits.push(0);
        }
        plan.inits.sort_unstable();
        plan.inits.dedup();
        initialized
    }

    /// An init container with a record. Says whether it is done; nothing when the Pod has failed
    /// (R2.1).
    fn plan_init(&self, i: usize, plan: &mut Plan) -> Option<bool> {
        let init = &self.containers[i];
        if init.ended().is_none() {
            return Some(false);
        }
        if init.is_done() {
            return Some(true);
        }
        if self.failed_for_good(init) {
            *plan = Plan {
                stop_pod: true,
                ..Plan::default()
            };
            return None;
        }
        plan.inits.push(i);
        Some(false)
    }

    /// Whether an init container ended without doing its work and is not tried again (R2.1).
    pub(crate) fn failed_for_good(&self, init: &Container) -> bool {
        let pod = &self.pod.spec;
        let retries = |end: &End| restart::init_retries_after(&init.spec, pod, end.exit.code);
        init.role == Role::Init && !init.is_done() && init.ended().is_some_and(|end| !retries(end))
    }

    /// A sidecar with a record. Says whether it is initialized (R1.3).
    fn plan_sidecar(&self, i: usize, plan: &mut Plan) -> bool {
        let sidecar = &self.containers[i];
        let name = sidecar.name();
        if !sidecar.is_running() {
            plan.inits.push(i);
            return false;
        }
        if !sidecar.is_started() {
            // R2.6.
            if sidecar.probe_failed(ProbeKind::Startup) {
                let why = format!("Init container {name} failed startup probe");
                plan.restart_sidecar(i, why, Some(ProbeKind::Startup));
            }
            return false;
        }
        if sidecar.definition_changed() {
            plan.restart_sidecar(i, format!("Init container {name} definition changed"), None);
        } else if sidecar.probe_failed(ProbeKind::Liveness) {
            // R2.7: restarted, and what comes after it starts all the same.
            let why = format!("Init container {name} failed liveness probe");
            plan.restart_sidecar(i, why, Some(ProbeKind::Liveness));
        }
        true
    }

    /// The apps of an initialized Pod (R1.6, R3.1, R5.14).
    fn plan_apps(&self, plan: &mut Plan) {
        let mut kept = 0;
        for i in self.inits..self.containers.len() {
            let app = &self.containers[i];
            let name = app.name();
            if !app.is_running() {
                let again = app.ended().is_none_or(|end| {
                    restart::restarts_after(&app.spec, &self.pod.spec, end.exit.code)
                });
                if again {
                    plan.apps.push(i);
                }
                continue;
            }
            let mut restarts = restart::restarts_after_probe(&app.spec, &self.pod.spec);
            let (mut why, probe) = if app.definition_changed() {
                restarts = true;
                (format!("Container {name} definition changed"), None)
            } else if app.probe_failed(ProbeKind::Liveness) {
                (
                    format!("Container {name} failed liveness probe"),
                    Some(ProbeKind::Liveness),
                )
            } else if app.probe_failed(ProbeKind::Startup) {
                (
                    format!("Container {name} failed startup probe"),
                    Some(ProbeKind::Startup),
                )
            } else {
                kept += 1;
                continue;
            };
            if restarts {
                why.push_str(", will be restarted");
                plan.apps.push(i);
            }
            plan.stops.push(SingleStop {
                index: i,
                why,
                probe,
            });
        }
        // What a probe kills may yet be restarted by a rule, once its code is known.
        let undecided = plan.stops.iter().any(|stop| {
            let container = &self.containers[stop.index];
            container.role == Role::App && !container.spec.restart_policy_rules.is_empty()
        });
        if kept == 0 && plan.apps.is_empty() && !undecided {
            plan.stop_pod = true;
        }
    }
}

impl Plan {
    fn restart_sidecar(&mut self, index: usize, why: String, probe: Option<ProbeKind>) {
        self.stops.push(SingleStop { index, why, probe });
        self.inits.push(index);
    }
}
