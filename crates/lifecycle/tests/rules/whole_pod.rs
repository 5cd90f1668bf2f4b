//! Container restart rules and RestartAllContainers: section 20.

use lifecycle::ProbeOutcome;
use lifecycle::columns::columns;
use lifecycle::sim::{OnTerm, Probe, Run, Script};
use manifest::core::v1::RestartPolicy::{Always, Never};
use manifest::core::v1::{
    Container, ContainerRestartRule, ContainerRestartRuleAction as RuleAction,
    ContainerRestartRuleOnExitCodes, ContainerRestartRuleOnExitCodesOperator as Operator,
    RestartPolicy,
};

use crate::support::*;

/// A container policy and a rule for code 42.
fn rule(policy: RestartPolicy, action: RuleAction) -> impl FnOnce(&mut Container) {
    move |container| {
        container.restart_policy = Some(policy);
        let codes = ContainerRestartRuleOnExitCodes {
            operator: Some(Operator::In),
            values: vec![42],
        };
        container.restart_policy_rules = vec![ContainerRestartRule {
            action: Some(action),
            exit_codes: Some(codes),
        }];
    }
}

/// Asks for the restart of all once, after 5 s, then runs for ever.
fn trigger() -> Script {
    runs([Run::exits(secs(5), 42), Run::default()])
}

#[test]
fn r20_3_a_matching_rule_restarts_with_the_ladder_under_never() {
    let mut sim = pod(Never)
        .app("a", exits(secs(1), 42))
        .with(rule(Never, RuleAction::Restart))
        .sim();
    sim.run_until(at(14));
    assert_eq!((restarts(&sim, "a"), phase(&sim)), (2, "Running"));
    assert_eq!(sim.started("a", 2), Some(at(12)));
}

#[test]
fn r20_3_a_rule_decides_about_what_a_probe_killed_once_its_code_is_known() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        runs: vec![
            Run::default().on_term(OnTerm::Exit(secs(1), 42)),
            Run::default(),
        ],
        ..Script::default()
    };
    let sim = pod(Never)
        .sidecar("s", forever())
        .app("a", script)
        .with(|c| c.liveness_probe = probe(1, 2))
        .with(rule(Never, RuleAction::Restart))
        .run();
    assert_eq!((restarts(&sim, "a"), restarts(&sim, "s")), (1, 0));
    assert_eq!(phase(&sim), "Succeeded");
}

#[test]
fn r20_4_the_containers_policy_wins_over_the_pods() {
    for (code, expected) in [(0, "Succeeded"), (1, "Failed")] {
        let sim = pod(Always)
            .app("a", exits(secs(1), code))
            .with(|c| c.restart_policy = Some(Never))
            .run();
        assert_eq!((phase(&sim), restarts(&sim, "a")), (expected, 0));
    }
    let mut sim = pod(Never)
        .app("a", exits(secs(1), 1))
        .with(|c| c.restart_policy = Some(Always))
        .sim();
    sim.run_until(at(5));
    assert_eq!((phase(&sim), restarts(&sim, "a")), ("Running", 1));
}

#[test]
fn r20_5_a_rule_retries_an_init_under_never() {
    let script = runs([Run::exits(secs(1), 42), Run::exits(secs(1), 7)]);
    let sim = pod(Never)
        .init("i", script)
        .with(rule(Never, RuleAction::Restart))
        .app("a", forever())
        .run();
    assert_eq!((restarts(&sim, "i"), phase(&sim)), (1, "Failed"));
}

#[test]
fn r20_7_r20_8_all_start_again_from_the_first() {
    let mut sim = pod(Never)
        .grace(5)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("source", trigger())
        .with(rule(Never, RuleAction::RestartAllContainers))
        .app("a", forever())
        .sim();
    sim.run_until(at(6));
    assert_eq!(sim.exited("source", 0), Some(at(6)));
    sim.run_until(at(20));
    let counts = ["i", "s", "source", "a"].map(|name| restarts(&sim, name));
    assert_eq!(counts, [1, 1, 1, 1]);
    let starts = ["i", "s", "source", "a"].map(|name| sim.started(name, 1));
    assert_eq!(starts, [6, 7, 7, 7].map(|second| Some(at(second))));
    for name in ["i", "s", "source", "a"] {
        let last = terminated(status(&sim, name).last_state.as_ref());
        assert_eq!(
            last,
            Some((137, "RestartingAllContainers".to_owned())),
            "{name}"
        );
    }
    assert_eq!(
        (phase(&sim), condition(&sim, "Initialized").0.as_str()),
        ("Running", "True")
    );
}

#[test]
fn r20_9_one_after_the_other_with_two_seconds_and_no_pre_stop() {
    let ignores = || runs([Run::default().on_term(OnTerm::Ignore)]);
    let mut sim = pod(Never)
        .sidecar("s", ignores())
        .app("a", ignores())
        .with(pre_stop(exec()))
        .app("source", trigger())
        .with(rule(Never, RuleAction::RestartAllContainers))
        .sim();
    sim.run_until(at(6));
    assert_eq!(
        condition(&sim, "AllContainersRestarting").1,
        "RestartAllContainersStarted"
    );
    assert_eq!(condition(&sim, "Ready").0, "False");
    sim.run_until(at(8));
    assert_eq!(
        waiting(&sim, "a").as_deref(),
        Some("RestartingAllContainers")
    );
    let spec = &sim.machine().pod().spec;
    let column = columns(spec, &sim.status(), false, sim.now());
    assert_eq!(column.status, "RestartingAllContainers");
    sim.run_until(at(20));
    assert_eq!(
        (sim.signalled("a", 0), sim.killed("a", 0)),
        (Some(at(5)), Some(at(7)))
    );
    assert_eq!(
        (sim.signalled("s", 0), sim.killed("s", 0)),
        (Some(at(7)), Some(at(9)))
    );
    assert_eq!(sim.started("s", 1), Some(at(9)));
    let (status, reason, _) = condition(&sim, "AllContainersRestarting");
    assert_eq!((status.as_str(), reason.as_str()), ("False", ""));
}

#[test]
fn r20_8_what_never_ran_is_not_counted() {
    let mut sim = pod(Never)
        .sidecar("s", forever())
        .init(
            "source",
            runs([Run::exits(secs(1), 42), Run::exits(secs(1), 0)]),
        )
        .with(rule(Never, RuleAction::RestartAllContainers))
        .app("a", forever())
        .sim();
    sim.run_until(at(20));
    let counts = ["s", "source", "a"].map(|name| restarts(&sim, name));
    assert_eq!((counts, phase(&sim)), ([1, 1, 0], "Running"));
}

#[test]
fn r20_12_repeated_triggers_are_not_delayed() {
    let mut sim = pod(Never)
        .app("a", exits(secs(4), 42))
        .with(rule(Never, RuleAction::RestartAllContainers))
        .sim();
    sim.run_until(at(36));
    assert_eq!(restarts(&sim, "a"), 9);
}

#[test]
fn r20_12_a_trigger_that_comes_at_once_does_not_spin() {
    let mut sim = pod(Never)
        .app("a", exits(secs(0), 42))
        .with(rule(Never, RuleAction::RestartAllContainers))
        .sim();
    sim.run_until(at(9));
    assert_eq!(restarts(&sim, "a"), 10);
}

#[test]
fn r20_12_afterwards_failures_follow_the_normal_rules() {
    let sim = pod(Never)
        .init("i", runs([Run::exits(secs(1), 0), Run::exits(secs(1), 1)]))
        .app("source", trigger())
        .with(rule(Never, RuleAction::RestartAllContainers))
        .run();
    assert_eq!(
        (phase(&sim), restarts(&sim, "i"), restarts(&sim, "source")),
        ("Failed", 1, 1)
    );
    assert_eq!(condition(&sim, "AllContainersRestarting").1, "PodFailed");
}

#[test]
fn r20_13_not_once_the_pod_is_being_deleted() {
    let script = runs([Run::default().on_term(OnTerm::Exit(secs(1), 42))]);
    let mut sim = pod(Never)
        .app("source", script)
        .with(rule(Never, RuleAction::RestartAllContainers))
        .app("a", forever())
        .sim();
    sim.run_until(at(3));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(
        (restarts(&sim, "source"), restarts(&sim, "a"), sim.now()),
        (0, 0, at(4))
    );
}
