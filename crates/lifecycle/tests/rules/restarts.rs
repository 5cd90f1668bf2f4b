//! Restart policy, back-off, and sidecars after initialization: sections 3 and 4.

use lifecycle::sim::TraceEvent;
use lifecycle::sim::{Hook, OnTerm, Probe, Run, Script};
use lifecycle::{Action, Input, ProbeOutcome, StartFailure, Time};
use manifest::core::v1::RestartPolicy::{Always, Never, OnFailure};

use crate::support::*;

#[test]
fn r3_1_r3_13_policy_counts_and_phase() {
    for (policy, count, phase_after, finished) in [
        (Always, 2, "Running", false),
        (OnFailure, 1, "Succeeded", true),
        (Never, 0, "Failed", true),
    ] {
        let script = runs([
            Run::exits(secs(1), 1),
            Run::exits(secs(1), 0),
            Run::default(),
        ]);
        let mut sim = pod(policy).app("a", script).sim();
        sim.run_to_rest(at(600));
        assert_eq!(restarts(&sim, "a"), count, "{policy}");
        assert_eq!(phase(&sim), phase_after, "{policy}");
        assert_eq!(sim.machine().is_finished(), finished, "{policy}");
    }
}

/// Delays between the ends and the starts of a container's runs.
fn delays(sim: &Sim, name: &str, restarts: u32) -> Vec<f64> {
    (0..restarts)
        .map(|n| gap(sim.exited(name, n), sim.started(name, n + 1)))
        .collect()
}

#[test]
fn r3_2_r3_3_one_ladder_for_apps_inits_and_sidecars_and_code_0() {
    let mut apps = pod(Always).app("a", exits(secs(1), 0)).sim();
    let mut inits = pod(OnFailure)
        .init("a", exits(secs(1), 3))
        .app("b", forever())
        .sim();
    let mut sidecars = pod(Never)
        .sidecar("a", exits(secs(1), 0))
        .app("b", forever())
        .sim();
    for sim in [&mut apps, &mut inits, &mut sidecars] {
        sim.run_until(at(2000));
        let expected = [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0];
        assert_eq!(delays(sim, "a", 8), expected);
    }
}

#[test]
fn r3_4_a_run_of_more_than_600_s_resets_the_ladder() {
    let script = runs([
        Run::exits(secs(1), 1),
        Run::exits(secs(1), 1),
        Run::exits(secs(601), 1),
        Run::exits(secs(1), 1),
        Run::default(),
    ]);
    let mut sim = pod(Always).app("a", script).sim();
    sim.run_until(at(1000));
    assert_eq!(delays(&sim, "a", 4), [0.0, 10.0, 0.0, 10.0]);
}

#[test]
fn r3_5_a_changed_image_begins_a_new_ladder_and_restarts_at_once() {
    let mut sim = pod(Always).app("a", exits(secs(1), 1)).sim();
    sim.run_until(at(14));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    let mut changed = sim.machine().pod().as_ref().clone();
    changed.spec.containers[0].image = Some("a:2".to_owned());
    sim.inject(Input::SpecChanged {
        pod: changed.into(),
    });
    sim.run_until(at(30));
    assert_eq!(sim.started("a", 3), Some(at(14)));
    assert_eq!(sim.started("a", 4), Some(at(25)));
}

#[test]
fn r3_8_the_first_two_restarts_by_a_probe_are_immediate() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.liveness_probe = probe(1, 1);
            c.liveness_probe.as_mut().unwrap().initial_delay_seconds = Some(2);
        })
        .sim();
    sim.run_until(at(120));
    assert_eq!(delays(&sim, "a", 5), [0.0, 0.0, 10.0, 20.0, 40.0]);
    let killing = events(&sim, "Killing");
    assert_eq!(
        killing[0],
        "Container a failed liveness probe, will be restarted"
    );
}

#[test]
fn r3_9_restart_count_is_that_of_the_newest_instance() {
    let mut sim = pod(Always).app("a", exits(secs(1), 1)).sim();
    sim.run_until(at(12));
    assert_eq!(restarts(&sim, "a"), 2);
    assert_eq!(status(&sim, "a").container_id.as_deref(), Some("sim://a/2"));
}

#[test]
fn r3_10_what_is_shown_and_told_during_back_off() {
    let mut sim = pod(Always).app("a", exits(secs(1), 7)).sim();
    sim.run_until(at(5));
    let status = status(&sim, "a");
    let waiting = status.state.unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("CrashLoopBackOff"));
    let message = "back-off 10s restarting failed container=a pod=pod_default(uid)";
    assert_eq!(waiting.message.as_deref(), Some(message));
    assert_eq!(
        terminated(status.last_state.as_ref()),
        Some((7, "Error".to_owned()))
    );
    let told = "Back-off restarting failed container a in pod pod_default(uid)";
    assert_eq!(events(&sim, "BackOff"), [told]);
    assert_eq!(phase(&sim), "Running");
    let waits = sim.machine().waits(sim.now());
    assert_eq!(waits[0].kind, lifecycle::WaitKind::RestartBackOff);
    assert_eq!((waits[0].since, waits[0].until()), (at(2), Some(at(12))));
}

#[test]
fn r3_12_only_the_newest_dead_run_is_kept() {
    let mut sim = pod(Always).app("a", exits(secs(1), 1)).sim();
    sim.run_until(at(50));
    let removed: Vec<u32> = sim
        .trace()
        .iter()
        .filter_map(|(_, event)| match event {
            TraceEvent::Action(Action::Remove { instance, .. }) => Some(*instance),
            _ => None,
        })
        .collect();
    assert_eq!(restarts(&sim, "a"), 3);
    assert_eq!(removed, [0, 1]);
}

#[test]
fn r4_1_sidecars_are_restarted_as_long_as_an_app_runs() {
    let sim = pod(Never)
        .sidecar("s", exits(secs(2), 0))
        .app("a", exits(secs(20), 0))
        .run();
    assert_eq!(restarts(&sim, "s"), 2);
    assert_eq!(phase(&sim), "Succeeded");
}

#[test]
fn r4_2_sidecars_in_back_off_do_not_hold_up_the_end() {
    let sim = pod(Never)
        .sidecar("s", forever())
        .sidecar("t", exits(secs(2), 1))
        .app("a", exits(secs(8), 0))
        .run();
    // t ends at 2 and 4, and would be started again at 14.
    assert_eq!(sim.now(), at(8));
    assert_eq!((phase(&sim), restarts(&sim, "t")), ("Succeeded", 1));
}

#[test]
fn r4_3_r4_4_a_crashing_sidecar_makes_the_pod_unready_and_nothing_else() {
    let mut sim = pod(Always)
        .sidecar("s", exits(secs(2), 1))
        .app("a", forever())
        .sim();
    sim.run_until(at(1));
    assert_eq!(condition(&sim, "Ready").0, "True");
    sim.run_until(at(8));
    assert_eq!(phase(&sim), "Running");
    assert_eq!(condition(&sim, "Initialized").0, "True");
    let (ready, reason, message) = condition(&sim, "Ready");
    assert_eq!(
        (ready.as_str(), reason.as_str()),
        ("False", "ContainersNotReady")
    );
    assert_eq!(message, "containers with unready status: [s]");
}

#[test]
fn r4_5_codes_of_sidecars_do_not_count() {
    let script = runs([Run::default().on_term(OnTerm::Exit(secs(1), 137))]);
    let sim = pod(Never)
        .sidecar("s", script)
        .app("a", exits(secs(3), 0))
        .run();
    assert_eq!(
        (phase(&sim), exit_code(&sim, "s")),
        ("Succeeded", Some(137))
    );
}

#[test]
fn r4_6_sidecars_stand_among_the_init_statuses() {
    let mut sim = pod(Always)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(2));
    let inits = sim.status().init_container_statuses;
    let told: Vec<_> = inits
        .iter()
        .map(|s| (s.name.as_str(), s.ready, s.started))
        .collect();
    assert_eq!(told, [("i", true, Some(false)), ("s", true, Some(true))]);
}

#[test]
fn r4_8_a_changed_image_restarts_that_sidecar_and_no_finished_init() {
    let mut sim = pod(Never)
        .init("i", exits(secs(1), 0))
        .sidecar("s", forever())
        .sidecar("t", forever())
        .app("a", forever())
        .sim();
    sim.run_until(at(5));
    let mut changed = sim.machine().pod().as_ref().clone();
    changed.spec.init_containers[0].image = Some("i:2".to_owned());
    changed.spec.init_containers[1].image = Some("s:2".to_owned());
    sim.inject(Input::SpecChanged {
        pod: changed.into(),
    });
    sim.run_until(at(10));
    let counts = ["i", "s", "t", "a"].map(|name| restarts(&sim, name));
    assert_eq!(counts, [0, 1, 0, 0]);
    assert_eq!(sim.started("s", 1), Some(at(5)));
}

#[test]
fn r11_6_image_pulls_back_off_from_10_s_to_300_s() {
    let fails = vec![Some((StartFailure::ErrImagePull, "not found".to_owned())); 9];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).sim();
    sim.run_until(at(3000));
    let tries: Vec<Time> = sim
        .trace()
        .iter()
        .filter(|(_, event)| matches!(event, TraceEvent::Action(Action::Start { .. })))
        .map(|(at, _)| *at)
        .collect();
    let delays: Vec<u64> = tries
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300, 300, 300]);
    assert_eq!(restarts(&sim, "a"), 0);
    assert_eq!(events(&sim, "BackOff")[0], "Back-off pulling image \"a:1\"");
}

#[test]
fn r11_3_what_waits_for_an_object_is_tried_again_when_it_comes() {
    let missing = "configmap \"c\" not found".to_owned();
    let fails = vec![Some((StartFailure::CreateContainerConfigError, missing)); 2];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).sim();
    sim.run_until(at(12));
    assert_eq!(
        waiting(&sim, "a").as_deref(),
        Some("CreateContainerConfigError")
    );
    assert_eq!(phase(&sim), "Pending");
    sim.inject(Input::ObjectsChanged);
    sim.run_until(at(13));
    assert_eq!(sim.started("a", 0), Some(at(12)));
}

#[test]
fn r11_8_an_entrypoint_that_is_missing_counts_as_a_run() {
    let fails = vec![Some((StartFailure::RunContainerError, "no such file".to_owned())); 100];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script.clone()).sim();
    sim.run_until(at(1));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("RunContainerError"));
    sim.run_until(at(5));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    let last = terminated(status(&sim, "a").last_state.as_ref());
    assert_eq!(last, Some((128, "StartError".to_owned())));
    assert_eq!((phase(&sim), restarts(&sim, "a")), ("Running", 1));

    let sim = pod(Never).app("a", script).run();
    let state = terminated(status(&sim, "a").state.as_ref());
    assert_eq!(state, Some((128, "StartError".to_owned())));
    assert_eq!((phase(&sim), restarts(&sim, "a")), ("Failed", 0));
}

#[test]
fn r7_3_failed_post_start_restarts_with_back_off() {
    let script = Script {
        post_start: Hook::fails(secs(1)),
        pre_stop: Hook::takes(secs(1)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(post_start(exec()))
        .with(pre_stop(exec()))
        .sim();
    sim.run_until(at(5));
    assert_eq!(sim.signalled("a", 0), Some(at(2)));
    assert_eq!(sim.started("a", 1), Some(at(2)));
    assert_eq!(events(&sim, "FailedPostStartHook").len(), 2);
    assert_eq!(waiting(&sim, "a").as_deref(), Some("PostStartHookError"));
    sim.run_until(at(7));
    assert_eq!(waiting(&sim, "a").as_deref(), Some("CrashLoopBackOff"));
    sim.run_until(at(15));
    assert_eq!(sim.started("a", 2), Some(at(14)));
}
