//! Warnings about restart rules.

use manifest::core::v1::{
    ContainerRestartRuleAction as Action, ContainerRestartRuleOnExitCodes as ExitCodes,
    ContainerRestartRuleOnExitCodesOperator as Operator, PodSpec, RestartPolicy,
};

use super::{Code, Warning};
use crate::container::Role;
use crate::plan::{Entry, entries};
use crate::restart;

pub(super) fn warn(spec: &PodSpec, found: &mut Vec<Warning>) {
    for entry in entries(spec) {
        let rules = &entry.container.restart_policy_rules;
        for (index, rule) in rules.iter().enumerate() {
            let Some(codes) = &rule.exit_codes else {
                continue;
            };
            let earlier: Vec<&ExitCodes> = rules[..index]
                .iter()
                .filter_map(|rule| rule.exit_codes.as_ref())
                .collect();
            let path = entry.path.child("restartPolicyRules").index(index);
            let possible = (0..=255).filter(|code| matches(codes, *code));
            let mut left = possible.filter(|code| !earlier.iter().any(|rule| matches(rule, *code)));
            if left.next().is_none() {
                let reason = if codes.values.is_empty() {
                    "it names no exit code"
                } else if codes.values.iter().all(|code| !(0..=255).contains(code)) {
                    "exit codes are 0 to 255"
                } else {
                    "the rules before it match all its exit codes"
                };
                let message = format!("this rule of {} never matches: {reason}", entry.name());
                found.push(
                    Warning::new(Code::RuleNeverMatches, &entry, path, message)
                        .why("the first rule that matches decides; the rest are not looked at")
                        .instead("remove it, or put it before the others"),
                );
                continue;
            }
            changes_nothing(spec, &entry, rule.action, &path, found);
            if rule.action == Some(Action::RestartAllContainers)
                && matches(codes, 1)
                && codes.operator == Some(Operator::NotIn)
            {
                let message = format!(
                    "any failure of {} restarts all containers, over and over and without a pause",
                    entry.name()
                );
                found.push(
                    Warning::new(Code::RestartsWithoutPause, &entry, path, message)
                        .why("restarts of all containers know no back-off, unlike those of a single one")
                        .instead("write `operator: In` with the exit codes that call for a fresh start"),
                );
            }
        }
    }
}

fn changes_nothing(
    spec: &PodSpec,
    entry: &Entry<'_>,
    action: Option<Action>,
    path: &manifest::Path,
    found: &mut Vec<Warning>,
) {
    let always = restart::policy(entry.container, spec) == RestartPolicy::Always;
    if action != Some(Action::Restart) || !always || entry.role == Role::Init {
        return;
    }
    let message = format!(
        "this rule changes nothing: {} is restarted in any case (restartPolicy Always)",
        entry.name()
    );
    found.push(
        Warning::new(Code::RuleChangesNothing, entry, path.clone(), message)
            .why("where no rule matches, the container's restartPolicy decides")
            .instead(
                "give the container `restartPolicy: Never` or `OnFailure`, or remove the rule",
            ),
    );
}

fn matches(codes: &ExitCodes, code: i32) -> bool {
    match codes.operator {
        Some(Operator::In) => codes.values.contains(&code),
        Some(Operator::NotIn) => !codes.values.contains(&code),
        None => false,
    }
}
