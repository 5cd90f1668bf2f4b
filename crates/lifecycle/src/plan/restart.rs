//! What follows when a container ends (sections 2, 3 and 20).

use manifest::core::v1::{
    ContainerRestartRule, ContainerRestartRuleAction as Action,
    ContainerRestartRuleOnExitCodesOperator as Operator, PodSpec, RestartPolicy,
};
use serde::Serialize;

use super::{Entry, entries};
use crate::container::Role;
use crate::restart;

/// What follows when a container ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restart {
    /// The container.
    pub container: String,
    /// Whether it can be started again at all.
    pub restarts: bool,
    /// In words.
    pub text: String,
}

pub(super) fn restarts(spec: &PodSpec) -> Vec<Restart> {
    entries(spec).map(|entry| of(spec, &entry)).collect()
}

fn of(spec: &PodSpec, entry: &Entry<'_>) -> Restart {
    let container = entry.container;
    let policy = restart::policy(container, spec);
    let rules: Vec<String> = container.restart_policy_rules.iter().map(rule).collect();
    let (restarts, rest) = match (entry.role, policy) {
        (Role::Sidecar, _) => (
            true,
            "restarted however it ends, until no app runs or will run again",
        ),
        (Role::Init, RestartPolicy::Never) => {
            (false, "ending with anything but 0 ends the Pod as Failed")
        }
        (Role::Init, _) => (true, "tried again until it ends with 0"),
        (Role::App, RestartPolicy::Always) => (true, "restarted however it ends"),
        (Role::App, RestartPolicy::OnFailure) => (true, "restarted unless it ends with 0"),
        (Role::App, RestartPolicy::Never) => (false, "not restarted"),
    };
    let own = container.restart_policy.is_some() && entry.role != Role::Sidecar;
    let source = if own {
        format!(" (its own restartPolicy {policy})")
    } else {
        String::new()
    };
    let text = if rules.is_empty() {
        format!("{rest}{source}")
    } else {
        format!("{}; otherwise {rest}{source}", rules.join("; "))
    };
    Restart {
        container: entry.name().to_owned(),
        restarts: restarts || !rules.is_empty(),
        text,
    }
}

fn rule(rule: &ContainerRestartRule) -> String {
    let action = match rule.action {
        Some(Action::RestartAllContainers) => {
            "all containers start anew, from the first init container"
        }
        _ => "restarted",
    };
    let Some(codes) = &rule.exit_codes else {
        return action.to_owned();
    };
    let values: Vec<String> = codes.values.iter().map(ToString::to_string).collect();
    let values = values.join(", ");
    match codes.operator {
        Some(Operator::NotIn) if values.is_empty() => format!("any exit code: {action}"),
        Some(Operator::NotIn) => format!("exit code not {values}: {action}"),
        _ => format!("exit code {values}: {action}"),
    }
}
