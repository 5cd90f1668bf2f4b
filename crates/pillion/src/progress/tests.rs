use serde_json::{Value, json};

use super::*;

fn pod(statuses: Value) -> Pod {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "app"}, {"name": "probed", "readinessProbe": {"tcpSocket": {"port": 1}}}]},
        "status": {"containerStatuses": statuses}
    }))
    .expect("pod")
}

fn status(name: &str, restarts: i32, ready: bool, state: Value, last: Value) -> Value {
    json!({"name": name, "restartCount": restarts, "ready": ready, "image": "", "imageID": "",
        "state": state, "lastState": last})
}

fn running() -> Value {
    json!({"running": {}})
}

fn terminated(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason}})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

/// What is said for a sequence of statuses of one container.
fn said(name: &str, sequence: &[(i32, bool, Value, Value)]) -> Vec<String> {
    let mut progress = Progress::default();
    let mut lines = Vec::new();
    for (restarts, ready, state, last) in sequence {
        let pod = pod(json!([status(
            name,
            *restarts,
            *ready,
            state.clone(),
            last.clone()
        )]));
        lines.extend(progress.status(&pod).into_iter().map(|line| line.text));
    }
    lines
}

#[test]
fn a_life_without_surprises() {
    let none = json!({});
    assert_eq!(
        said(
            "app",
            &[
                (0, false, waiting("ContainerCreating", ""), none.clone()),
                (0, true, running(), none.clone()),
                (0, true, running(), none.clone()),
                (0, false, terminated(0, "Completed"), none),
            ]
        ),
        ["started", "exited with code 0"]
    );
}

#[test]
fn ready_is_said_only_where_it_says_more_than_started() {
    let none = json!({});
    assert_eq!(
        said(
            "probed",
            &[
                (0, false, running(), none.clone()),
                (0, true, running(), none.clone()),
                (0, false, running(), none),
            ]
        ),
        ["started", "ready", "not ready"]
    );
}

#[test]
fn a_crash_loop_says_how_and_when() {
    let died = terminated(1, "Error");
    let back_off = waiting(
        "CrashLoopBackOff",
        "back-off 10s restarting failed container=app pod=p_default(u)",
    );
    assert_eq!(
        said(
            "app",
            &[
                (0, true, running(), json!({})),
                (0, false, died.clone(), json!({})),
                (1, true, running(), died.clone()),
                (1, false, back_off, died.clone()),
                (2, true, running(), died.clone()),
                (2, false, died.clone(), died.clone()),
                (
                    2,
                    false,
                    waiting("CrashLoopBackOff", "back-off 20s restarting"),
                    died.clone()
                ),
                (2, false, died.clone(), died),
            ]
        ),
        [
            "started",
            "exited with code 1",
            "started again (restart 1)",
            "exited with code 1",
            "CrashLoopBackOff: restart 2 in 10s",
            "started again (restart 2)",
            "exited with code 1",
            "CrashLoopBackOff: restart 3 in 20s",
        ]
    );
}

#[test]
fn reasons_are_named() {
    assert_eq!(
        said(
            "app",
            &[(0, false, terminated(137, "OOMKilled"), json!({}))]
        ),
        ["exited with code 137: OOMKilled"]
    );
    assert_eq!(
        said("app", &[(0, false, terminated(143, "Error"), json!({}))]),
        ["exited with code 143 (SIGTERM)"]
    );
    assert_eq!(
        said(
            "app",
            &[(
                0,
                false,
                waiting("ErrImagePull", "no such image"),
                json!({})
            )]
        ),
        ["ErrImagePull: no such image"]
    );
}

/// What is said of an app with a postStart hook, for these statuses; with its `Started` event after each that waits.
fn said_of_hooked(sequence: &[(i32, Value, Value)]) -> Vec<String> {
    let mut progress = Progress::default();
    let mut lines = Vec::new();
    for (restarts, state, last) in sequence {
        let state_json = status("app", *restarts, false, state.clone(), last.clone());
        let mut pod = pod(json!([state_json]));
        let hook = json!({"postStart": {"exec": {"command": ["x"]}}});
        pod.spec.containers[0].lifecycle = serde_json::from_value(hook).expect("a hook");
        lines.extend(progress.status(&pod));
        if state.get("running").is_none() {
            lines.extend(progress.event(&started_event()));
        }
    }
    lines.into_iter().map(|line| line.text).collect()
}

fn started_event() -> Event {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {},
        "involvedObject": {"fieldPath": "spec.containers{app}"},
        "type": "Normal", "reason": "Started", "message": "Started container app"
    }))
    .expect("event")
}

#[test]
fn a_process_has_started_before_its_post_start_hook_ends() {
    let none = json!({});
    let ended = terminated(1, "Error");
    assert_eq!(
        said_of_hooked(&[
            (0, waiting("ContainerCreating", ""), none.clone()),
            (0, running(), none.clone()),
            (0, ended.clone(), none),
            (1, running(), ended),
        ]),
        ["started", "exited with code 1", "started again (restart 1)"]
    );
}

#[test]
fn without_a_hook_the_status_tells_the_start() {
    let mut progress = Progress::default();
    let waits = status("app", 0, false, waiting("ContainerCreating", ""), json!({}));
    progress.status(&pod(json!([waits])));
    assert!(progress.event(&started_event()).is_empty());
}

#[test]
fn an_end_that_was_not_seen_is_one_of_something_that_ran() {
    let unknown = || terminated(137, "ContainerStatusUnknown");
    let none = || json!({});
    let waits = waiting("ContainerCreating", "");
    assert!(
        said(
            "app",
            &[(0, false, waits, none()), (0, false, unknown(), none())]
        )
        .is_empty()
    );
    assert_eq!(
        said(
            "app",
            &[(0, true, running(), none()), (0, false, unknown(), none())]
        ),
        ["started", "its end was not seen"]
    );
}

fn unhealthy(message: &str) -> Event {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {},
        "involvedObject": {"name": "p", "fieldPath": "spec.containers{app}"},
        "type": "Warning", "reason": "Unhealthy", "message": message,
        "reportingComponent": "", "reportingInstance": ""
    }))
    .expect("event")
}

#[test]
fn a_startup_probe_is_waited_for_and_a_pod_that_is_going_is_not_ready() {
    let mut pod = pod(json!([status("app", 0, false, running(), json!({}))]));
    pod.spec.containers[0].startup_probe = Some(manifest::core::v1::Probe::default());
    let mut progress = Progress::default();
    assert_eq!(
        progress.status(&pod)[0].text,
        "started, waiting for its startup probe"
    );
    let mut up = pod.clone();
    if let Some(status) = &mut up.status {
        status.container_statuses[0].ready = true;
    }
    assert_eq!(progress.status(&up)[0].text, "startup probe succeeded");
    let mut progress = Progress::default();
    progress.status(&pod);
    up.metadata.deletion_timestamp = Some(manifest::meta::v1::Time::default());
    assert!(progress.status(&up).is_empty());
}

#[test]
fn the_same_warning_is_given_once() {
    let mut progress = Progress::default();
    let line = progress
        .event(&unhealthy("Liveness probe failed: a"))
        .pop()
        .expect("a line");
    assert_eq!(
        (line.container.as_deref(), line.text.as_str()),
        (Some("app"), "Unhealthy: Liveness probe failed: a")
    );
    assert!(
        progress
            .event(&unhealthy("Liveness probe failed: a"))
            .is_empty()
    );
    assert_eq!(
        progress.event(&unhealthy("Liveness probe failed: b")).len(),
        1
    );
}

#[test]
fn a_container_that_is_still_starting_may_fail_its_probes() {
    let mut progress = Progress::default();
    let mut said = || {
        progress
            .event(&unhealthy("Startup probe failed: refused"))
            .len()
    };
    assert_eq!([said(), said(), said(), said()], [0, 0, 1, 0]);
}
