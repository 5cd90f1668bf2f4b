//! The probe engine: section 5.

use lifecycle::sim::{Hook, OnTerm, Probe, Run, Script, TraceEvent};
use lifecycle::{Action, ProbeKind, ProbeOutcome, Time};
use manifest::core::v1::RestartPolicy::{Always, Never};

use crate::support::*;

/// When a container's probes of one kind ran.
fn probed(sim: &Sim, kind: ProbeKind) -> Vec<Time> {
    let runs = sim.trace().iter().filter(
        |(_, event)| matches!(event, TraceEvent::Action(Action::RunProbe { probe, .. }) if *probe == kind),
    );
    runs.map(|(at, _)| *at).collect()
}

fn outcomes<const N: usize>(answers: [(u64, ProbeOutcome); N]) -> Probe {
    let answers = answers
        .map(|(from, outcome)| (secs(from), outcome))
        .to_vec();
    Probe {
        answers,
        ..Probe::always(ProbeOutcome::Success)
    }
}

#[test]
fn r5_1_defaults() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = Some(manifest::core::v1::Probe::default()))
        .sim();
    sim.run_until(at(20));
    // Every 10 s from the start on; killed after the third failure.
    assert_eq!(
        probed(&sim, ProbeKind::Liveness)[..3],
        [at(0), at(10), at(20)]
    );
    assert_eq!(sim.signalled("a", 0), Some(at(20)));
}

#[test]
fn r5_4_initial_delay_counts_from_the_start_of_each_instance() {
    let mut sim = pod(Always)
        .app("a", runs([Run::exits(secs(7), 1), Run::default()]))
        .with(|c| {
            c.readiness_probe = probe(10, 3);
            c.readiness_probe.as_mut().unwrap().initial_delay_seconds = Some(4);
        })
        .sim();
    sim.run_until(at(25));
    assert_eq!(probed(&sim, ProbeKind::Readiness), [at(4), at(11), at(21)]);
}

#[test]
fn r5_5_initial_results() {
    let never = Script {
        startup: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", never)
        .with(|c| c.startup_probe = probe(100, 9))
        .app("b", forever())
        .with(|c| {
            c.readiness_probe = probe(10, 3);
            c.readiness_probe.as_mut().unwrap().initial_delay_seconds = Some(5);
            c.liveness_probe = probe(10, 3);
        })
        .sim();
    sim.run_until(at(1));
    assert_eq!(
        (status(&sim, "a").started, status(&sim, "a").ready),
        (Some(false), false)
    );
    assert_eq!(
        (status(&sim, "b").started, status(&sim, "b").ready),
        (Some(true), false)
    );
}

#[test]
fn r5_6_results_count_when_they_come_often_enough_in_a_row() {
    use ProbeOutcome::{Failure, Success};
    let script = Script {
        readiness: outcomes([
            (0, Success),
            (5, Failure),
            (6, Success),
            (10, Failure),
            (14, Success),
        ]),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.readiness_probe = probe(1, 3);
            c.readiness_probe.as_mut().unwrap().success_threshold = Some(2);
        })
        .sim();
    let mut ready = Vec::new();
    for second in 0..20 {
        sim.run_until(at(second));
        ready.push(status(&sim, "a").ready);
    }
    let expected: Vec<bool> = (0..20).map(|s| (1..12).contains(&s) || s >= 15).collect();
    assert_eq!(ready, expected);
}

#[test]
fn r5_7_others_wait_for_the_startup_probe_which_then_rests() {
    let script = Script {
        startup: Probe::succeeds_after(secs(3)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.startup_probe = probe(1, 30);
            c.liveness_probe = probe(5, 3);
        })
        .sim();
    sim.run_until(at(10));
    assert_eq!(
        probed(&sim, ProbeKind::Startup),
        [at(0), at(1), at(2), at(3)]
    );
    assert_eq!(probed(&sim, ProbeKind::Liveness), [at(3), at(8)]);
}

#[test]
fn r5_8_no_runs_between_a_liveness_failure_and_the_next_instance() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        runs: vec![Run::default().on_term(OnTerm::Exit(secs(5), 0))],
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(1, 2))
        .sim();
    sim.run_until(at(7));
    assert_eq!(
        probed(&sim, ProbeKind::Liveness),
        [at(0), at(1), at(6), at(7)]
    );
}

#[test]
fn r5_11_ready_at_once_after_the_startup_probe() {
    let script = Script {
        startup: Probe::succeeds_after(secs(4)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.startup_probe = probe(1, 60);
            c.readiness_probe = probe(60, 3);
        })
        .sim();
    sim.run_until(at(70));
    assert_eq!(probed(&sim, ProbeKind::Readiness), [at(4), at(64)]);
    assert!(status(&sim, "a").ready);
}

#[test]
fn r5_12_errors_are_tried_three_times_and_count_neither_way() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Error),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(10, 1))
        .sim();
    sim.run_until(at(5));
    assert_eq!(probed(&sim, ProbeKind::Liveness).len(), 3);
    let told = events(&sim, "Unhealthy");
    assert_eq!(
        told,
        ["Liveness probe errored and resulted in unknown state: error"; 3]
    );
    sim.run_until(at(100));
    assert_eq!(restarts(&sim, "a"), 0);
}

#[test]
fn r5_12_a_probe_that_meets_the_containers_end_says_nothing() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Ended),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(10, 1))
        .sim();
    sim.run_until(at(25));
    assert_eq!(
        probed(&sim, ProbeKind::Liveness),
        [at(0), at(10), at(20)],
        "it is not tried again at once"
    );
    assert!(events(&sim, "Unhealthy").is_empty());
    assert_eq!(restarts(&sim, "a"), 0);
}

#[test]
fn r5_13_warnings_are_successes() {
    let script = Script {
        readiness: Probe::always(ProbeOutcome::Warning),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.readiness_probe = probe(10, 1))
        .sim();
    sim.run_until(at(1));
    assert!(status(&sim, "a").ready);
    assert_eq!(
        events(&sim, "ProbeWarning"),
        ["Readiness probe warning: warning"]
    );
}

#[test]
fn r5_14_an_app_that_is_never_restarted_ends_the_pod() {
    for startup in [true, false] {
        let failing = Probe::always(ProbeOutcome::Failure);
        let script = Script {
            startup: failing.clone(),
            liveness: failing,
            runs: vec![Run::default().on_term(OnTerm::Exit(secs(0), 5))],
            ..Script::default()
        };
        let sim = pod(Never)
            .app("a", script)
            .with(|c| match startup {
                true => c.startup_probe = probe(1, 2),
                false => c.liveness_probe = probe(1, 2),
            })
            .run();
        assert_eq!((phase(&sim), exit_code(&sim, "a")), ("Failed", Some(5)));
        assert_eq!(restarts(&sim, "a"), 0);
    }
}

#[test]
fn r5_15_readiness_never_restarts() {
    let script = Script {
        readiness: Probe::always(ProbeOutcome::Failure),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.readiness_probe = probe(1, 1))
        .sim();
    sim.run_until(at(100));
    assert_eq!(restarts(&sim, "a"), 0);
    assert_eq!(condition(&sim, "ContainersReady").1, "ContainersNotReady");
}

#[test]
fn r5_16_at_deletion_readiness_goes_on_and_liveness_ends() {
    use ProbeOutcome::{Failure, Success};
    let probe_script = outcomes([(0, Success), (5, Failure)]);
    let script = Script {
        readiness: probe_script.clone(),
        liveness: probe_script,
        runs: vec![Run::default().on_term(OnTerm::Exit(secs(8), 0))],
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.readiness_probe = probe(1, 1);
            c.liveness_probe = probe(1, 1);
        })
        .sim();
    sim.run_until(at(4));
    delete(&mut sim, None);
    sim.run_until(at(6));
    assert!(!status(&sim, "a").ready);
    sim.run_to_rest(at(100));
    assert_eq!(probed(&sim, ProbeKind::Liveness).last(), Some(&at(4)));
    assert_eq!((sim.now(), exit_code(&sim, "a")), (at(12), Some(0)));
}

#[test]
fn r5_18_no_probe_runs_before_post_start_has_ended() {
    let script = Script {
        post_start: Hook::takes(secs(3)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(post_start(exec()))
        .with(|c| c.readiness_probe = probe(1, 1))
        .sim();
    sim.run_until(at(4));
    assert_eq!(probed(&sim, ProbeKind::Readiness), [at(3), at(4)]);
}

#[test]
fn r5_19_failures_in_a_row_are_counted_over_a_restart_of_its_own() {
    let script = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        runs: vec![Run::exits(ms(1500), 1), Run::default()],
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| c.liveness_probe = probe(1, 3))
        .sim();
    sim.run_until(at(2));
    // Failures at 0, 1 and, of the next instance, at 1.5.
    assert_eq!(sim.signalled("a", 1), Some(Time(1500)));
}

#[test]
fn a_probe_that_takes_longer_than_its_period_runs_again_at_once() {
    let slow = Probe {
        takes: ms(1500),
        ..Probe::always(ProbeOutcome::Success)
    };
    let script = Script {
        readiness: slow,
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(|c| {
            c.readiness_probe = probe(1, 1);
            c.readiness_probe.as_mut().unwrap().timeout_seconds = Some(5);
        })
        .sim();
    sim.run_until(at(5));
    assert_eq!(
        probed(&sim, ProbeKind::Readiness),
        [Time(0), Time(1500), Time(3000), Time(4500)]
    );
}
