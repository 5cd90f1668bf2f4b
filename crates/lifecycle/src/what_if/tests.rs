use serde_json::{Value, json};

use super::*;

fn pod(spec: Value) -> Pod {
    let mut pod = Pod {
        spec: serde_json::from_value(spec).unwrap(),
        ..Pod::default()
    };
    pod.metadata.name = Some("web".to_owned());
    manifest::defaults::pod(&mut pod);
    pod
}

fn ask(pod: &Pod, suppositions: &[&str], seconds: u64) -> Outcome {
    let suppositions = suppositions.iter().map(|text| {
        let supposition = parse(text).unwrap();
        check(&pod.spec, &supposition).unwrap();
        supposition
    });
    let suppositions = suppositions.collect::<Vec<_>>();
    simulate(pod, &suppositions, Time(0), Duration::from_secs(seconds))
}

/// When what happened to whom, as `6s web ends with 1`.
fn told(outcome: &Outcome) -> Vec<String> {
    let story = outcome.story.iter();
    story
        .map(|moment| format!("{} {} {}", moment.at_ms, moment.who, moment.what))
        .collect()
}

fn web(more: Value) -> Value {
    let mut web = json!({"name": "web"});
    for (key, value) in more.as_object().unwrap() {
        web[key] = value.clone();
    }
    json!({"terminationGracePeriodSeconds": 5, "containers": [web]})
}

#[test]
fn a_crash_loop_is_told_and_cut() {
    let outcome = ask(&pod(web(json!({}))), &["web=exit:1@5s"], 600);
    let told = told(&outcome);
    for line in [
        "5000 web ends with 1",
        "5000 web starts again, restart 1",
        "20000 web starts again, restart 2",
        "45000 web starts again, restart 3",
        "90000 web and so on, 3 times more",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    assert_eq!(
        outcome.summary,
        [
            "web is restarted 6 times in 10m; the next restart would come at 10m45s, 5m after its end.",
            "The Pod is Ready after 0s, for 35s of 10m.",
            "After 10m it shows 0/1 CrashLoopBackOff and goes on.",
        ]
    );
    assert!(outcome.story.len() < 40, "{}", outcome.story.len());
}

#[test]
fn each_supposition_is_a_run() {
    let outcome = ask(
        &pod(web(json!({}))),
        &["web=exit:1@2s", "web=oom@3s", "web=run"],
        600,
    );
    let told = told(&outcome);
    for line in [
        "2000 web ends with 1",
        "5000 web is OOM-killed (137)",
        "15000 web starts again, restart 2",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    assert_eq!(outcome.columns.last().unwrap().status, "Running");
}

#[test]
fn a_hanging_process_answers_nobody() {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 2});
    let outcome = ask(
        &pod(web(json!({"livenessProbe": probe}))),
        &["web=hang@15s"],
        60,
    );
    let told = told(&outcome);
    for line in [
        "21000 web liveness probe fails",
        "31000 web liveness failed 2 times",
        "31000 web gets SIGTERM",
        "36000 web gets SIGKILL",
        "36000 web starts again, restart 1",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
}

#[test]
fn probes_that_fail_or_are_slow() {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 5});
    let with_readiness = pod(web(json!({"readinessProbe": probe})));
    let told_of = |suppositions: &[&str]| told(&ask(&with_readiness, suppositions, 60));
    let slow = told_of(&["web=slow-start:12s"]);
    assert!(slow.contains(&"15000 web is ready".to_owned()), "{slow:#?}");
    let fails = told_of(&["web=probe-fail:readiness@12s"]);
    assert!(
        fails.contains(&"25000 pod is not Ready".to_owned()),
        "{fails:#?}"
    );
}

#[test]
fn a_deletion_and_who_ignores_it() {
    let outcome = ask(
        &pod(web(json!({}))),
        &["delete@20s", "web=ignore-term"],
        600,
    );
    let told = told(&outcome);
    for line in [
        "20000 pod is deleted",
        "20000 web gets SIGTERM",
        "25000 web gets SIGKILL",
        "25000 pod Failed",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    let shell = web(json!({"command": ["sh", "-c", "while true; do date; sleep 1; done"]}));
    let outcome = ask(&pod(shell), &["delete@20s"], 600);
    let texts: Vec<&str> = outcome
        .assumptions
        .iter()
        .map(|assumption| assumption.text.as_str())
        .collect();
    assert_eq!(
        texts,
        ["runs until it is stopped, ignores SIGTERM (its command handles none)"]
    );
}

#[test]
fn an_image_that_cannot_be_had_leaves_the_pod_pending() {
    let outcome = ask(&pod(web(json!({}))), &["web=no-image"], 600);
    assert_eq!(outcome.columns.last().unwrap().status, "ImagePullBackOff");
    assert!(
        outcome
            .summary
            .contains(&"The Pod is never Ready.".to_owned()),
        "{:?}",
        outcome.summary
    );
}

#[test]
fn a_job_completes_and_its_sidecar_is_stopped() {
    let outcome = ask(
        &pod(json!({
            "restartPolicy": "Never",
            "initContainers": [{"name": "logs", "restartPolicy": "Always"}],
            "containers": [{"name": "job", "command": ["/job"]}],
        })),
        &["logs=slow-stop:2s"],
        600,
    );
    let told = told(&outcome);
    for line in [
        "10000 job ends with 0",
        "10000 logs gets SIGTERM",
        "12000 logs has stopped with 0",
        "12000 pod Succeeded",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
}

#[test]
fn what_cannot_be_supposed_is_refused_with_what_can() {
    for text in [
        "web",
        "web=",
        "web=explode",
        "web=exit",
        "web=exit:300",
        "web=exit:1@soon",
        "web=slow-start",
        "web=run@5s",
        "web=probe-fail:deadness",
        "delete",
        "delete@",
        "=exit:1x",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(
            error.contains("exit:CODE[@T]") && error.contains("delete@T"),
            "{text}: {error}"
        );
    }
    let pod = pod(web(json!({})));
    let refused = |text: &str| {
        check(&pod.spec, &parse(text).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("wep=exit:1"),
        "there is no container \"wep\", only web; did you mean web?"
    );
    assert!(refused("web=probe-fail").contains("has no probe"));
    assert!(refused("web=probe-fail:startup").contains("has no startup probe"));
}

/// A day of a Pod that fails every second, told in a page.
#[test]
fn a_long_time_is_bounded() {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 1});
    let spec = web(json!({"readinessProbe": probe, "livenessProbe": probe}));
    let outcome = ask(&pod(spec), &["web=probe-fail@3s"], 6 * 3600);
    assert!(outcome.story.len() < 60, "{}", outcome.story.len());
}

/// Terminating shows from the deletion on, and what comes before SIGTERM is told and drawn.
#[test]
fn a_pre_stop_hook_comes_before_sigterm() {
    for (hook, takes) in [
        (json!({"sleep": {"seconds": 3}}), 3),
        (json!({"exec": {"command": ["sleep", "2"]}}), 2),
    ] {
        let pod = pod(web(json!({"lifecycle": {"preStop": hook}})));
        let outcome = ask(&pod, &["delete@20s"], 60);
        let rows = outcome.columns.iter();
        let rows: Vec<_> = rows
            .map(|row| format!("{} {} {}", row.at_ms, row.ready, row.status))
            .collect();
        let end = 20_000 + takes * 1000;
        let last = format!("{end} 0/1 Completed");
        assert_eq!(rows, ["0 1/1 Running", "20000 1/1 Terminating", &*last]);
        let story = told(&outcome);
        let ends = format!("{end} web preStop ends");
        let at = |line: &str| story.iter().position(|told| told == line);
        let begins = at("20000 web preStop begins");
        assert!(begins.is_some() && at(&ends) > begins, "{story:#?}");
        let sigterm = format!("{end} web gets SIGTERM");
        assert!(at(&sigterm) > at(&ends), "{story:#?}");
        let why = &outcome.story[at(&sigterm).unwrap()].why;
        assert_eq!(why, "its preStop is over (R8.3)");
        let hooks = &outcome.timeline.containers[0].hooks;
        assert_eq!((hooks.len(), &*hooks[0].state.hook), (1, "preStop"));
    }
    let hook = json!({"exec": {"command": ["sleep", "100"]}});
    let outcome = ask(
        &pod(web(json!({"lifecycle": {"preStop": hook}}))),
        &["delete@20s"],
        60,
    );
    let story = told(&outcome);
    assert!(
        story.contains(&"25000 web preStop overruns".to_owned()),
        "{story:#?}"
    );
}

#[test]
fn what_contradicts_itself() {
    let first = |texts: &[&str]| {
        let all: Vec<_> = texts.iter().map(|text| parse(text).unwrap()).collect();
        contradiction(&all).map(|(one, other, _)| (one, other))
    };
    for texts in [
        ["web=no-image", "web=exit:1"],
        ["web=ignore-term", "web=slow-stop:3s"],
        ["delete@5s", "delete@6s"],
        ["web=slow-start:3s", "web=slow-start:4s"],
        ["web=probe-fail@3s", "web=probe-fail:liveness@4s"],
    ] {
        assert_eq!(first(&texts), Some((0, 1)), "{texts:?}");
    }
    for texts in [
        ["web=exit:1@3s", "web=run"],
        ["web=no-image", "app=exit:1"],
        ["web=probe-fail:readiness@3s", "web=probe-fail:liveness@4s"],
        ["web=hang@5s", "delete@6s"],
    ] {
        assert_eq!(first(&texts), None, "{texts:?}");
    }
}

/// Bars reach as far as the simulation does, unless little of it is left to see, which is said.
#[test]
fn bars_end_with_the_simulation_or_say_where() {
    let length = |outcome: &Outcome| {
        let timeline = &outcome.timeline;
        timeline.to.0.as_millisecond() - timeline.from.0.as_millisecond()
    };
    let pod = pod(web(json!({})));
    let long = ask(&pod, &["web=exit:1@3s"], 600);
    assert_eq!((length(&long), long.timeline_cut_ms), (600_000, None));
    let cut = ask(&pod, &["web=exit:1@3s", "web=run"], 600);
    assert_eq!(cut.timeline_cut_ms, Some(length(&cut)));
    assert!(length(&cut) < 60_000);
    let ended = ask(&pod, &["delete@20s"], 600);
    assert_eq!((length(&ended), ended.timeline_cut_ms), (20_000, None));
}

#[test]
fn a_post_start_hook_is_told_from_begin_to_end() {
    let hook = json!({"sleep": {"seconds": 4}});
    let outcome = ask(
        &pod(web(json!({"lifecycle": {"postStart": hook}}))),
        &["web=run"],
        60,
    );
    let story = told(&outcome);
    for line in ["0 web postStart begins", "4000 web postStart ends"] {
        assert!(story.iter().any(|told| told == line), "{line}: {story:#?}");
    }
}

#[test]
fn a_deadline_is_the_reason_for_stops() {
    let outcome = ask(
        &pod(json!({
            "activeDeadlineSeconds": 8,
            "initContainers": [{"name": "side", "restartPolicy": "Always"}],
            "containers": [{"name": "app"}],
        })),
        &["app=run"],
        60,
    );
    let story = told(&outcome);
    let at = |line: &str| story.iter().position(|told| told == line);
    let deadline = at("8000 pod exceeds its deadline");
    let sigterm = at("8000 side gets SIGTERM");
    assert!(deadline.is_some() && deadline < sigterm, "{story:#?}");
    for moment in outcome.story.iter().filter(|moment| moment.at_ms == 8000) {
        assert!(!moment.why.contains("will run again"), "{moment:?}");
        assert!(!moment.why.contains("no app is left"), "{moment:?}");
    }
}
