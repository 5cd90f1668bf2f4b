//! Container-level restart policies and rules (KEP-5307; R14.8, R14.9).

use crate::core::v1::{
    Container, ContainerRestartRuleAction as Action,
    ContainerRestartRuleOnExitCodesOperator as Operator,
};
use crate::findings::Findings;
use crate::path::Path;

const MAX_RULES: usize = 20;
const MAX_VALUES: usize = 255;

pub(super) fn rules(findings: &mut Findings, path: &Path, container: &Container) {
    if container.restart_policy_rules.is_empty() {
        return;
    }
    if container.restart_policy.is_none() {
        let detail = "must specify restartPolicy when restart rules are used";
        findings.required(&path.child("restartPolicy"), detail);
    }
    let path = &path.child("restartPolicyRules");
    if container.restart_policy_rules.len() > MAX_RULES {
        findings.too_many(path, container.restart_policy_rules.len(), MAX_RULES);
    }
    for (index, rule) in container.restart_policy_rules.iter().enumerate() {
        let path = &path.index(index);
        if rule.action.is_none() {
            findings.not_supported(&path.child("action"), "", Action::WORDS);
        }
        let Some(codes) = &rule.exit_codes else {
            findings.required(&path.child("exitCodes"), "must be specified");
            continue;
        };
        let path = &path.child("exitCodes");
        if codes.operator.is_none() {
            findings.not_supported(&path.child("operator"), "", Operator::WORDS);
        }
        if codes.values.len() > MAX_VALUES {
            findings.too_many(&path.child("values"), codes.values.len(), MAX_VALUES);
        }
    }
}
