//! Start order and failure during initialization: sections 1 and 2.

use lifecycle::sim::{Hook, Probe, Run, Script};
use lifecycle::{Exit, ProbeOutcome, StartFailure};
use manifest::core::v1::RestartPolicy::{Always, Never, OnFailure};

use crate::support::*;

#[test]
fn r1_1_entries_start_one_after_the_other_in_list_order() {
    let sim = pod(Never)
        .init("a", exits(secs(1), 0))
        .sidecar("b", forever())
        .init("c", exits(secs(2), 0))
        .app("d", exits(secs(1), 0))
        .run();
    assert_eq!(sim.started("a", 0), Some(at(0)));
    assert_eq!(sim.started("b", 0), Some(at(1)));
    assert_eq!(sim.started("c", 0), Some(at(1)));
    assert_eq!(sim.started("d", 0), Some(at(3)));
    assert_eq!(phase(&sim), "Succeeded");
}

#[test]
fn r1_2_init_that_ran_out_of_memory_failed_whatever_its_code() {
    let oom = Exit {
        code: 0,
        signal: None,
        oom_killed: true,
    };
    let run = Run {
        exits: Some((secs(1), oom)),
        ..Run::default()
    };
    let mut sim = pod(Never).init("a", runs([run])).app("b", forever()).sim();
    assert!(sim.run_to_rest(at(600)));
    assert_eq!(sim.started("b", 0), None);
    assert_eq!(phase(&sim), "Pending");
    assert!(status(&sim, "a").ready);
    assert!(!sim.machine().is_finished());
    let waits = sim.machine().waits(sim.now());
    let told: Vec<_> = waits.iter().map(|wait| wait.container.as_deref()).collect();
    assert_eq!(told, [Some("b")]);
    assert!(waits[0].text.contains("init container a failed"));
    delete(&mut sim, None);
    assert!(sim.run_to_rest(at(1200)) && sim.machine().is_finished());
    assert_eq!(phase(&sim), "Failed");
}

#[test]
fn r1_2_init_that_may_not_be_tried_again_stops_the_pod_under_any_policy() {
    let oom = Exit {
        code: 0,
        signal: None,
        oom_killed: true,
    };
    let run = Run {
        exits: Some((secs(0), oom)),
        ..Run::default()
    };
    let mut sim = pod(Always)
        .init("a", runs([run]))
        .with(|c| c.restart_policy = Some(Never))
        .app("b", forever())
        .sim();
    assert!(sim.run_to_rest(at(600)));
    assert_eq!((phase(&sim), restarts(&sim, "a")), ("Pending", 0));
}

#[test]
fn r1_3_sidecar_gates_by_startup_probe_and_not_by_readiness_or_liveness() {
    let script = Script {
        startup: Probe::succeeds_after(secs(3)),
        readiness: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .sidecar("s", script)
        .with(|c| {
            c.startup_probe = probe(1, 30);
            c.readiness_probe = probe(1, 3);
        })
        .app("a", forever())
        .sim();
    sim.run_until(at(10));
    assert_eq!(sim.started("a", 0), Some(at(3)));
    assert!(!status(&sim, "s").ready);
    assert_eq!(status(&sim, "s").started, Some(true));
}

#[test]
fn r1_4_post_start_of_a_sidecar_holds_up_what_follows() {
    let script = Script {
        post_start: Hook::takes(secs(4)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .sidecar("s", script)
        .with(post_start(exec()))
        .app("a", forever())
        .sim();
    sim.run_until(at(3));
    assert_eq!(waiting(&sim, "s").as_deref(), Some("PodInitializing"));
    sim.run_until(at(10));
    assert_eq!(sim.started("a", 0), Some(at(4)));
}

#[test]
fn r1_6_apps_start_in_turn_and_wait_for_no_probe() {
    let slow = Script {
        start_takes: secs(2),
        startup: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", slow)
        .with(|c| c.startup_probe = probe(10, 100))
        .app("b", forever())
        .sim();
    sim.run_until(at(5));
    assert_eq!(sim.started("a", 0), Some(at(2)));
    assert_eq!(sim.started("b", 0), Some(at(2)));
}

#[test]
fn r1_7_an_app_that_cannot_start_does_not_keep_the_next_from_starting() {
    let fails = vec![Some((StartFailure::ErrImagePull, "no such image".to_owned())); 100];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).app("b", forever()).sim();
    sim.run_until(at(1));
    assert_eq!(sim.started("b", 0), Some(at(0)));
    assert_eq!(phase(&sim), "Pending");
}

#[test]
fn r1_8_a_sidecar_in_back_off_holds_back_nothing_that_is_due_in_its_pass() {
    // s is in back-off from 2 to 12 and from 13 to 33; t ends at 2 and at 5, the app at 3 and at 6.
    let mut sim = pod(Always)
        .sidecar("s", exits(secs(1), 1))
        .sidecar(
            "t",
            runs([
                Run::exits(secs(2), 1),
                Run::exits(secs(3), 1),
                Run::default(),
            ]),
        )
        .app(
            "a",
            runs([
                Run::exits(secs(3), 1),
                Run::exits(secs(3), 1),
                Run::default(),
            ]),
        )
        .app("b", forever())
        .sim();
    sim.run_until(at(60));
    assert_eq!(sim.started("s", 2), Some(at(12)));
    assert_eq!(
        [sim.started("t", 1), sim.started("t", 2)],
        [Some(at(2)), Some(at(15))]
    );
    assert_eq!(
        [sim.started("a", 1), sim.started("a", 2)],
        [Some(at(3)), Some(at(16))]
    );
    assert_eq!(restarts(&sim, "b"), 0);
}

/// An init that is due is the last entry due in its pass, and no app is due beside it: that the pass ends with it means that
/// nothing after it starts.
#[test]
fn r1_8_nothing_starts_after_an_init_that_cannot_be_started() {
    let fails = vec![Some((StartFailure::ErrImagePull, "no such image".to_owned())); 3];
    let script = Script {
        start_fails: fails,
        ..exits(secs(1), 0)
    };
    let mut sim = pod(Always)
        .sidecar("s", exits(secs(1), 1))
        .init("i", script)
        .sidecar("t", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(100));
    // Pulls are tried at 0, 10 and 30 s, and succeed at 70 s; the sidecar before it is kept up meanwhile.
    assert!(sim.started("s", 3).is_some());
    let done = sim.exited("i", 0);
    assert!(done > Some(at(70)), "{done:?}");
    assert_eq!((sim.started("t", 0), sim.started("a", 0)), (done, done));
}

#[test]
fn r1_12_waiting_reasons_before_the_start() {
    let mut sim = pod(Always).init("i", forever()).app("a", forever()).sim();
    sim.run_until(at(1));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
    let sim = pod(Always).app("a", forever()).sim();
    assert_eq!(waiting(&sim, "a").as_deref(), Some("ContainerCreating"));
}

#[test]
fn r1_13_restart_of_an_app_touches_nobody_else() {
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("a", exits(secs(2), 1))
        .sim();
    sim.run_until(at(60));
    assert!(restarts(&sim, "a") >= 3);
    assert_eq!((restarts(&sim, "i"), restarts(&sim, "s")), (0, 0));
}

#[test]
fn r1_14_apps_that_are_all_down_wait_for_the_last_entry_when_that_is_a_sidecar() {
    // The sidecar ends at 3 for the second time and is due again at 13; the app ends at 4.
    let side = runs([
        Run::exits(secs(1), 1),
        Run::exits(secs(2), 1),
        Run::default(),
    ]);
    let mut sim = pod(Always)
        .sidecar("s", side)
        .app("a", exits(secs(4), 1))
        .sim();
    sim.run_until(at(30));
    assert_eq!(sim.started("s", 2), Some(at(13)));
    assert_eq!(sim.exited("a", 0), Some(at(4)));
    assert_eq!(sim.started("a", 1), Some(at(13)));
}

#[test]
fn r1_11_a_new_sandbox_reruns_everything_in_order() {
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    sim.inject(lifecycle::Input::SandboxStopped);
    sim.run_until(at(60));
    let order = [
        sim.started("i", 1),
        sim.started("s", 1),
        sim.started("a", 1),
    ];
    assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
    assert_eq!(gap(order[0], order[1]), 1.0);
    assert_eq!(phase(&sim), "Running");
}

#[test]
fn r21_2_a_pod_that_is_never_restarted_is_not_started_in_a_new_sandbox() {
    let mut sim = pod(Never).app("a", forever()).sim();
    sim.run_until(at(5));
    sim.inject(lifecycle::Input::SandboxStopped);
    sim.inject(lifecycle::Input::Exited {
        container: "a".to_owned(),
        instance: 0,
        exit: Exit {
            code: 137,
            ..Exit::default()
        },
        message: None,
    });
    sim.run_to_rest(at(60));
    assert_eq!(phase(&sim), "Failed");
    assert_eq!(restarts(&sim, "a"), 0);
}

#[test]
fn r2_1_failed_init_ends_the_pod_when_never() {
    let sim = pod(Never)
        .sidecar("s", forever())
        .init("i", exits(secs(1), 4))
        .init("j", exits(secs(1), 0))
        .app("a", forever())
        .run();
    assert_eq!(phase(&sim), "Failed");
    assert_eq!(sim.status().reason, None);
    assert_eq!(sim.started("j", 0), None);
    assert_eq!(sim.signalled("s", 0), Some(at(1)));
    assert_eq!(exit_code(&sim, "s"), Some(0));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
    assert_eq!(condition(&sim, "Initialized").1, "ContainersNotInitialized");
}

#[test]
fn r2_2_failed_init_alone_is_retried_with_back_off_otherwise() {
    for policy in [Always, OnFailure] {
        let mut sim = pod(policy)
            .init("i", exits(secs(0), 0))
            .init("j", exits(secs(1), 1))
            .app("a", forever())
            .sim();
        sim.run_until(at(40));
        assert_eq!(sim.started("j", 1), Some(at(1)), "{policy}");
        assert_eq!(sim.started("j", 2), Some(at(12)), "{policy}");
        assert_eq!(sim.started("j", 3), Some(at(33)), "{policy}");
        assert_eq!(restarts(&sim, "i"), 0);
        assert_eq!((phase(&sim), sim.started("a", 0)), ("Pending", None));
    }
}

#[test]
fn r2_4_sidecars_are_kept_up_while_a_later_init_fails() {
    let mut sim = pod(OnFailure)
        .sidecar("s", exits(secs(3), 0))
        .init("i", exits(secs(1), 1))
        .app("a", forever())
        .sim();
    sim.run_until(at(30));
    assert!(restarts(&sim, "s") >= 2 && restarts(&sim, "i") >= 2);
    assert_eq!(phase(&sim), "Pending");
}

#[test]
fn r2_5_a_sidecar_that_ends_does_not_disturb_the_init_that_runs() {
    let mut sim = pod(Never)
        .sidecar("s", runs([Run::exits(secs(2), 0), Run::default()]))
        .init("i", exits(secs(5), 0))
        .app("a", exits(secs(1), 0))
        .sim();
    sim.run_to_rest(at(600));
    assert_eq!(sim.started("s", 1), Some(at(2)));
    assert_eq!((restarts(&sim, "i"), sim.exited("i", 0)), (0, Some(at(5))));
    assert_eq!(phase(&sim), "Succeeded");
}

#[test]
fn r2_6_failed_startup_probe_restarts_the_sidecar_and_nothing_follows() {
    let script = Script {
        startup: Probe::always(ProbeOutcome::Failure),
        pre_stop: Hook::takes(secs(1)),
        ..Script::default()
    };
    let mut sim = pod(Never)
        .sidecar("s", script)
        .with(|c| c.startup_probe = probe(1, 2))
        .with(pre_stop(exec()))
        .app("a", forever())
        .sim();
    sim.run_until(lifecycle::Time(2500));
    // Probed at 0 and 1, preStop until 2.
    assert_eq!(sim.signalled("s", 0), Some(at(2)));
    assert_eq!(sim.started("s", 1), Some(at(2)));
    assert_eq!((phase(&sim), sim.started("a", 0)), ("Pending", None));
    assert_eq!(
        events(&sim, "Killing"),
        ["Init container s failed startup probe"]
    );
}

#[test]
fn r2_7_failed_liveness_of_a_sidecar_does_not_hold_back_what_follows() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .sidecar("s", script)
        .with(|c| c.liveness_probe = probe(1, 1))
        .app("a", forever())
        .sim();
    sim.run_until(at(2));
    assert_eq!(sim.started("a", 0), Some(at(0)));
    assert!(restarts(&sim, "s") >= 1);
}

#[test]
fn r2_8_a_sidecar_that_is_up_at_its_second_run_lets_the_pod_go_on() {
    let mut sim = pod(Never)
        .sidecar("s", runs([Run::exits(ms(500), 1), Run::default()]))
        .with(|c| c.startup_probe = probe(1, 10))
        .app("a", exits(secs(1), 0))
        .sim();
    sim.world_mut().script("s").startup = Probe::succeeds_after(secs(2));
    sim.run_to_rest(at(600));
    assert_eq!(restarts(&sim, "s"), 1);
    assert_eq!(phase(&sim), "Succeeded");
}

#[test]
fn r2_9_image_that_cannot_be_pulled_keeps_the_pod_pending_when_never() {
    let fails = vec![Some((StartFailure::ErrImagePull, "not found".to_owned())); 1000];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Never).sidecar("s", script).app("a", forever()).sim();
    sim.run_until(at(1));
    assert_eq!(waiting(&sim, "s").as_deref(), Some("ErrImagePull"));
    sim.run_until(at(5));
    assert_eq!(waiting(&sim, "s").as_deref(), Some("ImagePullBackOff"));
    sim.run_until(at(3000));
    assert_eq!((phase(&sim), sim.started("a", 0)), ("Pending", None));
}

#[test]
fn r2_10_deletion_during_initialization_takes_as_long_as_what_runs() {
    let script = runs([Run::default().on_term(lifecycle::sim::OnTerm::Exit(secs(1), 1))]);
    let mut sim = pod(Always)
        .init("i", script)
        .sidecar("s", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert!(sim.machine().is_finished());
    assert_eq!(sim.now(), at(6));
    assert_eq!((sim.started("s", 0), sim.started("a", 0)), (None, None));
    assert_eq!(phase(&sim), "Failed");
}

#[test]
fn r2_11_a_sidecar_that_is_not_started_is_asked_to_end_at_once() {
    let script = Script {
        startup: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Never)
        .grace(180)
        .sidecar("s", script)
        .with(|c| c.startup_probe = probe(10, 600))
        .sidecar("t", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    delete(&mut sim, None);
    sim.run_to_rest(at(1000));
    assert_eq!(sim.signalled("s", 0), Some(at(5)));
    assert_eq!((sim.now(), sim.started("t", 0)), (at(5), None));
}
