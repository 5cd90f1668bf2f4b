use serde_json::{Value, json};

use super::*;

/// A spec out of `(name, sidecar, limits, requests)`; the last is the app.
fn spec(containers: &[(bool, Value, Value)]) -> PodSpec {
    let mut built: Vec<Value> = containers
        .iter()
        .map(|(sidecar, limits, requests)| {
            let mut container = json!({"resources": {"limits": limits, "requests": requests}});
            if *sidecar {
                container["restartPolicy"] = "Always".into();
            }
            container
        })
        .collect();
    let app = built.pop().unwrap();
    let mut spec: PodSpec =
        serde_json::from_value(json!({"initContainers": built, "containers": [app]})).unwrap();
    crate::defaults::pod_spec(&mut spec);
    spec
}

fn cpu(amount: &str) -> Value {
    json!({"cpu": amount})
}

#[test]
fn r13_2_examples() {
    let none = || json!({});
    for (containers, expected) in [
        (
            vec![
                (false, none(), cpu("1000m")),
                (true, none(), cpu("200m")),
                (false, none(), cpu("300m")),
            ],
            "1",
        ),
        (
            vec![
                (true, none(), cpu("200m")),
                (false, none(), cpu("1000m")),
                (false, none(), cpu("300m")),
            ],
            "1200m",
        ),
        (
            vec![
                (true, none(), cpu("200m")),
                (true, none(), cpu("300m")),
                (false, none(), cpu("400m")),
            ],
            "900m",
        ),
    ] {
        assert_eq!(
            effective_requests(&spec(&containers))["cpu"].to_string(),
            expected
        );
    }
}

#[test]
fn overhead_adds_to_requests_and_to_limits_that_exist() {
    let mut spec = spec(&[(false, cpu("1"), json!({}))]);
    spec.overhead = serde_json::from_value(json!({"cpu": "250m", "memory": "1Mi"})).unwrap();
    assert_eq!(effective_requests(&spec)["cpu"].to_string(), "1250m");
    assert_eq!(effective_requests(&spec)["memory"].to_string(), "1Mi");
    assert_eq!(effective_limits(&spec)["cpu"].to_string(), "1250m");
    assert!(!effective_limits(&spec).contains_key("memory"));
}

#[test]
fn a_limit_bounds_the_pod_only_when_all_have_one() {
    let all = spec(&[(true, cpu("1"), json!({})), (false, cpu("2"), json!({}))]);
    assert!(every_container_limits(&all, "cpu"));
    assert!(!every_container_limits(&all, "memory"));
    let some = spec(&[(true, json!({}), json!({})), (false, cpu("2"), json!({}))]);
    assert!(!every_container_limits(&some, "cpu"));
}

#[test]
fn r13_3_qos() {
    let both = json!({"cpu": "1", "memory": "1Gi"});
    let none = json!({});
    for (containers, class) in [
        (
            vec![(false, none.clone(), none.clone())],
            QosClass::BestEffort,
        ),
        (
            vec![(false, both.clone(), none.clone())],
            QosClass::Guaranteed,
        ),
        (
            vec![(false, both.clone(), both.clone())],
            QosClass::Guaranteed,
        ),
        (
            vec![(false, both.clone(), cpu("500m"))],
            QosClass::Burstable,
        ),
        (
            vec![(false, none.clone(), cpu("500m"))],
            QosClass::Burstable,
        ),
        (vec![(false, cpu("1"), none.clone())], QosClass::Burstable),
        (
            vec![
                (true, none.clone(), none.clone()),
                (false, both, none.clone()),
            ],
            QosClass::Burstable,
        ),
        (
            vec![(false, json!({"ephemeral-storage": "1Gi"}), none.clone())],
            QosClass::BestEffort,
        ),
        (
            vec![(false, json!({"cpu": "0", "memory": "0"}), none)],
            QosClass::BestEffort,
        ),
    ] {
        assert_eq!(qos_class(&spec(&containers)), class, "{containers:?}");
    }
}

/// Facts of `TestPodResourceRequests` (k8s.io/component-helpers/resource/helpers_test.go, 1.36.2), without resizes in place.
#[test]
fn upstreams_table_of_requests() {
    let app = |amount| (false, json!({}), cpu(amount));
    let sidecar = |amount| (true, json!({}), cpu(amount));
    let init = app;
    for (name, containers, expected) in [
        ("larger init container", vec![init("4"), app("1")], "4"),
        (
            "restartable init container",
            vec![sidecar("1"), app("1")],
            "2",
        ),
        (
            "multiple restartable init containers",
            vec![
                init("5"),
                sidecar("1"),
                sidecar("2"),
                sidecar("3"),
                app("1"),
            ],
            "7",
        ),
        (
            "multiple restartable and regular init containers",
            vec![
                init("5"),
                sidecar("1"),
                sidecar("2"),
                init("5"),
                sidecar("3"),
                app("1"),
            ],
            "8",
        ),
        (
            "restartable-init, init and regular",
            vec![sidecar("10"), init("200"), app("100")],
            "210",
        ),
    ] {
        let requests = effective_requests(&spec(&containers));
        assert_eq!(requests["cpu"].to_string(), expected, "{name}");
    }
    // Two apps; overhead is added to requests.
    let mut larger = spec(&[init("2"), app("2")]);
    larger.containers.extend(spec(&[app("3")]).containers);
    assert_eq!(effective_requests(&larger)["cpu"].to_string(), "5");
    for (name, amount) in [("cpu", "1"), ("memory", "1Gi")] {
        let amount = amount.parse().unwrap();
        larger.overhead.insert(name.to_owned(), amount);
    }
    let requests = effective_requests(&larger);
    assert_eq!(
        (requests["cpu"].to_string(), requests["memory"].to_string()),
        ("6".to_owned(), "1Gi".to_owned())
    );
}
