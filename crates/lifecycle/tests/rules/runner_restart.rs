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

/// Starts the runner again, which takes half a second, while what it has started runs on.
fn restart(sim: &mut Sim) {
    let handed_over = sim.hand_over(secs(60)).expect("a moment to start again in");
    let text = serde_json::to_string(&handed_over).expect("it can be written");
    let (record, handover) = serde_json::from_str(&text).expect("and read");
    sim.resume(record, handover, ms(500));
}

/// What the status says, but for times.
fn shown(sim: &Sim) -> String {
    let mut status = sim.status();
    for condition in &mut status.conditions {
        condition.last_transition_time = None;
    }
    serde_json::to_string(&status).expect("a status can be written")
}

#[test]
fn r21_1_nothing_that_runs_or_is_done_is_started_again() {
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .init("j", exits(secs(1), 0))
        .app("a", forever())
        .app("b", exits(secs(2), 1))
        .sim();
    sim.run_until(at(3));
    let before = shown(&sim);
    for _ in 0..20 {
        restart(&mut sim);
        assert_eq!(shown(&sim), before);
    }
    let names = ["i", "s", "j", "a", "b"];
    assert_eq!(names.map(|name| restarts(&sim, name)), [0; 5]);
    assert_eq!(names.map(|name| sim.started(name, 1)), [None; 5]);
    // Its end is learned afterwards.
    sim.run_until(at(14));
    assert_eq!(restarts(&sim, "b"), 1);
    assert_eq!(last(&sim, "b"), Some((1, "Error".to_owned())));
    assert_eq!(phase(&sim), "Running");
}

#[test]
fn r21_1_an_init_under_way_goes_on() {
    let mut sim = pod(Never)
        .sidecar("s", forever())
        .init("i", exits(secs(5), 0))
        .app("a", exits(secs(1), 0))
        .sim();
    sim.run_until(at(2));
    restart(&mut sim);
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
    sim.run_to_rest(at(60));
    assert_eq!(
        (phase(&sim), sim.started("a", 0)),
        ("Succeeded", Some(at(5)))
    );
    assert_eq!(["s", "i", "a"].map(|name| sim.started(name, 1)), [None; 3]);
}

#[test]
fn r21_1_an_end_while_the_runner_was_away_is_seen() {
    let mut sim = pod(Never)
        .init("i", exits(secs(2), 0))
        .app("a", exits(ms(200), 3))
        .sim();
    sim.run_until(Time(1900));
    restart(&mut sim);
    sim.run_until(Time(2500));
    restart(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!((phase(&sim), exit_code(&sim, "a")), ("Failed", Some(3)));
    assert_eq!((sim.started("i", 1), sim.started("a", 1)), (None, None));
}

#[test]
fn r21_3_started_and_ready_until_a_new_result() {
    use lifecycle::ProbeOutcome::{Failure, Success};
    let mut script = forever();
    script.readiness.answers = vec![(secs(0), Success), (secs(20), Failure)];
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.startup_probe = probe(1, 3);
            c.readiness_probe = probe(10, 3);
        })
        .sim();
    sim.run_until(at(21));
    assert!(status(&sim, "a").ready);
    restart(&mut sim);
    let after = status(&sim, "a");
    assert_eq!((after.started, after.ready), (Some(true), true));
    // Counting begins anew, at once: 21.5, 31.5, 41.5 s.
    sim.run_until(Time(41_400));
    assert!(status(&sim, "a").ready);
    sim.run_until(at(42));
    assert!(!status(&sim, "a").ready);
    assert_eq!(restarts(&sim, "a"), 0);
}

#[test]
fn r21_3_what_was_not_ready_is_not_ready() {
    let mut script = forever();
    script.readiness = lifecycle::sim::Probe::succeeds_after(secs(10));
    let mut starting = forever();
    starting.startup = lifecycle::sim::Probe::succeeds_after(secs(10));
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.readiness_probe = probe(5, 3))
        .app("b", starting)
        .with(|c| c.startup_probe = probe(5, 100))
        .sim();
    sim.run_until(at(2));
    restart(&mut sim);
    assert!(!status(&sim, "a").ready);
    assert_eq!(status(&sim, "b").started, Some(false));
    sim.run_until(at(20));
    assert!(status(&sim, "a").ready && status(&sim, "b").ready);
}

#[test]
fn r5_14_liveness_is_probed_on() {
    let mut script = forever();
    script.liveness.answers = vec![
        (secs(0), lifecycle::ProbeOutcome::Success),
        (secs(5), lifecycle::ProbeOutcome::Failure),
    ];
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(2, 2))
        .sim();
    sim.run_until(at(3));
    restart(&mut sim);
    sim.run_until(at(9));
    assert_eq!(restarts(&sim, "a"), 1);
}

#[test]
fn r3_9_a_restart_out_of_a_back_off_comes_at_once_and_counts_go_on() {
    let mut sim = pod(Always).app("a", exits(secs(1), 1)).sim();
    sim.run_until(at(5));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    restart(&mut sim);
    sim.run_until(at(6));
    assert_eq!(sim.started("a", 2), Some(Time(5500)));
    assert_eq!(last(&sim, "a"), Some((1, "Error".to_owned())));
    // And from then on as ever.
    sim.run_until(at(12));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    sim.run_until(at(17));
    assert_eq!(restarts(&sim, "a"), 3);
}

#[test]
fn r8_2_a_pod_that_ends_goes_on_ending() {
    let ignores = || runs([Run::default().on_term(lifecycle::sim::OnTerm::Ignore)]);
    let mut sim = pod(Always)
        .sidecar("s", ignores())
        .app("a", ignores())
        .with(pre_stop(sleep(4)))
        .grace(20)
        .sim();
    sim.run_until(at(5));
    delete(&mut sim, None);
    // Within the hook, within its grace, and within that of the sidecar, which has what is left.
    for second in [7, 15, 25] {
        sim.run_until(at(second));
        restart(&mut sim);
        assert!(sim.machine().is_deleting());
    }
    assert!(sim.run_to_rest(at(60)));
    assert_eq!(sim.signalled("a", 0), Some(at(9)));
    assert_eq!(sim.killed("a", 0), Some(at(25)));
    assert_eq!(sim.killed("s", 0), Some(at(27)));
    assert_eq!((sim.started("a", 1), sim.started("s", 1)), (None, None));
    assert_eq!(events(&sim, "Killing").len(), 2);
}

#[test]
fn r8_13_a_container_that_a_probe_kills_is_restarted() {
    use lifecycle::ProbeOutcome::Failure;
    let mut script = runs([
        Run::default().on_term(lifecycle::sim::OnTerm::Ignore),
        Run::default(),
    ]);
    script.liveness.answers = vec![(secs(0), Failure)];
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(1, 3))
        .grace(5)
        .sim();
    sim.run_until(at(4));
    assert_eq!(sim.signalled("a", 0), Some(at(2)));
    restart(&mut sim);
    sim.run_until(at(8));
    assert_eq!(
        (sim.killed("a", 0), sim.started("a", 1)),
        (Some(at(7)), Some(at(7)))
    );
}

#[test]
fn r16_1_the_deadline_and_the_order_of_stops_go_on() {
    let mut builder = pod(Always).sidecar("s", forever()).app("a", forever());
    builder.spec.active_deadline_seconds = Some(20);
    let mut sim = builder.sim();
    sim.run_until(at(5));
    restart(&mut sim);
    sim.run_to_rest(at(60));
    assert_eq!((sim.now(), phase(&sim)), (at(20), "Failed"));
    assert_eq!(sim.status().reason.as_deref(), Some("DeadlineExceeded"));
    assert!(sim.exited("a", 0) <= sim.signalled("s", 0));
}

#[test]
fn r9_8_a_pod_that_has_ended_is_handed_over_too() {
    let mut sim = pod(Never).app("a", exits(secs(1), 3)).run();
    let before = shown(&sim);
    restart(&mut sim);
    assert!(sim.machine().is_finished());
    assert_eq!(shown(&sim), before);
}

#[test]
fn no_moment_while_something_is_being_made_or_asked() {
    let mut slow = forever();
    slow.start_takes = secs(3);
    let mut sim = pod(Always).app("a", slow).sim();
    sim.run_until(at(1));
    assert!(sim.machine().hand_over().is_none(), "a start");
    restart(&mut sim);
    assert_eq!(sim.started("a", 0), Some(at(3)));
    let mut script = forever();
    script.pre_stop.takes = Some(secs(4));
    let mut sim = pod(Always).app("a", script).with(pre_stop(exec())).sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    assert!(sim.machine().hand_over().is_none(), "a hook");
    assert!(sim.hand_over(secs(2)).is_none(), "and still");
    restart(&mut sim);
    assert_eq!(sim.signalled("a", 0), Some(at(5)));
}
