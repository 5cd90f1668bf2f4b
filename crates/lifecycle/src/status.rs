//! The Pod's status: container states, reasons and messages (section 11).

use manifest::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, PodIp, PodPhase, PodStatus, ResourceRequirements,
};

use crate::container::{Container, Role, Run};
use crate::machine::{Machine, Stage};
use crate::restart_all::REASON as RESTARTING_ALL;
use crate::{Time, restart};

/// End of a container of which no end was seen (R8.17).
pub(crate) const UNKNOWN: &str = "ContainerStatusUnknown";
pub(crate) const UNKNOWN_MESSAGE: &str =
    "The container could not be located when the pod was terminated";
pub(crate) const UNKNOWN_CODE: i32 = 137;

/// A container's state and the one before.
struct States {
    state: ContainerState,
    last: Option<ContainerState>,
}

impl Machine {
    /// The Pod's status (sections 9, 10 and 11), without what only the node knows (`hostIP`).
    ///
    /// It depends on what happened, not on the time; `now` is there for what may.
    #[must_use]
    pub fn status(&self, _now: Time) -> PodStatus {
        if let Some(record) = &self.final_record {
            return (**record).clone();
        }
        let spec = &self.pod.spec;
        let (inits, apps) = self.containers.split_at(self.inits);
        let mut init_container_statuses: Vec<_> = inits
            .iter()
            .map(|container| self.container_status(container))
            .collect();
        let mut container_statuses: Vec<_> = apps
            .iter()
            .map(|container| self.container_status(container))
            .collect();
        if self.stage == Stage::Finished {
            self.close(&mut init_container_statuses, &mut container_statuses);
        }
        // R11.11.
        container_statuses.sort_by(|a, b| a.name.cmp(&b.name));
        let requests = manifest::resources::effective_requests(spec);
        let limits = manifest::resources::effective_limits(spec);
        let any = !requests.is_empty() || !limits.is_empty();
        let ips = self
            .sandbox
            .ips
            .iter()
            .map(|ip| PodIp { ip: ip.to_string() });
        PodStatus {
            observed_generation: self.pod.metadata.generation,
            phase: Some(self.shown_phase),
            conditions: self.conditions.clone(),
            reason: self
                .outcome
                .as_ref()
                .and_then(|o| o.reason)
                .map(str::to_owned),
            message: self
                .outcome
                .as_ref()
                .and_then(|o| o.message)
                .map(str::to_owned),
            pod_ip: self.sandbox.ips.first().map(ToString::to_string),
            pod_ips: ips.collect(),
            start_time: Some(self.begun.to_meta()),
            init_container_statuses,
            container_statuses,
            qos_class: Some(manifest::resources::qos_class(spec)),
            allocated_resources: requests.clone(),
            resources: any.then(|| ResourceRequirements {
                requests,
                limits,
                ..ResourceRequirements::default()
            }),
            ..PodStatus::default()
        }
    }

    /// The phase as the status shows it.
    #[must_use]
    pub fn shown_phase(&self) -> PodPhase {
        self.shown_phase
    }

    fn container_status(&self, container: &Container) -> ContainerStatus {
        let States { state, last } = self.states(container);
        let run = container.run.as_ref().or(container.previous.as_ref());
        let requirements = container.spec.resources.as_ref();
        ContainerStatus {
            name: container.spec.name.clone(),
            state: Some(state),
            last_state: last,
            ready: container.is_ready(),
            restart_count: i32::try_from(container.restart_count()).unwrap_or(i32::MAX),
            image: run.map_or_else(|| container.image().to_owned(), |run| run.image.clone()),
            image_id: run.map(|run| run.image_id.clone()).unwrap_or_default(),
            container_id: run
                .map(|run| run.container_id.clone())
                .filter(|id| !id.is_empty()),
            started: Some(container.is_started()),
            allocated_resources: requirements.map(|r| r.requests.clone()).unwrap_or_default(),
            resources: requirements.cloned(),
            ..ContainerStatus::default()
        }
    }

    /// After upstream's `convertToAPIContainerStatuses`.
    fn states(&self, container: &Container) -> States {
        let last = container.previous.as_ref().map(|run| self.terminated(run));
        let Some(run) = &container.run else {
            return States {
                state: self.waiting(container),
                last,
            };
        };
        if run.end.is_none() {
            let started_at = run.started_at.map(Time::to_meta);
            let running = Some(ContainerStateRunning { started_at });
            return States {
                state: ContainerState {
                    running,
                    ..ContainerState::default()
                },
                last,
            };
        }
        // R11.9, R11.10: what will be restarted shows why it was not yet.
        if self.will_restart(container, run) && container.failure.is_some() {
            return States {
                state: self.waiting(container),
                last: Some(self.terminated(run)),
            };
        }
        States {
            state: self.terminated(run),
            last,
        }
    }

    fn will_restart(&self, container: &Container, run: &Run) -> bool {
        let Some(end) = &run.end else { return false };
        let done = container.role == Role::Init && end.exit.code == 0;
        self.deletion.is_none()
            && !done
            && restart::restarts_after(&container.spec, &self.pod.spec, end.exit.code)
    }

    fn waiting(&self, container: &Container) -> ContainerState {
        // R1.12: until there is something better to say.
        let default = if self.inits > 0 {
            "PodInitializing"
        } else {
            "ContainerCreating"
        };
        let failure = container.failure.as_ref().filter(|f| {
            let restarting_all = self.restarting_all && f.reason == RESTARTING_ALL;
            self.deletion.is_none() || restarting_all
        });
        let waiting = ContainerStateWaiting {
            reason: Some(failure.map_or(default, |failure| failure.reason).to_owned()),
            message: failure
                .map(|f| f.message.clone())
                .filter(|message| !message.is_empty()),
        };
        ContainerState {
            waiting: Some(waiting),
            ..ContainerState::default()
        }
    }

    fn terminated(&self, run: &Run) -> ContainerState {
        let Some(end) = &run.end else {
            return ContainerState::default();
        };
        let terminated = ContainerStateTerminated {
            exit_code: end.exit.code,
            // The kubelet leaves `signal` unset; the code says it.
            signal: None,
            reason: Some(end.reason.to_string()),
            message: self.shown_message(end.message.as_deref()),
            started_at: run.started_at.map(Time::to_meta),
            finished_at: end.at.map(Time::to_meta),
            container_id: Some(run.container_id.clone()).filter(|id| !id.is_empty()),
        };
        ContainerState {
            terminated: Some(terminated),
            ..ContainerState::default()
        }
    }

    /// R8.17, after upstream's `TerminatePod`: what has no known end gets one.
    fn close(&self, inits: &mut [ContainerStatus], apps: &mut [ContainerStatus]) {
        if self.was_initialized(inits, apps) {
            apps.iter_mut().for_each(mark_unknown);
        }
        let ever_ran =
            |status: &ContainerStatus| status.last_state.is_some() || !is_waiting(status);
        if let Some(last) = inits.iter().rposition(ever_ran) {
            inits[..=last].iter_mut().for_each(mark_unknown);
        }
    }

    /// After upstream's `hasPodInitialized`.
    fn was_initialized(&self, inits: &[ContainerStatus], apps: &[ContainerStatus]) -> bool {
        let ran = |app: &ContainerStatus| app.last_state.is_some() || !is_waiting(app);
        if self.inits == 0 || apps.iter().any(ran) {
            return true;
        }
        let (Some(last), Some(status)) = (self.containers[..self.inits].last(), inits.last())
        else {
            return true;
        };
        match last.role {
            Role::Sidecar => status.started == Some(true),
            _ => [&status.state, &status.last_state]
                .into_iter()
                .flatten()
                .any(|state| {
                    state
                        .terminated
                        .as_ref()
                        .is_some_and(|terminated| terminated.exit_code == 0)
                }),
        }
    }
}

fn is_waiting(status: &ContainerStatus) -> bool {
    status
        .state
        .as_ref()
        .is_none_or(|state| state.waiting.is_some())
}

fn mark_unknown(status: &mut ContainerStatus) {
    let state = status.state.get_or_insert_default();
    if state.terminated.is_some() {
        return;
    }
    state.waiting = None;
    state.running = None;
    state.terminated = Some(ContainerStateTerminated {
        exit_code: UNKNOWN_CODE,
        reason: Some(UNKNOWN.to_owned()),
        message: Some(UNKNOWN_MESSAGE.to_owned()),
        ..ContainerStateTerminated::default()
    });
}
