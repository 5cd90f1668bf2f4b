//! What a client may ask: versions, groups, resources, health.

use hyper::Response;
use serde_json::{Value, json};

use super::answer::{self, Body};

/// The Kubernetes whose semantics these are.
const MINOR: &str = "36";

/// The answer to a GET that is about the API itself.
pub(crate) fn get(path: &[&str]) -> Option<Response<Body>> {
    Some(match path {
        ["healthz" | "livez" | "readyz"] => answer::text("ok"),
        ["version"] => answer::json(&version()),
        ["api"] => answer::json(&json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        })),
        ["apis"] => answer::json(&json!({
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [group("metrics.k8s.io", "v1beta1"), group("pillion.dev", "v1")],
        })),
        ["api", "v1"] => answer::json(&core()),
        ["apis", "metrics.k8s.io", "v1beta1"] => answer::json(&resources(
            "metrics.k8s.io/v1beta1",
            &[resource("pods", "PodMetrics", &["get", "list"])],
        )),
        ["apis", "pillion.dev", "v1"] => answer::json(&resources(
            "pillion.dev/v1",
            &[
                resource("pods/timeline", "PodTimeline", &["get"]),
                resource("pods/waits", "PodWaits", &["get"]),
                resource("pods/archive", "PodArchive", &["get", "update"]),
            ],
        )),
        _ => return None,
    })
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": MINOR,
        "gitVersion": format!("v1.{MINOR}.0+pillion-{}", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("linux/{}", std::env::consts::ARCH),
    })
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

fn resources(group_version: &str, list: &[Value]) -> Value {
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": list,
    })
}

fn resource(name: &str, kind: &str, verbs: &[&str]) -> Value {
    json!({
        "name": name,
        "singularName": "",
        "namespaced": true,
        "kind": kind,
        "verbs": verbs,
    })
}

fn core() -> Value {
    let mut pods = resource(
        "pods",
        "Pod",
        &["delete", "deletecollection", "get", "list", "watch"],
    );
    pods["shortNames"] = json!(["po"]);
    pods["singularName"] = json!("pod");
    pods["categories"] = json!(["all"]);
    let mut events = resource("events", "Event", &["get", "list", "watch"]);
    events["shortNames"] = json!(["ev"]);
    events["singularName"] = json!("event");
    resources(
        "v1",
        &[
            pods,
            resource("pods/attach", "PodAttachOptions", &["create", "get"]),
            resource("pods/exec", "PodExecOptions", &["create", "get"]),
            resource("pods/log", "Pod", &["get"]),
            resource(
                "pods/portforward",
                "PodPortForwardOptions",
                &["create", "get"],
            ),
            events,
        ],
    )
}
