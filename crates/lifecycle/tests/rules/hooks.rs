//! Lifecycle hooks: section 7.

use lifecycle::sim::{Hook, OnTerm, Run, Script, TraceEvent};
use lifecycle::{Action, EventKind, HookKind, Time};
use manifest::core::v1::RestartPolicy::{Always, Never};
use manifest::core::v1::{LifecycleHandler, TcpSocketAction};

use crate::support::*;

fn hooks(sim: &Sim, kind: HookKind) -> Vec<(String, Time)> {
    let hooks = sim.trace().iter().filter_map(|(at, event)| match event {
        TraceEvent::Action(Action::RunHook {
            container, hook, ..
        }) if *hook == kind => Some((container.clone(), *at)),
        _ => None,
    });
    hooks.collect()
}

#[test]
fn r7_1_tcp_socket_hooks_always_fail() {
    let port = manifest::IntOrString::Int(80);
    let tcp = LifecycleHandler {
        tcp_socket: Some(TcpSocketAction {
            port,
            ..TcpSocketAction::default()
        }),
        ..LifecycleHandler::default()
    };
    let mut sim = pod(Always).app("a", forever()).with(pre_stop(tcp)).sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    sim.run_to_rest(at(10));
    assert_eq!(events(&sim, "FailedPreStopHook").len(), 1);
    assert_eq!(sim.now(), at(1));
}

#[test]
fn r7_2_not_started_before_post_start_has_ended() {
    let mut sim = pod(Always)
        .app("a", forever())
        .with(post_start(sleep(2)))
        .app("b", forever())
        .sim();
    sim.run_until(at(1));
    assert_eq!(status(&sim, "a").started, Some(false));
    assert_eq!(sim.started("b", 0), None);
    assert_eq!(phase(&sim), "Pending");
    sim.run_until(at(2));
    assert_eq!(status(&sim, "a").started, Some(true));
    assert_eq!(sim.started("b", 0), Some(at(2)));
}

#[test]
fn r7_4_r8_10_deletion_waits_for_the_pass_under_way() {
    let script = Script {
        post_start: Hook::takes(secs(5)),
        ..Script::default()
    };
    let mut sim = pod(Always)
        .app("a", script)
        .with(post_start(exec()))
        .app("b", forever())
        .sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(sim.started("b", 0), Some(at(5)));
    assert_eq!(
        (sim.signalled("a", 0), sim.signalled("b", 0)),
        (Some(at(5)), Some(at(5)))
    );
}

#[test]
fn r7_5_pre_stop_runs_when_killed_and_not_at_an_own_exit() {
    let sim = pod(Never)
        .app("a", exits(secs(1), 0))
        .with(pre_stop(exec()))
        .run();
    assert_eq!(hooks(&sim, HookKind::PreStop), []);
    let sim = pod(Never)
        .sidecar("s", forever())
        .with(pre_stop(exec()))
        .app("a", exits(secs(1), 0))
        .run();
    assert_eq!(hooks(&sim, HookKind::PreStop), [("s".to_owned(), at(1))]);
}

#[test]
fn r7_6_a_failed_pre_stop_is_told_and_changes_nothing() {
    let script = Script {
        pre_stop: Hook::fails(secs(1)),
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).with(pre_stop(exec())).sim();
    sim.run_until(at(1));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(events(&sim, "FailedPreStopHook"), ["PreStopHook failed"]);
    assert_eq!(
        (sim.signalled("a", 0), exit_code(&sim, "a")),
        (Some(at(2)), Some(0))
    );
}

#[test]
fn r7_7_pre_stop_needs_grace() {
    // Pod completion with a grace of 0 has none; a deletion with 0 has 1 s.
    let sim = pod(Never)
        .grace(0)
        .sidecar("s", forever())
        .with(pre_stop(exec()))
        .app("a", exits(secs(1), 0))
        .run();
    assert_eq!(hooks(&sim, HookKind::PreStop), []);
    let script = Script {
        pre_stop: Hook::takes(secs(20)),
        ..Script::default()
    };
    let mut sim = pod(Always).app("a", script).with(pre_stop(exec())).sim();
    sim.run_until(at(5));
    delete(&mut sim, Some(0));
    sim.run_to_rest(at(100));
    assert_eq!(hooks(&sim, HookKind::PreStop).len(), 1);
    assert_eq!(sim.signalled("a", 0), Some(at(6)));
}

#[test]
fn r7_8_sleep_is_cut_at_the_grace() {
    for (seconds, signal) in [(0, 5), (2, 7), (10, 9)] {
        let mut sim = pod(Always)
            .grace(4)
            .app("a", forever())
            .with(pre_stop(sleep(seconds)))
            .sim();
        sim.run_until(at(5));
        delete(&mut sim, None);
        sim.run_to_rest(at(100));
        assert_eq!(sim.signalled("a", 0), Some(at(signal)), "sleep {seconds}");
    }
}

#[test]
fn r7_9_no_hook_for_what_has_ended() {
    let mut sim = pod(Never)
        .app("a", exits(secs(1), 0))
        .with(pre_stop(sleep(20)))
        .app("b", forever())
        .sim();
    sim.run_until(at(5));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(sim.now(), at(5));
}

#[test]
fn r7_12_all_pre_stops_begin_together() {
    let slow = || Script {
        pre_stop: Hook::takes(secs(2)),
        runs: vec![Run::default().on_term(OnTerm::Exit(secs(1), 0))],
        ..Script::default()
    };
    let mut sim = pod(Always)
        .sidecar("s", slow())
        .with(pre_stop(exec()))
        .sidecar("t", slow())
        .with(pre_stop(exec()))
        .app("a", slow())
        .with(pre_stop(exec()))
        .sim();
    sim.run_until(at(3));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    let times: Vec<Time> = hooks(&sim, HookKind::PreStop)
        .into_iter()
        .map(|(_, at)| at)
        .collect();
    assert_eq!(times, [at(3); 3]);
}

#[test]
fn an_exec_hook_ends_with_its_container() {
    let script = Script {
        pre_stop: Hook {
            takes: None,
            result: Ok(()),
        },
        runs: vec![Run::exits(secs(4), 0)],
        ..Script::default()
    };
    let mut sim = pod(Never).app("a", script).with(pre_stop(exec())).sim();
    sim.run_until(at(3));
    delete(&mut sim, None);
    sim.run_to_rest(at(100));
    assert_eq!(sim.now(), at(4));
    assert_eq!(events(&sim, "FailedPreStopHook").len(), 1);
}

#[test]
fn r7_10_a_fall_back_is_told() {
    let mut sim = pod(Always).app("a", forever()).sim();
    sim.run_until(at(1));
    sim.inject(lifecycle::Input::HookFellBack {
        container: "a".to_owned(),
        server: "10.88.0.2:8443".to_owned(),
    });
    let told = "request to HTTPS lifecycle hook 10.88.0.2:8443 got HTTP response, retry with HTTP succeeded";
    let expected = (EventKind::Warning, "a".to_owned(), told.to_owned());
    let events = sim.trace().iter().filter_map(|(_, event)| match event {
        TraceEvent::Action(Action::Emit(event)) if event.reason == "LifecycleHTTPFallback" => {
            Some((event.kind, event.container.clone()?, event.message.clone()))
        }
        _ => None,
    });
    assert_eq!(events.collect::<Vec<_>>(), [expected]);
}
