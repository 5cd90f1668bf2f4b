//! A runner that is killed, and the one that takes its Pod over: sections 1 and 21.

use lifecycle::sim::Run;
use lifecycle::{Machine, Options, StartFailure, Time};
use manifest::core::v1::Pod;
use manifest::core::v1::RestartPolicy::{Always, Never, OnFailure};

use crate::support::*;

const UNKNOWN: &str = "ContainerStatusUnknown";

/// Kills the runner now; the next one comes 10 s later and finds what was written down.
fn crash(sim: &mut Sim) {
    let text = serde_json::to_string(&sim.record()).expect("a Pod can be written");
    let record: Pod = serde_json::from_str(&text).expect("and read");
    sim.crash(record, secs(10));
}

fn last(sim: &Sim, name: &str) -> Option<(i32, String)> {
    terminated(status(sim, name).last_state.as_ref())
}

fn ended(sim: &Sim, name: &str) -> Option<(i32, String)> {
    terminated(status(sim, name).state.as_ref())
}

fn message(sim: &Sim, name: &str) -> Option<String> {
    let status = status(sim, name);
    let state = status.state.filter(|state| state.terminated.is_some());
    state.or(status.last_state)?.terminated?.message
}

#[test]
fn r1_11_all_starts_anew_in_order_and_counts_go_up() {
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    crash(&mut sim);
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
    assert_eq!(last(&sim, "a"), Some((137, UNKNOWN.to_owned())));
    let text = "The container could not be located when the pod was deleted.  The container used to be Running";
    assert_eq!(message(&sim, "a").as_deref(), Some(text));
    sim.run_until(at(60));
    let starts = ["i", "s", "a"].map(|name| sim.started(name, 1));
    assert_eq!(starts, [15, 16, 16].map(|second| Some(at(second))));
    assert_eq!(["i", "s", "a"].map(|name| restarts(&sim, name)), [1; 3]);
    assert_eq!(last(&sim, "i"), Some((0, "Completed".to_owned())));
    assert_eq!(
        events(&sim, "SandboxChanged"),
        ["Pod sandbox changed, it will be killed and re-created."]
    );
    assert_eq!(
        (phase(&sim), condition(&sim, "Ready").0.as_str()),
        ("Running", "True")
    );
}

#[test]
fn r1_11_a_start_time_and_conditions_go_on() {
    let mut sim = pod(Always).app("a", forever()).sim();
    sim.run_until(at(5));
    let before = sim.status();
    crash(&mut sim);
    sim.run_until(at(60));
    let after = sim.status();
    assert_eq!(after.start_time, before.start_time);
    let since = |status: &manifest::core::v1::PodStatus, kind: &str| {
        let condition = status.conditions.iter().find(|c| c.type_ == kind);
        condition.and_then(|c| c.last_transition_time)
    };
    assert_eq!(since(&after, "Initialized"), since(&before, "Initialized"));
    assert_eq!(since(&after, "Ready"), Some(at(15).to_meta()));
}

#[test]
fn r1_11_killed_during_initialization() {
    let script = runs([Run::exits(secs(10), 0)]);
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .init("j", script)
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    crash(&mut sim);
    sim.run_until(at(60));
    assert_eq!(["i", "j", "a"].map(|name| restarts(&sim, name)), [1, 1, 0]);
    assert_eq!(sim.started("a", 0), Some(at(26)));
}

#[test]
fn r3_9_numbers_go_on_out_of_a_back_off() {
    let mut sim = pod(Always).app("a", exits(secs(1), 1)).sim();
    sim.run_until(at(5));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    assert_eq!(restarts(&sim, "a"), 1);
    crash(&mut sim);
    sim.run_until(at(15));
    // The ladder was the dead runner's: the next start is immediate.
    assert_eq!(sim.started("a", 2), Some(at(15)));
    assert_eq!(last(&sim, "a"), Some((1, "Error".to_owned())));
}

#[test]
fn r3_9_a_number_that_no_record_tells_of_is_not_used_again() {
    let mut script = forever();
    script.start_takes = secs(3);
    let mut sim = pod(Always).app("a", script).sim();
    sim.run_until(at(2));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("ContainerCreating"));
    crash(&mut sim);
    sim.run_until(at(60));
    assert_eq!(
        (sim.started("a", 0), sim.started("a", 1)),
        (None, Some(at(15)))
    );
}

#[test]
fn r21_2_never_and_a_run_that_no_record_tells_of() {
    let mut script = forever();
    script.start_takes = secs(3);
    let mut sim = pod(Never).app("a", script).sim();
    sim.run_until(at(2));
    crash(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!(
        (phase(&sim), ended(&sim, "a")),
        ("Failed", Some((137, UNKNOWN.to_owned())))
    );
}

#[test]
fn r21_2_never_is_not_started_again() {
    let mut sim = pod(Never)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("a", forever())
        .app("b", exits(secs(1), 0))
        .sim();
    sim.run_until(at(5));
    crash(&mut sim);
    assert!(sim.run_to_rest(at(60)));
    assert_eq!(sim.now(), at(15));
    assert_eq!(phase(&sim), "Failed");
    let unknown = Some((137, UNKNOWN.to_owned()));
    let ends = ["i", "s", "a", "b"].map(|name| ended(&sim, name));
    let completed = Some((0, "Completed".to_owned()));
    assert_eq!(
        ends,
        [completed.clone(), unknown.clone(), unknown, completed]
    );
    let text = "The container could not be located when the pod was terminated";
    assert_eq!(message(&sim, "a").as_deref(), Some(text));
    assert_eq!(
        ["i", "s", "a", "b"].map(|name| restarts(&sim, name)),
        [0; 4]
    );
    assert_eq!(condition(&sim, "Ready").1, "PodFailed");
}

#[test]
fn r21_2_never_with_all_apps_done_has_succeeded() {
    let stubborn = runs([Run::default().on_term(lifecycle::sim::OnTerm::Ignore)]);
    let mut sim = pod(Never)
        .sidecar("s", stubborn)
        .app("a", exits(secs(1), 0))
        .sim();
    sim.run_until(at(5));
    assert_eq!(phase(&sim), "Running");
    crash(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!(
        (phase(&sim), ended(&sim, "a")),
        ("Succeeded", Some((0, "Completed".to_owned())))
    );
    assert_eq!(ended(&sim, "s"), Some((137, UNKNOWN.to_owned())));
}

#[test]
fn r21_2_never_in_the_middle_of_its_inits_has_failed() {
    let mut sim = pod(Never)
        .init("i", exits(secs(1), 0))
        .init("j", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    crash(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!(
        (phase(&sim), ended(&sim, "j")),
        ("Failed", Some((137, UNKNOWN.to_owned())))
    );
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
}

#[test]
fn r21_2_never_is_started_when_nothing_of_it_ever_ran() {
    let mut sim = pod(Never).app("a", exits(secs(1), 0)).sim();
    sim.world_mut().script("a").start_fails = vec![Some((
        StartFailure::ErrImagePull,
        "no such image".to_owned(),
    ))];
    sim.run_until(at(5));
    crash(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!((phase(&sim), restarts(&sim, "a")), ("Succeeded", 0));
}

#[test]
fn r21_2_on_failure_leaves_what_is_done() {
    for builder in [pod(OnFailure), pod(OnFailure).init("i", exits(secs(1), 0))] {
        let mut sim = builder
            .app("done", exits(secs(1), 0))
            .app("a", runs([Run::default(), Run::exits(secs(5), 0)]))
            .sim();
        sim.run_until(at(5));
        crash(&mut sim);
        sim.run_to_rest(at(60));
        assert_eq!(phase(&sim), "Succeeded");
        assert_eq!((restarts(&sim, "done"), restarts(&sim, "a")), (0, 1));
    }
}

#[test]
fn r20_4_a_containers_own_never_holds() {
    let mut sim = pod(Always)
        .app("once", forever())
        .with(|c| c.restart_policy = Some(Never))
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    crash(&mut sim);
    sim.run_until(at(60));
    assert_eq!(ended(&sim, "once"), Some((137, UNKNOWN.to_owned())));
    assert_eq!((restarts(&sim, "once"), restarts(&sim, "a")), (0, 1));
}

#[test]
fn r9_8_a_terminal_record_is_the_end() {
    let mut sim = pod(Never).app("a", exits(secs(1), 3)).run();
    let before = sim.status();
    crash(&mut sim);
    assert!(sim.machine().is_finished());
    assert_eq!(sim.machine().next_wakeup(), None);
    let text = |status| serde_json::to_string(status).expect("a status can be written");
    assert_eq!(text(&sim.status()), text(&before));
    assert!(sim.machine().waits(sim.now()).is_empty());
}

#[test]
fn r8_10_a_deleted_pod_goes_away() {
    let mut sim = pod(Always)
        .sidecar("s", forever())
        .app(
            "a",
            runs([Run::default().on_term(lifecycle::sim::OnTerm::Ignore)]),
        )
        .sim();
    sim.run_until(at(5));
    delete(&mut sim, None);
    sim.run_until(at(10));
    crash(&mut sim);
    assert!(sim.machine().is_deleting());
    assert!(sim.run_to_rest(at(60)));
    assert_eq!((sim.now(), phase(&sim)), (at(20), "Failed"));
    assert_eq!((sim.started("a", 1), sim.started("s", 1)), (None, None));
    assert_eq!(ended(&sim, "a"), Some((137, UNKNOWN.to_owned())));
}

#[test]
fn r16_1_the_deadline_goes_on() {
    let mut builder = pod(Always).app("a", forever());
    builder.spec.active_deadline_seconds = Some(20);
    let mut sim = builder.sim();
    sim.run_until(at(5));
    crash(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!((sim.now(), phase(&sim)), (at(20), "Failed"));
    assert_eq!(sim.status().reason.as_deref(), Some("DeadlineExceeded"));
}

#[test]
fn r20_7_a_restart_of_all_that_was_cut_short() {
    use manifest::core::v1::{
        ContainerRestartRule, ContainerRestartRuleAction, ContainerRestartRuleOnExitCodes,
        ContainerRestartRuleOnExitCodesOperator,
    };
    let ignores = runs([Run::default().on_term(lifecycle::sim::OnTerm::Ignore)]);
    let mut sim = pod(Always)
        .app("a", forever())
        .app("b", ignores)
        .app("source", runs([Run::exits(secs(5), 42), Run::default()]))
        .with(|c| {
            let codes = ContainerRestartRuleOnExitCodes {
                operator: Some(ContainerRestartRuleOnExitCodesOperator::In),
                values: vec![42],
            };
            c.restart_policy = Some(Always);
            c.restart_policy_rules = vec![ContainerRestartRule {
                action: Some(ContainerRestartRuleAction::RestartAllContainers),
                exit_codes: Some(codes),
            }];
        })
        .sim();
    sim.run_until(at(6));
    assert_eq!(
        waiting(&sim, "a").as_deref(),
        Some("RestartingAllContainers")
    );
    crash(&mut sim);
    sim.run_until(at(60));
    assert_eq!(
        ["a", "b", "source"].map(|name| restarts(&sim, name)),
        [1; 3]
    );
    assert_eq!(phase(&sim), "Running");
}

#[test]
fn a_pod_that_was_never_begun_and_a_clock_that_went_back() {
    let mut sim = pod(Always).app("a", forever()).sim();
    sim.run_until(at(500));
    let record = sim.record();
    // The machine came up with an old clock: nothing waits for the recorded times.
    let machine = Machine::restore(record.into(), Options::default(), at(3));
    assert_eq!(machine.next_wakeup(), Some(at(3)));
    // No status was ever written.
    let bare = pod(Always).app("a", forever()).build();
    let mut machine = Machine::restore(bare.into(), Options::default(), at(3));
    assert_eq!(machine.status(at(3)).start_time, Some(at(3).to_meta()));
    let actions = machine.step(lifecycle::Input::Wake, Time::from_secs(3));
    assert_eq!(actions, [lifecycle::Action::CreateSandbox]);
}
