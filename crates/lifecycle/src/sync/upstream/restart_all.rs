//! `RestartAllContainers`.

use manifest::core::v1::{
    ContainerRestartRule, ContainerRestartRuleAction, ContainerRestartRuleOnExitCodes,
    ContainerRestartRuleOnExitCodesOperator as Operator,
};

use super::*;

/// `TestComputePodActionsForRestartAllContainers`: in which order containers are stopped and forgotten.
#[test]
fn restart_all_containers() {
    type Fact = (&'static str, Role, [State; 6], usize, &'static [usize]);
    let facts: [Fact; 3] = [
        (
            "an init, beside a sidecar",
            Role::Init,
            [Ended(0), Up, Ended(1), No, No, No],
            2,
            &[0, 1, 2],
        ),
        (
            "a sidecar",
            Role::Sidecar,
            [Up, Up, Ended(1), Up, No, No],
            2,
            &[3, 0, 1, 2],
        ),
        (
            "an app",
            Role::Sidecar,
            [Up, Up, Up, Up, Up, Ended(1)],
            5,
            &[3, 4, 0, 1, 2, 5],
        ),
    ];
    for (name, entries, states, source, expected) in facts {
        let mut machine = machine(Always, entries, true, states, [None; 3]);
        if entries == Role::Init {
            machine.containers[1].role = Role::Sidecar;
        }
        restarts_all(&mut machine, source);
        let steps = machine.plan();
        assert_eq!(steps, [Step::RestartAll { trigger: source }], "{name}");
        let known = |&i: &usize| machine.containers[i].run.is_some();
        let order = machine.restart_all_queue(source).into_iter().filter(known);
        assert_eq!(order.collect::<Vec<_>>(), expected, "{name}");
    }
}

/// Not in upstream's table, but in what it tests (`getContainersToReset`): of several that ask for it, apps go first.
#[test]
fn all_that_ask_to_restart_all_are_forgotten_last() {
    let states = [Up, Ended(1), Up, Ended(1), Up, Up];
    let mut machine = machine(Always, Role::Sidecar, true, states, [None; 3]);
    restarts_all(&mut machine, 1);
    restarts_all(&mut machine, 3);
    assert_eq!(machine.restart_all_queue(1), [4, 5, 0, 2, 3, 1]);
}

fn restarts_all(machine: &mut Machine, source: usize) {
    let exit_codes = ContainerRestartRuleOnExitCodes {
        operator: Some(Operator::In),
        values: vec![1],
    };
    machine.containers[source].spec.restart_policy_rules = vec![ContainerRestartRule {
        action: Some(ContainerRestartRuleAction::RestartAllContainers),
        exit_codes: Some(exit_codes),
    }];
}
