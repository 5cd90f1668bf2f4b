//! Whether a container that ended is started again (R3.1, R20.1, R20.2).

use manifest::core::v1::{
    Container, ContainerRestartRule, ContainerRestartRuleAction as RuleAction,
    ContainerRestartRuleOnExitCodesOperator as Operator, PodSpec, RestartPolicy,
};

/// The Pod's policy; `Always` where defaults were not applied.
pub(crate) fn pod_policy(pod: &PodSpec) -> RestartPolicy {
    pod.restart_policy.unwrap_or(RestartPolicy::Always)
}

/// The policy that holds for a container: its own, else the Pod's (R20.1).
pub(crate) fn policy(container: &Container, pod: &PodSpec) -> RestartPolicy {
    container.restart_policy.unwrap_or_else(|| pod_policy(pod))
}

/// What the first matching rule says about an exit code; none when no rule matches (R20.2).
pub(crate) fn rule_action(container: &Container, code: i32) -> Option<RuleAction> {
    container
        .restart_policy_rules
        .iter()
        .find(|rule| matches(rule, code))?
        .action
}

fn matches(rule: &ContainerRestartRule, code: i32) -> bool {
    rule.exit_codes
        .as_ref()
        .is_some_and(|codes| match codes.operator {
            Some(Operator::In) => codes.values.contains(&code),
            Some(Operator::NotIn) => !codes.values.contains(&code),
            None => false,
        })
}

/// Whether a container that ended with this code is started again (R3.1, R20.1).
pub(crate) fn restarts_after(container: &Container, pod: &PodSpec, code: i32) -> bool {
    if rule_action(container, code).is_some() {
        return true;
    }
    match policy(container, pod) {
        RestartPolicy::Always => true,
        RestartPolicy::OnFailure => code != 0,
        RestartPolicy::Never => false,
    }
}

/// Whether an init container that did not do its work is tried again: after a failure both `Always` and
/// `OnFailure` do (R2.2, R2.3). It may have failed with code 0, when it ran out of memory (R1.2).
pub(crate) fn init_retries_after(container: &Container, pod: &PodSpec, code: i32) -> bool {
    rule_action(container, code).is_some() || policy(container, pod) != RestartPolicy::Never
}

/// Whether a container that a probe killed is started again, whatever code it ends with: rules are not
/// asked, since it has no code yet (upstream `computePodActions`).
pub(crate) fn restarts_after_probe(container: &Container, pod: &PodSpec) -> bool {
    policy(container, pod) != RestartPolicy::Never
}

/// Whether any container of the Pod can restart them all (R10.1).
pub(crate) fn can_restart_all(pod: &PodSpec) -> bool {
    pod.init_containers
        .iter()
        .chain(&pod.containers)
        .any(|container| {
            let mut rules = container.restart_policy_rules.iter();
            rules.any(|rule| rule.action == Some(RuleAction::RestartAllContainers))
        })
}

#[cfg(test)]
mod tests {
    use manifest::core::v1::ContainerRestartRuleOnExitCodes as ExitCodes;

    use super::*;

    fn rule(operator: Operator, values: &[i32], action: RuleAction) -> ContainerRestartRule {
        let exit_codes = ExitCodes {
            operator: Some(operator),
            values: values.to_vec(),
        };
        ContainerRestartRule {
            action: Some(action),
            exit_codes: Some(exit_codes),
        }
    }

    #[test]
    fn r3_1_policy_decides_by_exit_code() {
        for (policy, after_0, after_1) in [
            (RestartPolicy::Always, true, true),
            (RestartPolicy::OnFailure, false, true),
            (RestartPolicy::Never, false, false),
        ] {
            let pod = PodSpec {
                restart_policy: Some(policy),
                ..PodSpec::default()
            };
            let app = Container::default();
            assert_eq!(restarts_after(&app, &pod, 0), after_0, "{policy} after 0");
            assert_eq!(restarts_after(&app, &pod, 1), after_1, "{policy} after 1");
        }
    }

    #[test]
    fn r20_1_rule_then_container_policy_then_pod_policy() {
        let pod = PodSpec {
            restart_policy: Some(RestartPolicy::Never),
            ..PodSpec::default()
        };
        let mut app = Container::default();
        assert!(!restarts_after(&app, &pod, 42));
        app.restart_policy = Some(RestartPolicy::OnFailure);
        assert!(restarts_after(&app, &pod, 42));
        assert!(!restarts_after(&app, &pod, 0));
        app.restart_policy = Some(RestartPolicy::Never);
        app.restart_policy_rules = vec![rule(Operator::In, &[42], RuleAction::Restart)];
        assert!(restarts_after(&app, &pod, 42));
        assert!(!restarts_after(&app, &pod, 43));
    }

    #[test]
    fn r20_2_first_match_wins() {
        let app = Container {
            restart_policy_rules: vec![
                rule(Operator::In, &[1, 2], RuleAction::Restart),
                rule(Operator::NotIn, &[0, 3], RuleAction::RestartAllContainers),
            ],
            ..Container::default()
        };
        assert_eq!(rule_action(&app, 1), Some(RuleAction::Restart));
        assert_eq!(rule_action(&app, 4), Some(RuleAction::RestartAllContainers));
        assert_eq!(rule_action(&app, 3), None);
    }

    #[test]
    fn r2_3_inits_treat_always_as_on_failure_and_oom_with_code_0_as_failure() {
        let mut pod = PodSpec {
            restart_policy: Some(RestartPolicy::Always),
            ..PodSpec::default()
        };
        let init = Container::default();
        assert!(init_retries_after(&init, &pod, 0));
        pod.restart_policy = Some(RestartPolicy::Never);
        assert!(!init_retries_after(&init, &pod, 0));
        assert!(!init_retries_after(&init, &pod, 1));
    }
}
