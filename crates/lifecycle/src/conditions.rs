//! The Pod's conditions (section 10), after upstream's `status/generate.go`.

use manifest::core::v1::{ConditionStatus, PodCondition, PodPhase};

use crate::container::{Container, Role};
use crate::machine::Machine;
use crate::restart;
use crate::sandbox::SandboxState;

#[cfg(test)]
mod upstream;

/// A condition without its times.
struct Found {
    kind: &'static str,
    status: ConditionStatus,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Found {
    fn holds(kind: &'static str, holds: bool) -> Self {
        let status = if holds {
            ConditionStatus::True
        } else {
            ConditionStatus::False
        };
        Self {
            kind,
            status,
            reason: None,
            message: None,
        }
    }

    fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    fn saying(mut self, message: String) -> Self {
        self.message = Some(message);
        self
    }
}

impl Machine {
    /// Brings the phase and conditions that are shown up to date; a condition's transition time is that
    /// of the step that changed its status.
    pub(crate) fn refresh_conditions(&mut self) {
        // A phase is not shown as terminal while anything of the Pod may still run (upstream's
        // `mergePodStatus`).
        let phase = self.phase();
        if !phase.is_terminal() {
            self.shown_phase = phase.0;
        }
        if let Some(outcome) = &self.outcome {
            self.shown_phase = outcome.phase;
        }
        let now = self.now.to_meta();
        let found = self.find_conditions();
        let conditions = found.into_iter().map(|found| {
            let before = self.conditions.iter().find(|c| c.type_ == found.kind);
            let unchanged = before.filter(|before| before.status == found.status);
            PodCondition {
                type_: found.kind.to_owned(),
                status: found.status,
                last_transition_time: unchanged.map_or(Some(now), |c| c.last_transition_time),
                reason: found.reason.map(str::to_owned),
                message: found.message,
                ..PodCondition::default()
            }
        });
        self.conditions = conditions.collect();
    }

    fn find_conditions(&self) -> Vec<Found> {
        let mut found = Vec::with_capacity(6);
        if restart::can_restart_all(&self.pod.spec) {
            found.push(self.all_containers_restarting());
        }
        // R10.2.
        let sandbox = self.sandbox.state == SandboxState::Ready;
        found.push(Found::holds("PodReadyToStartContainers", sandbox));
        found.push(self.initialized());
        let containers_ready = self.containers_ready();
        found.push(self.ready(&containers_ready));
        found.push(containers_ready);
        found.push(Found::holds("PodScheduled", true));
        found
    }

    /// R10.1, R20.10.
    fn all_containers_restarting(&self) -> Found {
        let found = Found::holds("AllContainersRestarting", self.restarting_all);
        match self.shown_phase {
            _ if self.restarting_all => found
                .because("RestartAllContainersStarted")
                .saying("container exited with restart policy rule".to_owned()),
            _ => match self.terminal_reason() {
                Some(reason) => found.because(reason),
                None => found,
            },
        }
    }

    /// R10.3, R10.4.
    fn initialized(&self) -> Found {
        if self.shown_phase == PodPhase::Succeeded {
            return Found::holds("Initialized", true).because("PodCompleted");
        }
        let incomplete = names(&self.containers[..self.inits], |entry| match entry.role {
            Role::Sidecar => !entry.is_started(),
            _ => !entry.is_ready(),
        });
        if self.app_was_started || incomplete.is_empty() {
            return Found::holds("Initialized", true);
        }
        let message = format!(
            "containers with incomplete status: [{}]",
            incomplete.join(" ")
        );
        Found::holds("Initialized", false)
            .because("ContainersNotInitialized")
            .saying(message)
    }

    /// R10.5, R10.6.
    fn containers_ready(&self) -> Found {
        if let Some(reason) = self.terminal_reason() {
            return Found::holds("ContainersReady", false).because(reason);
        }
        let unready = names(&self.containers, |c| c.role != Role::Init && !c.is_ready());
        if unready.is_empty() {
            return Found::holds("ContainersReady", true);
        }
        let message = format!("containers with unready status: [{}]", unready.join(" "));
        Found::holds("ContainersReady", false)
            .because("ContainersNotReady")
            .saying(message)
    }

    /// R10.6, R10.7. There is nobody here who could set the condition of a readiness gate.
    fn ready(&self, containers: &Found) -> Found {
        if containers.status != ConditionStatus::True {
            let copy = Found {
                message: containers.message.clone(),
                ..*containers
            };
            return Found {
                kind: "Ready",
                ..copy
            };
        }
        let gates = self.pod.spec.readiness_gates.iter().map(|gate| {
            let gate = &gate.condition_type;
            format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")
        });
        let missing: Vec<String> = gates.collect();
        if missing.is_empty() {
            return Found::holds("Ready", true);
        }
        let found = Found::holds("Ready", false).because("ReadinessGatesNotReady");
        found.saying(missing.join(", "))
    }

    fn terminal_reason(&self) -> Option<&'static str> {
        match self.shown_phase {
            PodPhase::Succeeded => Some("PodCompleted"),
            PodPhase::Failed => Some("PodFailed"),
            _ => None,
        }
    }
}

fn names(containers: &[Container], which: impl Fn(&Container) -> bool) -> Vec<&str> {
    containers
        .iter()
        .filter(|container| which(container))
        .map(Container::name)
        .collect()
}
