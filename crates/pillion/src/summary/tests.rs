use serde_json::{Value, json};

use super::*;

fn pod(phase: &str, init: Value, apps: Value) -> Arc<Pod> {
    let pod: Pod = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {
            "initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}],
            "containers": [{"name": "a"}, {"name": "b"}]
        },
        "status": {"phase": phase, "initContainerStatuses": init, "containerStatuses": apps}
    }))
    .expect("pod");
    Arc::new(pod)
}

fn ended(name: &str, code: i32, at: &str) -> Value {
    json!({"name": name, "ready": false, "restartCount": 0, "image": "", "imageID": "",
        "state": {"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
            "finishedAt": format!("2026-01-01T00:00:{at}Z")}}})
}

#[test]
fn success_is_zero_and_the_first_failed_app_decides() {
    let good = pod(
        "Succeeded",
        json!([]),
        json!([ended("a", 0, "01"), ended("b", 0, "02")]),
    );
    let bad = pod(
        "Failed",
        json!([]),
        json!([ended("a", 4, "09"), ended("b", 3, "02")]),
    );
    assert_eq!(exit_code(&[Arc::clone(&good)]), exit::SUCCESS);
    assert_eq!(exit_code(&[good, bad]), Exit(3));
}

#[test]
fn a_failed_init_container_is_a_general_failure_and_a_sidecar_none() {
    let init = pod("Failed", json!([ended("init", 7, "01")]), json!([]));
    assert_eq!(exit_code(&[init]), exit::FAILURE);
    let side = pod(
        "Succeeded",
        json!([ended("side", 137, "01")]),
        json!([ended("a", 0, "02")]),
    );
    assert_eq!(exit_code(&[side]), exit::SUCCESS);
}

#[test]
fn a_pod_that_never_ended_is_no_success() {
    assert_eq!(
        exit_code(&[pod("Running", json!([]), json!([]))]),
        exit::FAILURE
    );
}

#[test]
fn the_code_of_one_container() {
    let pods = [pod(
        "Failed",
        json!([ended("init", 7, "01")]),
        json!([ended("a", 0, "01"), ended("b", 5, "02")]),
    )];
    assert_eq!(exit_code_from(&pods, "a"), Some(exit::SUCCESS));
    assert_eq!(exit_code_from(&pods, "b"), Some(Exit(5)));
    assert_eq!(exit_code_from(&pods, "init"), Some(Exit(7)));
    assert_eq!(exit_code_from(&pods, "none"), None);
}

#[test]
fn failures_name_container_code_reason_and_last_lines() {
    let mut tails = Tails::default();
    tails.push(&("p".into(), "b".into()), 0, b"one\ntwo\n");
    let bad = pod(
        "Failed",
        json!([ended("side", 1, "01")]),
        json!([ended("a", 0, "01"), ended("b", 3, "02")]),
    );
    assert_eq!(
        failures(&[bad], &tails),
        "Pod p failed\n  container b: exit code 3 (Error)\n    last lines:\n      one\n      two\n"
    );
}
