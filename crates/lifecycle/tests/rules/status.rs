//! Phase, conditions and container states: sections 9, 10, 11, 12 and 15, as the whole machine shows them.

use lifecycle::columns::columns;
use lifecycle::sim::{Run, Script};
use lifecycle::{Exit, StartFailure};
use manifest::core::v1::RestartPolicy::{Always, Never, OnFailure};

use crate::support::*;

fn column(sim: &Sim) -> [String; 3] {
    let (spec, deleting) = (&sim.machine().pod().spec, sim.machine().is_deleting());
    let columns = columns(spec, &sim.status(), deleting, sim.now());
    [columns.ready, columns.status, columns.restarts]
}

#[test]
fn r9_7_phase_stays_running_until_the_last_app_ended() {
    let mut sim = pod(Never)
        .app("a", exits(secs(1), 1))
        .app("b", exits(secs(5), 0))
        .sim();
    sim.run_until(at(3));
    assert_eq!(
        (phase(&sim), column(&sim)),
        ("Running", ["1/2", "Error", "0"].map(str::to_owned))
    );
    sim.run_to_rest(at(100));
    assert_eq!(phase(&sim), "Failed");
}

#[test]
fn r9_8_a_terminal_phase_stays() {
    let mut sim = pod(Never).app("a", exits(secs(1), 0)).run();
    let before = sim.status();
    delete(&mut sim, None);
    sim.inject(lifecycle::Input::SandboxStopped);
    sim.run_for(secs(100));
    assert_eq!(sim.status(), before);
}

#[test]
fn r9_9_jobs_complete_with_sidecars() {
    for policy in [Never, OnFailure] {
        let script = runs([Run::exits(secs(1), 0)]);
        let sim = pod(policy).sidecar("s", forever()).app("a", script).run();
        assert_eq!(phase(&sim), "Succeeded");
        assert_eq!(condition(&sim, "Initialized").1, "PodCompleted");
        assert_eq!(condition(&sim, "Ready").1, "PodCompleted");
    }
}

#[test]
fn r10_conditions_from_start_to_end() {
    let mut sim = pod(Always)
        .init("i", exits(secs(2), 0))
        .sidecar("s", forever())
        .with(|c| c.startup_probe = probe(1, 30))
        .app("a", forever())
        .sim();
    sim.world_mut().sandbox_takes = secs(1);
    sim.world_mut().script("s").startup = lifecycle::sim::Probe::succeeds_after(secs(3));
    sim.run_until(lifecycle::Time(500));
    assert_eq!(condition(&sim, "PodScheduled").0, "True");
    assert_eq!(condition(&sim, "PodReadyToStartContainers").0, "False");
    let incomplete = |names: &str| {
        let message = format!("containers with incomplete status: [{names}]");
        (
            "False".to_owned(),
            "ContainersNotInitialized".to_owned(),
            message,
        )
    };
    assert_eq!(condition(&sim, "Initialized"), incomplete("i s"));
    sim.run_until(at(4));
    assert_eq!(condition(&sim, "PodReadyToStartContainers").0, "True");
    assert_eq!(condition(&sim, "Initialized"), incomplete("s"));
    let unready = "containers with unready status: [s a]".to_owned();
    let not_ready = ("False".to_owned(), "ContainersNotReady".to_owned(), unready);
    assert_eq!(condition(&sim, "ContainersReady"), not_ready);
    sim.run_until(at(7));
    for kind in ["Initialized", "ContainersReady", "Ready"] {
        assert_eq!(condition(&sim, kind).0, "True", "{kind}");
    }
    let ready = sim
        .status()
        .conditions
        .into_iter()
        .find(|c| c.type_ == "Ready");
    assert_eq!(ready.unwrap().last_transition_time, Some(at(6).to_meta()));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(condition(&sim, "PodReadyToStartContainers").0, "False");
}

#[test]
fn r10_7_readiness_gates_hold_back_ready_alone() {
    let mut builder = pod(Always).app("a", forever());
    let gate = manifest::core::v1::PodReadinessGate {
        condition_type: "x.io/y".to_owned(),
    };
    builder.spec.readiness_gates = vec![gate];
    let mut sim = builder.sim();
    sim.run_until(at(1));
    assert_eq!(condition(&sim, "ContainersReady").0, "True");
    assert_eq!(condition(&sim, "Ready").1, "ReadinessGatesNotReady");
}

#[test]
fn r11_2_reasons_of_ends() {
    let oom = Exit {
        code: 137,
        signal: Some(9),
        oom_killed: true,
    };
    for (exit, reason) in [
        (
            Exit {
                code: 0,
                ..Exit::default()
            },
            "Completed",
        ),
        (
            Exit {
                code: 3,
                ..Exit::default()
            },
            "Error",
        ),
        (oom, "OOMKilled"),
        (Exit { code: 0, ..oom }, "OOMKilled"),
    ] {
        let run = Run {
            exits: Some((secs(1), exit)),
            ..Run::default()
        };
        let sim = pod(Never).app("a", runs([run])).run();
        let state = terminated(status(&sim, "a").state.as_ref());
        assert_eq!(state, Some((exit.code, reason.to_owned())));
    }
}

#[test]
fn r11_5_image_that_must_not_be_pulled() {
    let message = "Container image \"a:1\" is not present with pull policy of Never".to_owned();
    let fails = vec![Some((StartFailure::ErrImageNeverPull, message.clone())); 99];
    let script = Script {
        start_fails: fails,
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).sim();
    sim.run_until(at(25));
    let waiting = status(&sim, "a").state.unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("ErrImageNeverPull"));
    assert_eq!(waiting.message, Some(message));
}

#[test]
fn r11_11_apps_by_name_and_inits_by_position() {
    let mut sim = pod(Always)
        .sidecar("z", forever())
        .sidecar("y", forever())
        .app("c", forever())
        .app("b", forever())
        .sim();
    sim.run_until(at(1));
    let status = sim.status();
    let inits: Vec<_> = status
        .init_container_statuses
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    let apps: Vec<_> = status
        .container_statuses
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!((inits, apps), (vec!["z", "y"], vec!["b", "c"]));
}

#[test]
fn r12_columns_of_a_life() {
    let mut sim = pod(Always)
        .init("i", runs([Run::exits(secs(1), 1), Run::exits(secs(4), 0)]))
        .sidecar("s", forever())
        .app("a", exits(secs(3), 1))
        .sim();
    let mut told = Vec::new();
    for second in [0, 3, 6, 10, 13] {
        sim.run_until(at(second));
        told.push(column(&sim).join(" "));
    }
    delete(&mut sim, None);
    told.push(column(&sim).join(" "));
    let expected = [
        "0/2 Init:0/2 0",
        "0/2 Init:0/2 1 (2s ago)",
        "2/2 Running 0",
        "2/2 Running 1 (2s ago)",
        "1/2 CrashLoopBackOff 1 (2s ago)",
        "1/2 Terminating 1 (5s ago)",
    ];
    assert_eq!(told, expected);
}

#[test]
fn r15_2_messages_are_cut_to_the_pods_share() {
    let message = Some("m".repeat(4096));
    let run = || Run {
        message: message.clone(),
        ..Run::exits(secs(1), 0)
    };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let builder = names
        .iter()
        .fold(pod(Never), |b, name| b.app(name, runs([run()])));
    let sim = builder.run();
    let terminated = status(&sim, "a").state.unwrap().terminated.unwrap();
    assert_eq!(terminated.message.map(|message| message.len()), Some(1536));
}

#[test]
fn sandbox_is_tried_again_and_told() {
    let mut sim = pod(Always).app("a", forever()).sim();
    sim.world_mut().sandbox_failures = 3;
    sim.run_until(at(2));
    assert_eq!(events(&sim, "FailedCreatePodSandBox").len(), 2);
    let waits = sim.machine().waits(sim.now());
    assert_eq!(
        (waits[0].kind, waits[0].until()),
        (lifecycle::WaitKind::Sandbox, Some(at(3)))
    );
    sim.run_until(at(20));
    assert_eq!(sim.started("a", 0), Some(at(7)));
}
