//! A machine for a Pod whose runner died, by SIGKILL or with the machine (R1.11, R21.2).
//!
//! Containers die with their runner, and so does the sandbox. What is left is the Pod object with the status
//! that was recorded last, and that is all that is needed. What only the runner knew begins anew, as it does when a
//! kubelet restarts: back-off ladders, counts of probes.
//!
//! The record may be older than the truth: a run can begin before anybody could write it down. Its log
//! file is the proof of it, see [`Machine::note_run`].

use std::sync::Arc;

use manifest::core::v1::{ContainerStatus, Pod, PodPhase, PodStatus, RestartPolicy};

use crate::container::{Container, End, Role, Run};
use crate::machine::{Deletion, Machine, Options, Stage};
use crate::phase::Outcome;
use crate::protocol::{Exit, Instance};
use crate::restart_all::REASON as RESTARTING_ALL;
use crate::sandbox::SandboxState;
use crate::status::{UNKNOWN, UNKNOWN_CODE, UNKNOWN_MESSAGE};
use crate::{Time, restart};

/// The kubelet's text about a container that ran when it was lost and that is started again.
const LOST_MESSAGE: &str = "The container could not be located when the pod was deleted.  \
                            The container used to be Running";

impl Machine {
    /// Takes over a Pod whose runner, sandbox and processes are gone. `pod` carries the last recorded status.
    ///
    /// - A Pod that had Succeeded or Failed is finished, with that status.
    /// - With a recorded `deletionTimestamp` nothing is started, and the Pod ends.
    /// - With the policy `Never` nothing is started again once a container has run (R21.2): the Pod ends.
    /// - Otherwise all starts anew from the first entry in a new sandbox (R1.11). Apps that are not to be
    ///   started again after their recorded end stay as they are.
    ///
    /// `startTime`, restart counts and last states go on from the record.
    #[must_use]
    pub fn restore(pod: Arc<Pod>, options: Options, now: Time) -> Self {
        let record = pod.status.clone().unwrap_or_default();
        let mut machine = Self::new(Arc::clone(&pod), options, now);
        machine.begun = record.start_time.map_or(now, |time| Time::from(time.0));
        if let Some(phase @ (PodPhase::Succeeded | PodPhase::Failed)) = record.phase {
            // R9.8.
            machine.stage = Stage::Finished;
            machine.shown_phase = phase;
            machine.outcome = Some(Outcome {
                phase,
                reason: None,
                message: None,
            });
            machine.final_record = Some(Box::new(record));
            return machine;
        }
        let metadata = &pod.metadata;
        machine.deletion = metadata.deletion_timestamp.map(|_| Deletion {
            grace: metadata.deletion_grace_period_seconds.unwrap_or(1).max(1),
            too_late: None,
        });
        machine.restored = true;
        machine.sandbox.ips = ips(&record);
        for i in 0..machine.containers.len() {
            let name = machine.containers[i].name();
            let statuses = record.init_container_statuses.iter();
            let mut statuses = statuses.chain(&record.container_statuses);
            if let Some(status) = statuses.find(|status| status.name == name) {
                machine.restore_container(i, status);
            }
        }
        let known = |c: &Container| c.run.is_some() || c.previous.is_some();
        if !machine.sandbox.ips.is_empty() || machine.containers.iter().any(known) {
            machine.sandbox.attempts = 1;
            machine.sandbox.state = SandboxState::Stopped;
        }
        machine.shown_phase = record.phase.unwrap_or_default();
        machine.conditions = record.conditions;
        machine.refresh_conditions();
        machine
    }

    /// Says that this run of a container may have begun, whatever the record says: its log file is there.
    /// Its number is not used again, and a process that ran is not taken for one that never did (R21.2).
    ///
    /// To be called right after [`Machine::restore`], for the newest run of each container. A run that the record
    /// knows changes nothing.
    pub fn note_run(&mut self, container: &str, instance: Instance) {
        if !self.restored {
            return;
        }
        let found = self.containers.iter().position(|c| c.name() == container);
        let Some(i) = found.filter(|&i| instance >= self.containers[i].next_instance) else {
            return;
        };
        let mut run = Run::new(instance, &self.containers[i].spec);
        run.started_at = Some(self.begun);
        self.lose(i, run);
        self.sandbox.attempts = 1;
        self.sandbox.state = SandboxState::Stopped;
        self.refresh_conditions();
    }

    fn restore_container(&mut self, i: usize, status: &ContainerStatus) {
        let count = Instance::try_from(status.restart_count).unwrap_or(0);
        let (state, last) = (status.state.as_ref(), status.last_state.as_ref());
        let container = &mut self.containers[i];
        let recorded = |instance| Run {
            container_id: status.container_id.clone().unwrap_or_default(),
            image_id: status.image_id.clone(),
            image: status.image.clone(),
            sandbox: 1,
            ..Run::new(instance, &container.spec)
        };
        let ended = |instance, terminated: &_| Run::ended(recorded(instance), terminated);
        let last = last.and_then(|last| last.terminated.as_ref());
        container.previous = last.map(|end| ended(count.saturating_sub(1), end));
        container.next_instance = count;
        let waiting = state.and_then(|state| state.waiting.as_ref());
        let waiting = waiting.and_then(|waiting| waiting.reason.as_deref());
        let mut lost = None;
        if let Some(end) = state.and_then(|state| state.terminated.as_ref()) {
            container.run = Some(ended(count, end));
        } else if let Some(running) = state.and_then(|state| state.running.as_ref()) {
            lost = Some(Run {
                started_at: Some(running.started_at.map_or(self.begun, |t| Time::from(t.0))),
                ..recorded(count)
            });
        } else if !matches!(
            waiting,
            None | Some("PodInitializing" | "ContainerCreating" | RESTARTING_ALL)
        ) {
            // It waits for a restart: the last state is that of the run which the count counts. After a restart
            // of all it may be the one before, and a number is left out.
            container.run = last.map(|end| ended(count, end));
            container.previous = None;
        }
        if let Some(run) = &container.run {
            container.next_instance = run.instance.saturating_add(1);
        }
        self.app_was_started |=
            container.role == Role::App && (lost.is_some() || container.has_record());
        if let Some(run) = lost {
            self.lose(i, run);
        }
    }

    /// Notes the end of a run that nobody saw end. One that is to be started again is shown as waiting for
    /// that, with this end as its last state, as the kubelet does; any other is shown ended.
    fn lose(&mut self, i: usize, mut run: Run) {
        let pod = &self.pod.spec;
        let container = &mut self.containers[i];
        let restarts = match container.role {
            Role::Init => restart::init_retries_after(&container.spec, pod, UNKNOWN_CODE),
            _ => restart::restarts_after(&container.spec, pod, UNKNOWN_CODE),
        };
        let stays = self.deletion.is_some() || restart::pod_policy(pod) == RestartPolicy::Never;
        let again = restarts && !stays;
        let message = if again { LOST_MESSAGE } else { UNKNOWN_MESSAGE };
        run.end = Some(End {
            at: None,
            exit: Exit {
                code: UNKNOWN_CODE,
                ..Exit::default()
            },
            reason: UNKNOWN.into(),
            message: Some(message.to_owned()),
        });
        self.app_was_started |= container.role == Role::App;
        container.next_instance = run.instance.saturating_add(1);
        if container.run.is_some() {
            self.forget_record(i);
        }
        self.containers[i].run = Some(run);
        if again {
            self.forget_record(i);
        }
    }

    /// Whether a restored Pod is not started again: it is over once it ran and its policy is `Never` (R21.2).
    pub(crate) fn stays_down(&self) -> bool {
        self.restored
            && restart::pod_policy(&self.pod.spec) == RestartPolicy::Never
            && self
                .containers
                .iter()
                .any(|container| container.run.is_some())
    }
}

impl Container {
    fn has_record(&self) -> bool {
        self.run.is_some() || self.previous.is_some()
    }
}

impl Run {
    fn ended(run: Run, end: &manifest::core::v1::ContainerStateTerminated) -> Self {
        let reason = end.reason.clone().unwrap_or_default();
        let time = |time: Option<manifest::meta::v1::Time>| time.map(|t| Time::from(t.0));
        Self {
            container_id: end.container_id.clone().unwrap_or(run.container_id),
            started_at: time(end.started_at),
            end: Some(End {
                at: time(end.finished_at),
                exit: Exit {
                    code: end.exit_code,
                    signal: end.signal,
                    oom_killed: reason == "OOMKilled",
                },
                reason: reason.into(),
                message: end.message.clone(),
            }),
            ..run
        }
    }
}

fn ips(record: &PodStatus) -> Vec<std::net::IpAddr> {
    let ips = record.pod_ips.iter();
    ips.filter_map(|ip| ip.ip.parse().ok()).collect()
}
