use std::time::Duration;

use manifest::core::v1::{Pod, PodSpec};
use serde_json::{Value, json};

use super::*;
use crate::sim::{Hook, OnTerm, Probe, Run, Script, Scripted, Simulator, TraceEvent};
use crate::{Action, Input, Options, Time};

pub(super) fn spec(value: Value) -> PodSpec {
    let mut spec = serde_json::from_value(value).unwrap();
    manifest::defaults::pod_spec(&mut spec);
    spec
}

fn example() -> PodSpec {
    spec(json!({
        "initContainers": [
            {"name": "migrate"},
            {
                "name": "proxy",
                "restartPolicy": "Always",
                "startupProbe": {"tcpSocket": {"port": 1}, "initialDelaySeconds": 3, "periodSeconds": 2, "failureThreshold": 5},
                "lifecycle": {"postStart": {"sleep": {"seconds": 4}}},
            },
            {"name": "logs", "restartPolicy": "Always"},
        ],
        "containers": [{"name": "web"}, {"name": "worker"}],
    }))
}

#[test]
fn r1_start_order_with_reasons() {
    let starts = plan(&example()).starts;
    let told = starts.iter().map(|start| {
        let gate = |gate: &Gate| format!("{gate} ({})", gate.field.path);
        let after: Vec<_> = start.after.iter().map(gate).collect();
        (start.container.as_str(), after.join("; "))
    });
    let expected = [
        ("migrate", ""),
        (
            "proxy",
            "migrate has exited with 0 (spec.initContainers[0])",
        ),
        (
            "logs",
            "proxy has been started (spec.initContainers[1].restartPolicy); \
             the postStart hook of proxy has ended (spec.initContainers[1].lifecycle.postStart); \
             the startup probe of proxy has succeeded (spec.initContainers[1].startupProbe)",
        ),
        (
            "web",
            "logs has been started (spec.initContainers[2].restartPolicy)",
        ),
        ("worker", "web has been started (spec.containers[0])"),
    ];
    let told = told.collect::<Vec<_>>();
    assert_eq!(told, expected.map(|(name, after)| (name, after.to_owned())));
}

#[test]
fn r8_6_stop_order() {
    let stops = plan(&example()).stops.order;
    let told = stops
        .iter()
        .map(|stop| (stop.container.as_str(), stop.rank, stop.after.join(" ")));
    let expected = [
        ("web", 0, ""),
        ("worker", 0, ""),
        ("logs", 1, "web worker"),
        ("proxy", 2, "web worker logs"),
    ];
    let told = told.collect::<Vec<_>>();
    assert_eq!(
        told,
        expected.map(|(name, rank, after)| (name, rank, after.to_owned()))
    );
}

#[test]
fn what_takes_as_long_as_it_takes_is_named() {
    let spec = spec(json!({
        "initContainers": [{"name": "migrate"}],
        "containers": [
            {"name": "web", "lifecycle": {"postStart": {"exec": {"command": ["warm-up"]}}}},
            {"name": "worker"},
        ],
    }));
    let starts = plan(&spec).starts;
    let earliest = starts.iter().map(|start| start.earliest.to_string());
    assert_eq!(
        earliest.collect::<Vec<_>>(),
        ["0s", "migrate", "migrate + postStart of web"]
    );
}

fn simulate(spec: &PodSpec, world: Scripted) -> Simulator<Scripted> {
    let pod = Pod {
        spec: spec.clone(),
        ..Pod::default()
    };
    Simulator::new(pod, Options::default(), world)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The machine itself is asked: estimates are not another opinion.
#[test]
fn estimates_are_what_the_machine_does() {
    let probe = |delay: u64, period: u64, failures: u64, timeout: u64| {
        json!({
            "tcpSocket": {"port": 1}, "initialDelaySeconds": delay, "periodSeconds": period,
            "failureThreshold": failures, "timeoutSeconds": timeout,
        })
    };
    let mut ready = probe(6, 3, 3, 1);
    ready["successThreshold"] = json!(2);
    for (delay, period, failures, timeout, sleep) in [
        (0, 1, 30, 1, 0),
        (3, 2, 5, 1, 0),
        (3, 2, 5, 1, 7),
        (0, 10, 3, 1, 2),
        (1, 2, 4, 5, 0),
        (0, 5, 1, 2, 0),
    ] {
        let mut proxy = json!({
            "name": "proxy", "restartPolicy": "Always", "startupProbe": probe(delay, period, failures, timeout),
        });
        if sleep > 0 {
            proxy["lifecycle"] = json!({"postStart": {"sleep": {"seconds": sleep}}});
        }
        let spec = spec(json!({
            "initContainers": [{"name": "migrate"}, proxy],
            "containers": [
                {"name": "web", "lifecycle": {"postStart": {"sleep": {"seconds": 2}}}, "readinessProbe": ready},
                {"name": "worker", "startupProbe": probe(1, 1, 3, 1)},
            ],
        }));
        let plan = plan(&spec);
        let expected = |which: fn(&Start) -> &Estimate| {
            let seconds = plan.starts.iter().map(|start| which(start).seconds);
            seconds.collect::<Vec<_>>()
        };
        let started = |sim: &Simulator<Scripted>| {
            let at = plan
                .starts
                .iter()
                .map(|start| sim.started(&start.container, 0).unwrap());
            at.map(|at| u64::try_from(at.0).unwrap() / 1000)
                .collect::<Vec<_>>()
        };
        let what = format!("{delay} {period} {failures} {timeout} {sleep}");

        let migrate = Script {
            runs: vec![Run::exits(Duration::ZERO, 0)],
            ..Script::default()
        };
        let mut world = Scripted::default();
        *world.script("migrate") = migrate.clone();
        let mut sim = simulate(&spec, world);
        let is_ready = |sim: &Simulator<Scripted>| {
            let conditions = sim.status().conditions;
            conditions
                .iter()
                .any(|c| c.type_ == "Ready" && c.status.as_str() == "True")
        };
        sim.run_while(Time::from_secs(600), |sim| !is_ready(sim));
        assert_eq!(started(&sim), expected(|start| &start.earliest), "{what}");
        assert_eq!(
            sim.now(),
            Time::from_secs(i64::try_from(plan.ready.seconds).unwrap()),
            "{what}"
        );

        // Every attempt but the last takes its whole time-out and fails; the last succeeds as late as it can.
        let mut world = Scripted::default();
        *world.script("migrate") = migrate;
        let last = plan.starts[2].latest.seconds - timeout;
        world.script("proxy").startup = Probe {
            takes: secs(timeout),
            ..Probe::succeeds_after(secs(last))
        };
        let mut sim = simulate(&spec, world);
        sim.run_until(Time::from_secs(600));
        assert_eq!(sim.started("proxy", 1), None, "{what}: it was restarted");
        assert_eq!(started(&sim), expected(|start| &start.latest), "{what}");

        // Anything later is too late.
        sim.world_mut().script("proxy").startup = Probe::succeeds_after(secs(600));
        let mut world = Scripted::default();
        world.script("migrate").runs = vec![Run::exits(Duration::ZERO, 0)];
        world.script("proxy").startup = Probe {
            takes: secs(timeout),
            ..Probe::succeeds_after(secs(last + 1))
        };
        let mut sim = simulate(&spec, world);
        sim.run_until(Time::from_secs(600));
        assert!(
            sim.started("proxy", 1).is_some(),
            "{what}: it was not restarted"
        );
    }
}

/// Nobody gets its stop signal or SIGKILL later than was said, and some do just then.
#[test]
fn r8_3_grace_budget_is_what_the_machine_grants() {
    let hooks = [
        None,
        Some(json!({"sleep": {"seconds": 3}})),
        Some(json!({"exec": {"command": ["drain"]}})),
    ];
    for grace in [1, 2, 5, 10] {
        for (app, sidecar) in hooks
            .iter()
            .flat_map(|app| hooks.iter().map(move |sidecar| (app, sidecar)))
        {
            let with = |mut container: Value, hook: &Option<Value>| {
                let hook = hook.clone();
                if let Some(mut hook) = hook {
                    if hook.get("sleep").is_some() {
                        hook["sleep"]["seconds"] = json!(3.min(grace));
                    }
                    container["lifecycle"] = json!({"preStop": hook});
                }
                container
            };
            let spec = spec(json!({
                "terminationGracePeriodSeconds": grace,
                "initContainers": [with(json!({"name": "proxy", "restartPolicy": "Always"}), sidecar)],
                "containers": [with(json!({"name": "web"}), app)],
            }));
            let stops = plan(&spec).stops;
            let mut latest = vec![(0, 0); stops.order.len()];
            for takes in [0, 500, 900, 1900, 4990, 9900, 60_000] {
                let mut world = Scripted::default();
                for name in ["web", "proxy"] {
                    let script = world.script(name);
                    script.runs = vec![Run::default().on_term(OnTerm::Ignore)];
                    script.pre_stop = Hook::takes(Duration::from_millis(takes));
                }
                let mut sim = simulate(&spec, world);
                sim.run_until(Time::from_secs(100));
                sim.inject(Input::Delete {
                    grace_seconds: None,
                });
                sim.run_until(Time::from_secs(300));
                for (stop, latest) in stops.order.iter().zip(&mut latest) {
                    let signal = sim.signalled(&stop.container, 0).unwrap().0 - 100_000;
                    let kill = sim.killed(&stop.container, 0).unwrap().0 - 100_000;
                    *latest = (latest.0.max(signal), latest.1.max(kill));
                }
            }
            let what = format!("grace {grace}, preStop {app:?} {sidecar:?}");
            for (stop, (signal, kill)) in stops.order.iter().zip(latest) {
                for (seen, said) in [
                    (signal, stop.signal_by_seconds),
                    (kill, stop.kill_by_seconds),
                ] {
                    let said = said * 1000;
                    assert!(
                        seen <= said && seen > said - 1000,
                        "{what}: {} {seen} of {said}",
                        stop.container
                    );
                }
            }
            let down = stops.order.iter().map(|stop| stop.kill_by_seconds).max();
            assert_eq!(down, Some(stops.down_by_seconds), "{what}");
        }
    }
}

#[test]
fn r13_1_the_term_that_counts_comes_first() {
    let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
    let spec = spec(json!({
        "initContainers": [
            {"name": "proxy", "restartPolicy": "Always", "resources": cpu("200m")},
            {"name": "migrate", "resources": cpu("1")},
        ],
        "containers": [{"name": "web", "resources": cpu("300m")}],
    }));
    let plan = plan(&spec);
    let [total] = &plan.requests[..] else {
        panic!("{:?}", plan.requests)
    };
    assert_eq!(total.amount.to_string(), "1200m");
    assert_eq!(total.terms[0].during.as_deref(), Some("migrate"));
    assert_eq!(total.terms[1].sum.to_string(), "500m");
    let by_manifest = manifest::resources::effective_requests(&spec);
    assert_eq!(by_manifest.get("cpu"), Some(&total.amount));
}

#[test]
fn spans_of_time() {
    for (seconds, text) in [
        (0, "0s"),
        (90, "90s"),
        (120, "2m"),
        (330, "5m30s"),
        (3600, "1h"),
        (5400, "1h30m"),
    ] {
        assert_eq!(span(seconds), text);
    }
    assert_eq!(list(&["a", "b", "c"]), "a, b and c");
}

/// Probes act between the times that were said, whenever the container begins to hang.
#[test]
fn r5_14_liveness_acts_within_what_was_said() {
    let spec = spec(json!({"containers": [{
        "name": "web",
        "livenessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 4, "timeoutSeconds": 2, "failureThreshold": 3},
    }]}));
    let plan = plan(&spec);
    let probe = &plan.probes[0];
    let mut seen = Vec::new();
    for tenth in 0..80u64 {
        for takes in [0, 2500] {
            let hangs = Duration::from_millis(20_000 + tenth * 100);
            let mut world = Scripted::default();
            world.script("web").liveness = Probe {
                answers: vec![
                    (Duration::ZERO, crate::ProbeOutcome::Success),
                    (hangs, crate::ProbeOutcome::Failure),
                ],
                takes: Duration::ZERO,
            };
            let mut sim = simulate(&spec, world);
            sim.run_until(Time::from_secs(20) + Duration::from_millis(tenth * 100));
            sim.world_mut().script("web").liveness.takes = Duration::from_millis(takes);
            sim.run_until(Time::from_secs(60));
            let stop = sim
                .trace()
                .iter()
                .find(|(_, event)| matches!(event, TraceEvent::Action(Action::Stop { .. })));
            let (at, _) = stop.unwrap();
            seen.push((*at - (Time::from_secs(0) + hangs)).as_secs_f64());
        }
    }
    let least = seen.iter().copied().fold(f64::MAX, f64::min);
    let most = seen.iter().copied().fold(0.0, f64::max);
    let said = (
        probe.acts_after_seconds as f64,
        probe.acts_by_seconds as f64,
    );
    assert!(least >= said.0 && least < said.0 + 0.2, "{least} {said:?}");
    assert!(most <= said.1 && most > said.1 - 0.2, "{most} {said:?}");
}

#[test]
fn a_grace_without_end_is_no_overflow() {
    let spec: PodSpec = serde_json::from_value(serde_json::json!({
        "terminationGracePeriodSeconds": i64::MAX,
        "initContainers": [{"name": "side", "image": "i", "restartPolicy": "Always",
            "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}}],
        "containers": [
            {"name": "a", "image": "i", "lifecycle": {"preStop": {"sleep": {"seconds": i64::MAX}}}},
            {"name": "b", "image": "i", "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}},
        ],
    }))
    .expect("spec");
    assert_eq!(plan(&spec).stops.down_by_seconds, i64::MAX);
}
