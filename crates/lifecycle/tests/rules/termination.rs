//! Termination and activeDeadlineSeconds: sections 8 and 16.

use lifecycle::sim::{Hook, OnTerm, Probe, Run, Script, TraceEvent};
use lifecycle::{Action, Input, ProbeOutcome, StartFailure, StopSignal};
use manifest::core::v1::Lifecycle;
use manifest::core::v1::RestartPolicy::{Always, Never};

use crate::support::*;

/// Runs for ever; ends so long after the stop signal, with this code.
fn stops(after: u64, code: i32) -> Script {
    runs([Run::default().on_term(OnTerm::Exit(secs(after), code))])
}

fn ignores() -> Script {
    runs([Run::default().on_term(OnTerm::Ignore)])
}

fn deleted_at(seconds: i64, grace: Option<i64>, builder: Builder) -> Sim {
    let mut sim = builder.sim();
    sim.run_until(at(seconds));
    delete(&mut sim, grace);
    sim.run_to_rest(at(seconds + 1000));
    assert!(sim.machine().is_finished());
    sim
}

#[test]
fn r8_1_grace_of_the_request_then_of_the_pod_and_at_least_one() {
    for (asked, of_pod, kill) in [
        (None, 7, 7),
        (Some(4), 30, 4),
        (Some(0), 30, 2),
        (None, 0, 2),
    ] {
        let sim = deleted_at(10, asked, pod(Always).grace(of_pod).app("a", ignores()));
        assert_eq!(
            sim.killed("a", 0),
            Some(at(10 + kill)),
            "{asked:?} {of_pod}"
        );
        assert_eq!(exit_code(&sim, "a"), Some(137));
    }
}

#[test]
fn r8_1_a_stop_under_way_keeps_its_grace() {
    let mut sim = pod(Always).app("a", ignores()).sim();
    sim.run_until(at(10));
    delete(&mut sim, None);
    sim.run_until(at(12));
    delete(&mut sim, Some(4));
    sim.run_to_rest(at(1000));
    assert_eq!(sim.killed("a", 0), Some(at(40)));
}

#[test]
fn r8_3_pre_stop_is_charged_in_whole_seconds_and_two_are_left() {
    for (hook, kill) in [
        (ms(0), 8_000),
        (ms(999), 8_999),
        (ms(4000), 8_000),
        (ms(7500), 9_500),
    ] {
        let script = Script {
            pre_stop: Hook::takes(hook),
            ..ignores()
        };
        let builder = pod(Always).grace(8).app("a", script).with(pre_stop(exec()));
        let sim = deleted_at(0, None, builder);
        assert_eq!(sim.killed("a", 0).map(|at| at.0), Some(kill), "{hook:?}");
    }
}

#[test]
fn r8_4_a_pre_stop_that_overruns_lives_until_its_container_dies() {
    let script = Script {
        pre_stop: Hook {
            takes: None,
            result: Ok(()),
        },
        ..ignores()
    };
    let sim = deleted_at(
        1,
        None,
        pod(Always).grace(5).app("a", script).with(pre_stop(exec())),
    );
    assert_eq!(sim.signalled("a", 0), Some(at(6)));
    assert_eq!(sim.killed("a", 0), Some(at(8)));
    assert_eq!(sim.now(), at(8));
}

#[test]
fn r8_5_r8_6_apps_stop_together_then_sidecars_in_reverse() {
    let builder = pod(Always)
        .grace(20)
        .sidecar("s1", stops(1, 0))
        .sidecar("s2", stops(1, 0))
        .sidecar("s3", stops(1, 0))
        .app("a", stops(2, 0))
        .app("b", stops(1, 0));
    let sim = deleted_at(5, None, builder);
    let signals = ["a", "b", "s3", "s2", "s1"].map(|name| sim.signalled(name, 0));
    assert_eq!(signals, [5, 5, 7, 8, 9].map(|second| Some(at(second))));
    assert_eq!(phase(&sim), "Succeeded");
}

/// Facts of `pkg/kubelet/kuberuntime/kuberuntime_termination_order_test.go` (1.36.2): whole seconds that each waits for its turn.
#[test]
fn r8_6_upstreams_termination_order() {
    let ends = |takes| runs([Run::default().on_term(OnTerm::Exit(ms(takes), 0))]);
    let main_1 = |grace, takes| {
        let builder = pod(Always).grace(grace).sidecar("sc1", ends(takes));
        let builder = builder
            .sidecar("sc2", ends(takes))
            .sidecar("sc3", ends(takes));
        deleted_at(5, None, builder.app("main", ends(takes)))
    };
    for (name, grace, takes, expected) in [
        (
            "TestTerminationOrderingSidecarsInReverseOrder",
            30,
            1250,
            [0, 1, 2, 3],
        ),
        ("TestTerminationOrderingObeysGrace", 2, 1000, [0, 1, 2, 2]),
    ] {
        let sim = main_1(grace, takes);
        let waits = ["main", "sc3", "sc2", "sc1"].map(|container| {
            let signalled = sim.signalled(container, 0).unwrap();
            (signalled - at(5)).as_secs()
        });
        assert_eq!(waits, expected, "{name}");
    }
}

#[test]
fn r8_6_a_sidecar_that_was_down_breaks_the_chain() {
    let builder = pod(Never)
        .sidecar("s1", stops(0, 0))
        .sidecar("s2", exits(secs(4), 1))
        .sidecar("s3", stops(2, 0))
        .app("a", stops(1, 0));
    // s2 ended at 4 and 8 and is due again at 18.
    let sim = deleted_at(10, None, builder);
    assert_eq!(
        (sim.signalled("s1", 0), sim.signalled("s3", 0)),
        (Some(at(11)), Some(at(11)))
    );
    assert_eq!(sim.signalled("s2", 1), None);
}

#[test]
fn r8_6_a_sidecar_that_dies_during_termination_counts_when_its_turn_came() {
    let dies = runs([Run::exits(secs(6), 0)]);
    let builder = pod(Never)
        .sidecar("s1", stops(0, 0))
        .sidecar("s2", dies)
        .app("a", stops(3, 0));
    let sim = deleted_at(5, None, builder);
    assert_eq!(sim.signalled("s1", 0), Some(at(8)));
    assert_eq!(restarts(&sim, "s2"), 0);
}

#[test]
fn r8_7_running_inits_stop_without_order() {
    let builder = pod(Always)
        .sidecar("s", stops(0, 0))
        .init("i", stops(5, 1))
        .app("a", forever());
    let sim = deleted_at(3, None, builder);
    assert_eq!(
        (sim.signalled("i", 0), sim.signalled("s", 0)),
        (Some(at(3)), Some(at(3)))
    );
}

#[test]
fn r8_8_r8_11_when_the_grace_ends_all_get_their_signal() {
    let builder = pod(Never)
        .grace(5)
        .sidecar("s1", ignores())
        .sidecar("s2", stops(1, 0))
        .sidecar("s3", ignores())
        .app("a", ignores());
    let sim = deleted_at(10, None, builder);
    let signals = ["a", "s1", "s2", "s3"].map(|name| sim.signalled(name, 0));
    assert_eq!(signals, [10, 15, 15, 15].map(|second| Some(at(second))));
    let codes = ["a", "s3", "s2", "s1"].map(|name| exit_code(&sim, name));
    assert_eq!(codes, [Some(137), Some(137), Some(0), Some(137)]);
    assert_eq!((sim.now(), phase(&sim)), (at(17), "Failed"));
}

#[test]
fn r8_9_a_sidecars_pre_stop_ends_before_its_signal() {
    let script = Script {
        pre_stop: Hook::takes(secs(4)),
        ..forever()
    };
    let builder = pod(Always)
        .sidecar("s", script)
        .with(pre_stop(exec()))
        .app("a", stops(1, 0));
    let sim = deleted_at(5, None, builder);
    assert_eq!(sim.signalled("s", 0), Some(at(9)));
}

#[test]
fn r8_10_nothing_is_restarted_once_termination_began() {
    let builder = pod(Always)
        .sidecar("s", exits(secs(7), 1))
        .app("a", stops(10, 1))
        .app("b", forever());
    let sim = deleted_at(5, None, builder);
    assert_eq!(["s", "a", "b"].map(|name| restarts(&sim, name)), [0, 0, 0]);
    assert_eq!(sim.now(), at(15));
}

#[test]
fn r8_10_a_probe_kill_under_way_goes_on_and_starts_once_more() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        ..stops(6, 0)
    };
    let builder = pod(Always).app("a", script).with(|c| {
        c.liveness_probe = probe(1, 2);
    });
    // Killed at 1, down at 7, and started once more.
    let sim = deleted_at(3, None, builder);
    assert_eq!(sim.started("a", 1), Some(at(7)));
    assert_eq!(sim.signalled("a", 1), Some(at(7)));
    assert_eq!(sim.now(), at(13));
}

#[test]
fn r8_12_completion_stops_sidecars_with_the_pods_grace() {
    let sim = pod(Never)
        .grace(6)
        .sidecar("s", ignores())
        .app("a", exits(secs(2), 0))
        .run();
    assert_eq!(
        (sim.signalled("s", 0), sim.killed("s", 0)),
        (Some(at(2)), Some(at(8)))
    );
    assert_eq!(phase(&sim), "Succeeded");
    let order = sim.trace().iter().filter_map(|(_, event)| match event {
        TraceEvent::Input(Input::Exited { .. }) => Some("exited"),
        TraceEvent::Action(Action::StopSandbox) => Some("sandbox"),
        TraceEvent::Phase(phase) => Some(phase.as_str()),
        _ => None,
    });
    assert_eq!(
        order.collect::<Vec<_>>(),
        ["Running", "exited", "exited", "sandbox", "Succeeded"]
    );
}

#[test]
fn r8_13_a_probes_own_grace_wins_and_may_be_longer() {
    for own in [3, 50] {
        let script = Script {
            liveness: Probe::always(ProbeOutcome::Failure),
            ..ignores()
        };
        let mut sim = pod(Always)
            .grace(10)
            .app("a", script)
            .with(|c| {
                c.liveness_probe = probe(1, 1);
                c.liveness_probe
                    .as_mut()
                    .unwrap()
                    .termination_grace_period_seconds = Some(own);
            })
            .sim();
        sim.run_until(at(100));
        assert_eq!(sim.killed("a", 0), Some(at(own)));
    }
}

#[test]
fn r8_16_phase_after_deletion_follows_the_apps_codes() {
    for (code, expected) in [(0, "Succeeded"), (1, "Failed")] {
        let builder = pod(Always)
            .sidecar("s", stops(0, 3))
            .app("a", stops(0, code));
        assert_eq!(phase(&deleted_at(5, None, builder)), expected);
    }
    // In back-off with 0 as the last code.
    let sim = deleted_at(5, None, pod(Always).app("a", exits(secs(1), 0)));
    assert_eq!(phase(&sim), "Succeeded");
    assert_eq!(
        terminated(status(&sim, "a").state.as_ref()),
        Some((0, "Completed".to_owned()))
    );
}

#[test]
fn r8_17_what_never_ran_fails_and_gets_an_end_if_initialized() {
    let fails = vec![Some((StartFailure::ErrImagePull, "not found".to_owned())); 9];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let sim = deleted_at(5, None, pod(Always).app("a", script));
    let unknown = Some((137, "ContainerStatusUnknown".to_owned()));
    assert_eq!(terminated(status(&sim, "a").state.as_ref()), unknown);
    assert_eq!(phase(&sim), "Failed");

    let sim = deleted_at(
        5,
        None,
        pod(Always).init("i", stops(0, 1)).app("a", forever()),
    );
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PodInitializing"));
    assert_eq!(exit_code(&sim, "i"), Some(1));

    // A sidecar in back-off when the Pod completes.
    let sim = pod(Never)
        .sidecar("s", exits(secs(1), 4))
        .app("a", exits(secs(5), 0))
        .run();
    assert_eq!(terminated(status(&sim, "s").state.as_ref()), unknown);
    let last = terminated(status(&sim, "s").last_state.as_ref());
    assert_eq!(last, Some((4, "Error".to_owned())));
}

#[test]
fn r8_18_stop_signal_of_the_container() {
    let signal = Some("SIGUSR1".to_owned());
    let builder = pod(Always)
        .app("a", forever())
        .with(|c| {
            c.lifecycle = Some(Lifecycle {
                stop_signal: signal,
                ..Lifecycle::default()
            });
        })
        .app("b", forever());
    let sim = deleted_at(1, None, builder);
    let signals = sim.trace().iter().filter_map(|(_, event)| match event {
        TraceEvent::Action(Action::Stop { signal, .. }) => Some(signal.clone()),
        _ => None,
    });
    let expected = [StopSignal::Named("SIGUSR1".to_owned()), StopSignal::OfImage];
    assert_eq!(signals.collect::<Vec<_>>(), expected);
}

#[test]
fn deletion_cancels_a_pull_and_starts_nothing_else() {
    let slow = Script {
        start_takes: secs(100),
        ..forever()
    };
    let mut sim = pod(Always).app("a", slow).app("b", forever()).sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    let cancel = Action::CancelStart {
        container: "a".to_owned(),
        instance: 0,
    };
    assert_eq!(
        sim.trace().last().map(|(_, e)| e),
        Some(&TraceEvent::Action(cancel))
    );
    sim.inject(Input::StartFailed {
        container: "a".to_owned(),
        instance: 0,
        failure: StartFailure::Cancelled,
        message: String::new(),
    });
    sim.run_to_rest(at(10));
    assert!(sim.machine().is_finished());
    assert_eq!((sim.now(), sim.started("b", 0)), (at(1), None));
}

#[test]
fn kill_now_kills_everything_at_once_and_cancels_hooks() {
    let script = Script {
        pre_stop: Hook {
            takes: None,
            result: Ok(()),
        },
        ..ignores()
    };
    let mut sim = pod(Always)
        .sidecar("s", ignores())
        .app("a", script)
        .with(pre_stop(exec()))
        .app("b", ignores())
        .with(pre_stop(sleep(20)))
        .sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    sim.run_until(at(2));
    sim.inject(Input::KillNow);
    sim.run_to_rest(at(100));
    assert!(sim.machine().is_finished());
    assert_eq!(sim.now(), at(2));
    let kills =
        |(_, event): &&(_, TraceEvent)| matches!(event, TraceEvent::Action(Action::Kill { .. }));
    assert_eq!(sim.trace().iter().filter(kills).count(), 3);
}

#[test]
fn kill_now_holds_for_a_start_under_way() {
    let slow = Script {
        start_takes: secs(3),
        ..ignores()
    };
    let mut sim = pod(Always).app("a", slow).app("b", forever()).sim();
    sim.run_until(at(1));
    sim.inject(Input::KillNow);
    sim.run_to_rest(at(100));
    assert_eq!((sim.now(), sim.killed("a", 0)), (at(3), Some(at(3))));
    assert_eq!(sim.started("b", 0), None);
}

#[test]
fn r16_1_the_deadline_covers_initialization_and_ends_the_pod() {
    let mut builder = pod(Always)
        .grace(5)
        .init("i", stops(2, 0))
        .app("a", forever());
    builder.spec.active_deadline_seconds = Some(4);
    let sim = builder.run();
    assert_eq!((sim.signalled("i", 0), sim.now()), (Some(at(4)), at(6)));
    let status = sim.status();
    assert_eq!(
        (phase(&sim), status.reason.as_deref()),
        ("Failed", Some("DeadlineExceeded"))
    );
    let message = "Pod was active on the node longer than the specified deadline";
    assert_eq!(status.message.as_deref(), Some(message));
    assert_eq!(events(&sim, "DeadlineExceeded"), [message]);
    assert_eq!(sim.started("a", 0), None);
}

#[test]
fn r16_2_a_finished_pod_has_no_deadline() {
    let mut builder = pod(Never).app("a", exits(secs(1), 0));
    builder.spec.active_deadline_seconds = Some(4);
    let mut sim = builder.sim();
    sim.run_until(at(10));
    assert_eq!((phase(&sim), sim.status().reason), ("Succeeded", None));
}

/// Only input that nobody defaulted has no grace.
#[test]
fn r8_14_without_a_grace_there_are_two_seconds() {
    let mut builder = pod(Always).app("a", ignores());
    builder.spec.containers[0].liveness_probe = probe(1, 1);
    let liveness = builder.spec.containers[0].liveness_probe.as_mut();
    liveness.unwrap().termination_grace_period_seconds = Some(5);
    builder.spec.termination_grace_period_seconds = None;
    let mut sim = builder.sim();
    sim.world_mut().script("a").liveness = Probe::always(ProbeOutcome::Failure);
    sim.run_until(at(10));
    assert_eq!(gap(sim.signalled("a", 0), sim.killed("a", 0)), 2.0);
}

/// An app that ignores its signal and whose postStart takes 5 s.
fn in_post_start(hook: Hook) -> Sim {
    let script = Script {
        post_start: hook,
        ..ignores()
    };
    let app = pod(Always).app("a", script).with(post_start(exec()));
    let mut sim = app.sim();
    sim.run_until(at(1));
    delete(&mut sim, Some(4));
    sim
}

#[test]
fn r8_1_a_later_request_can_only_shorten() {
    for (second, expected) in [(20, 4.0), (3, 3.0)] {
        let mut sim = in_post_start(Hook::takes(secs(5)));
        delete(&mut sim, Some(second));
        sim.run_to_rest(at(100));
        assert_eq!(gap(sim.signalled("a", 0), sim.killed("a", 0)), expected);
    }
}

#[test]
fn r8_13_in_a_deleted_pod_the_grace_of_the_deletion_wins() {
    let mut sim = in_post_start(Hook::fails(secs(5)));
    sim.run_to_rest(at(100));
    assert_eq!(sim.signalled("a", 0), Some(at(5)));
    assert_eq!(gap(sim.signalled("a", 0), sim.killed("a", 0)), 4.0);
}
