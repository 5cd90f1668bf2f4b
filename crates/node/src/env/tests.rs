use std::collections::BTreeMap;

use manifest::core::v1::{ConfigMap, Secret};
use serde_json::json;

use super::*;
use crate::volumes::Volumes;

fn objects() -> Objects {
    let objects = Objects::default();
    let config: ConfigMap = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "config", "namespace": "default"}, "data": {"A": "from-config", "B": "b"}
    }))
    .expect("ConfigMap");
    let secret: Secret = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "secret", "namespace": "default"}, "data": {"A": "c2VjcmV0"}
    }))
    .expect("Secret");
    objects.put_config_map(config);
    objects.put_secret(secret);
    objects
}

fn built(container: serde_json::Value) -> Result<BTreeMap<String, String>, ConfigError> {
    let container: Container = serde_json::from_value(container).expect("container");
    let pod: Pod = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "pod", "namespace": "default", "uid": "u-1", "labels": {"app": "x"}},
        "spec": {"containers": []}
    }))
    .expect("pod");
    let facts = NodeFacts {
        pod_ips: vec![
            "10.0.0.2".parse().expect("ip"),
            "fd00::2".parse().expect("ip"),
        ],
        cpu_millis: 2000,
        memory_bytes: 1 << 30,
        ..NodeFacts::default()
    };
    let objects = objects();
    let context = Context {
        pod: &pod,
        container: &container,
        objects: &objects,
        facts: &facts,
        files: Files {
            volumes: &Volumes::new(),
            sandbox: None,
        },
    };
    variables(context).map(|variables| variables.into_vec().into_iter().collect())
}

fn one(env: serde_json::Value) -> Result<Option<String>, ConfigError> {
    built(json!({"name": "c", "env": [env]})).map(|all| all.into_values().next())
}

#[test]
fn r18_1_env_beats_env_from_and_later_sources_win() {
    let all = built(json!({"name": "c",
        "envFrom": [{"configMapRef": {"name": "config"}}, {"secretRef": {"name": "secret"}}],
        "env": [{"name": "B", "value": "own"}, {"name": "C", "value": "$(A) $(B) $(LATER)"}, {"name": "LATER", "value": "x"}]}))
    .expect("variables");
    assert_eq!(all["A"], "secret");
    assert_eq!(all["B"], "own");
    assert_eq!(all["C"], "secret own $(LATER)");
}

#[test]
fn r18_6_prefix_and_optional_sources() {
    let all = built(json!({"name": "c", "envFrom": [
        {"prefix": "P_", "configMapRef": {"name": "config"}},
        {"configMapRef": {"name": "none", "optional": true}}, {"secretRef": {"name": "none", "optional": true}}]}))
    .expect("variables");
    assert_eq!(all.keys().collect::<Vec<_>>(), ["P_A", "P_B"]);
}

#[test]
fn r11_3_what_is_missing_is_named() {
    let message = |env| one(env).expect_err("missing").to_string();
    let reference = |kind: &str, name: &str, key: &str| json!({"name": "X", "valueFrom": {kind: {"name": name, "key": key}}});
    assert_eq!(
        message(reference("configMapKeyRef", "none", "A")),
        "configmap \"none\" not found"
    );
    assert_eq!(
        message(reference("secretKeyRef", "none", "A")),
        "secret \"none\" not found"
    );
    assert_eq!(
        message(reference("configMapKeyRef", "config", "Z")),
        "couldn't find key Z in ConfigMap default/config"
    );
    assert_eq!(
        one(
            json!({"name": "X", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "Z", "optional": true}}})
        ),
        Ok(None)
    );
    let error = built(json!({"name": "c", "envFrom": [{"secretRef": {"name": "none"}}]}));
    assert_eq!(
        error.expect_err("missing").to_string(),
        "secret \"none\" not found"
    );
}

#[test]
fn r18_3_values_from_elsewhere_are_not_expanded() {
    let objects = Objects::default();
    let config: ConfigMap = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"A": "$(B)"}
    }))
    .expect("ConfigMap");
    objects.put_config_map(config);
    let container: Container = serde_json::from_value(json!({"name": "c",
        "env": [{"name": "B", "value": "b"}, {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "A"}}}]}))
    .expect("container");
    let (pod, facts) = (Pod::default(), NodeFacts::default());
    let context = Context {
        pod: &pod,
        container: &container,
        objects: &objects,
        facts: &facts,
        files: Files {
            volumes: &Volumes::new(),
            sandbox: None,
        },
    };
    assert_eq!(
        variables(context).expect("variables").get("A"),
        Some("$(B)")
    );
}

#[test]
fn r19_6_fields() {
    let get = |path: &str| {
        one(json!({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}))
            .expect(path)
            .expect(path)
    };
    assert_eq!(get("metadata.name"), "pod");
    assert_eq!(get("metadata.labels['app']"), "x");
    assert_eq!(get("metadata.annotations['none']"), "");
    assert_eq!(get("status.podIP"), "10.0.0.2");
    assert_eq!(get("status.podIPs"), "10.0.0.2,fd00::2");
}

#[test]
fn r19_7_resources_are_divided_and_rounded_up() {
    let get = |resource: &str, divisor: &str| {
        built(json!({"name": "c",
            "resources": {"limits": {"cpu": "250m"}, "requests": {"cpu": "250m", "memory": "64Mi"}},
            "env": [{"name": "X", "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}]}))
        .expect("variables")["X"]
            .clone()
    };
    assert_eq!(get("limits.cpu", "1"), "1");
    assert_eq!(get("limits.cpu", "1m"), "250");
    assert_eq!(get("requests.memory", "1Mi"), "64");
    assert_eq!(get("limits.memory", "1"), (1_i64 << 30).to_string());
    assert_eq!(get("requests.ephemeral-storage", "1"), "0");
}
