use super::*;

#[test]
fn the_pull_policy_follows_the_tag() {
    use PullPolicy::{Always, IfNotPresent};
    for (image, policy) in [
        ("nginx", Always),
        ("nginx:latest", Always),
        ("nginx:1.29", IfNotPresent),
        ("registry:5000/nginx", Always),
        ("registry:5000/nginx:1", IfNotPresent),
        ("registry:5000/a/b:latest", Always),
        ("nginx@sha256:abc", IfNotPresent),
        ("nginx:latest@sha256:abc", Always),
        ("nginx:1@sha256:abc", IfNotPresent),
        ("", IfNotPresent),
    ] {
        assert_eq!(pull_policy(image), policy, "{image}");
    }
}

fn completed(spec: serde_json::Value) -> PodSpec {
    let mut spec: PodSpec = serde_json::from_value(spec).unwrap();
    pod_spec(&mut spec);
    spec
}

#[test]
fn r14_7_a_spec_is_completed() {
    let spec = completed(serde_json::json!({
        "containers": [{
            "name": "app", "image": "x:1",
            "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
            "readinessProbe": {"httpGet": {"port": 80}},
            "startupProbe": {"exec": {"command": ["x"]}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
            "env": [
                {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "B", "valueFrom": {"fileKeyRef": {"volumeName": "none", "path": "env", "key": "B"}}},
            ],
        }],
        "volumes": [
            {"name": "none"},
            {"name": "host", "hostPath": {"path": "/x"}},
            {"name": "conf", "configMap": {"name": "c"}},
            {"name": "sec", "secret": {"secretName": "s", "defaultMode": 256}},
        ],
    }));
    assert_eq!(spec.restart_policy, Some(RestartPolicy::Always));
    assert_eq!(spec.dns_policy, Some(DnsPolicy::ClusterFirst));
    assert_eq!(spec.termination_grace_period_seconds, Some(30));
    assert_eq!(spec.enable_service_links, Some(true));
    let app = &spec.containers[0];
    assert_eq!(app.image_pull_policy, Some(PullPolicy::IfNotPresent));
    assert_eq!(
        app.termination_message_path.as_deref(),
        Some("/dev/termination-log")
    );
    assert_eq!(
        app.termination_message_policy,
        Some(TerminationMessagePolicy::File)
    );
    assert_eq!(app.ports[0].protocol, Some(Protocol::Tcp));
    assert_eq!(app.ports[0].host_port, None);
    let requests = &app.resources.as_ref().unwrap().requests;
    assert_eq!(requests["cpu"].to_string(), "500m");
    assert_eq!(
        requests["memory"].to_string(),
        "1Gi",
        "a missing request is the limit"
    );
    let probe = app.readiness_probe.as_ref().unwrap();
    let numbers = [
        probe.timeout_seconds,
        probe.period_seconds,
        probe.success_threshold,
        probe.failure_threshold,
    ];
    assert_eq!(numbers, [Some(1), Some(10), Some(1), Some(3)], "R5.1");
    assert_eq!(probe.http_get.as_ref().unwrap().path.as_deref(), Some("/"));
    assert_eq!(
        probe.http_get.as_ref().unwrap().scheme,
        Some(UriScheme::Http)
    );
    assert_eq!(app.startup_probe.as_ref().unwrap().period_seconds, Some(1));
    let hook = app.lifecycle.as_ref().unwrap().pre_stop.as_ref().unwrap();
    assert_eq!(
        hook.http_get.as_ref().unwrap().scheme,
        Some(UriScheme::Http)
    );
    let from = app.env[0].value_from.as_ref().unwrap();
    assert_eq!(
        from.field_ref.as_ref().unwrap().api_version.as_deref(),
        Some("v1")
    );
    let from = app.env[1].value_from.as_ref().unwrap();
    assert_eq!(from.file_key_ref.as_ref().unwrap().optional, Some(false));
    assert!(
        spec.volumes[0].empty_dir.is_some(),
        "a volume without a source is an emptyDir"
    );
    assert_eq!(
        spec.volumes[1].host_path.as_ref().unwrap().type_,
        Some(HostPathType::Unset)
    );
    assert_eq!(
        spec.volumes[2].config_map.as_ref().unwrap().default_mode,
        Some(0o644)
    );
    assert_eq!(
        spec.volumes[3].secret.as_ref().unwrap().default_mode,
        Some(0o400)
    );
}

#[test]
fn r14_7_grace_below_zero_is_one_and_zero_stays() {
    for (given, expected) in [(-5, 1), (0, 0), (7, 7)] {
        let spec = completed(
            serde_json::json!({"containers": [], "terminationGracePeriodSeconds": given}),
        );
        assert_eq!(spec.termination_grace_period_seconds, Some(expected));
    }
}

#[test]
fn on_the_machines_network_ports_are_host_ports() {
    let spec = completed(serde_json::json!({
        "hostNetwork": true,
        "initContainers": [{"name": "i", "ports": [{"containerPort": 1}]}],
        "containers": [{"name": "a", "ports": [{"containerPort": 80}]}],
    }));
    assert_eq!(spec.containers[0].ports[0].host_port, Some(80));
    assert_eq!(spec.init_containers[0].ports[0].host_port, Some(1));
}

#[test]
fn string_data_goes_into_data_and_wins() {
    let mut secret: Secret = serde_json::from_value(serde_json::json!({
        "data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"},
    }))
    .unwrap();
    super::secret(&mut secret);
    assert_eq!(secret.data["a"].0, b"new");
    assert_eq!(secret.data["b"].0, b"b");
    assert!(secret.string_data.is_empty());
    assert_eq!(secret.type_.as_deref(), Some("Opaque"));
}

#[test]
fn ports_are_found_by_name() {
    let container: Container = serde_json::from_value(
        serde_json::json!({"ports": [{"name": "http", "containerPort": 8080}]}),
    )
    .unwrap();
    let port = |text: &str| port_number(&IntOrString::String(text.to_owned()), &container);
    assert_eq!(port("http"), Some(8080));
    assert_eq!(port("81"), Some(81));
    assert_eq!(port("nope"), None);
    assert_eq!(port_number(&IntOrString::Int(5), &container), Some(5));
    assert_eq!(port_number(&IntOrString::Int(0), &container), None);
}
