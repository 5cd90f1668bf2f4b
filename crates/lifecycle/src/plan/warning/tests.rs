//! Each warning with a Pod that gets it and the nearest that does not.

use serde_json::{Value, json};

use super::*;
use crate::plan::tests::spec;

/// The codes of a spec's warnings.
fn codes(value: &Value) -> Vec<Code> {
    let warnings = crate::plan::warnings(&spec(value.clone()));
    for warning in &warnings {
        assert!(
            !warning.why.is_empty() && !warning.instead.is_empty(),
            "{warning:?}"
        );
    }
    warnings.iter().map(|warning| warning.code).collect()
}

/// A spec with one warning of this code, which goes away when the value at a pointer is replaced.
#[track_caller]
fn case(code: Code, with: Value, cures: &[(&str, Value)]) {
    assert_eq!(codes(&with), [code], "{with:#}");
    for (pointer, value) in cures {
        let mut cured = with.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match cured.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value.clone(),
            Value::Object(fields) => {
                fields.insert(key.to_owned(), value.clone());
            }
            other => panic!("{other}"),
        }
        assert_eq!(codes(&cured), [], "{cured:#}");
    }
}

fn get(path: &str) -> Value {
    json!({"path": path, "port": 80})
}

#[test]
fn helper_outlives_job() {
    let pod = json!({
        "restartPolicy": "Never",
        "containers": [
            {"name": "job", "command": ["/job"]},
            {"name": "proxy", "image": "docker.io/envoyproxy/envoy:v1.30"},
        ],
    });
    case(
        Code::HelperOutlivesJob,
        pod,
        &[
            ("/restartPolicy", json!("Always")),
            (
                "/containers/0",
                json!({"name": "web", "ports": [{"containerPort": 80}]}),
            ),
            (
                "/containers/1",
                json!({"name": "other", "command": ["/other-job"]}),
            ),
        ],
    );
}

#[test]
fn init_never_ends() {
    let pod = json!({
        "initContainers": [{"name": "wait", "command": ["sh", "-c", "while true; do nslookup db; sleep 1; done"]}],
        "containers": [{"name": "web"}],
    });
    case(
        Code::InitNeverEnds,
        pod,
        &[(
            "/initContainers/0/command",
            json!([
                "sh",
                "-c",
                "while true; do nslookup db && break; sleep 1; done"
            ]),
        )],
    );
    let pod = json!({
        "initContainers": [{"name": "proxy", "ports": [{"containerPort": 15001}]}],
        "containers": [{"name": "web"}],
    });
    case(
        Code::InitNeverEnds,
        pod,
        &[
            ("/initContainers/0/ports", json!([])),
            ("/initContainers/0/command", json!(["echo"])),
        ],
    );
}

#[test]
fn a_deadline_counts_init_containers_that_sleep() {
    let pod = json!({
        "activeDeadlineSeconds": 5,
        "initContainers": [{"name": "prepare", "command": ["sh", "-c", "sleep 10"]}],
        "containers": [{"name": "web"}],
    });
    case(
        Code::DeadlineBeforeStart,
        pod,
        &[
            ("/activeDeadlineSeconds", json!(11)),
            ("/initContainers/0/command", json!(["sleep", "4"])),
        ],
    );
}

#[test]
fn a_trap_that_comes_late() {
    let pod = json!({
        "containers": [{"name": "web", "command": ["sh", "-c", "trap 'exit 0' TERM; sleep infinity"]}],
    });
    case(
        Code::SigtermIgnored,
        pod,
        &[(
            "/containers/0/command",
            json!(["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]),
        )],
    );
}

#[test]
fn sidecar_not_awaited() {
    let pod = json!({
        "initContainers": [{"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 8080}]}],
        "containers": [{"name": "web"}],
    });
    case(
        Code::SidecarNotAwaited,
        pod,
        &[
            (
                "/initContainers/0/startupProbe",
                json!({"tcpSocket": {"port": 8080}, "failureThreshold": 30}),
            ),
            (
                "/initContainers/0/lifecycle",
                json!({"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}),
            ),
            ("/initContainers/0/ports", json!([])),
        ],
    );
    let pod = json!({
        "initContainers": [{"name": "proxy", "restartPolicy": "Always", "readinessProbe": {"httpGet": get("/ready")}}],
        "containers": [{"name": "web"}],
    });
    case(
        Code::SidecarNotAwaited,
        pod,
        &[(
            "/initContainers/0/startupProbe",
            json!({"httpGet": get("/ready")}),
        )],
    );
}

#[test]
fn deadline_before_start() {
    let pod = json!({
        "activeDeadlineSeconds": 20,
        "initContainers": [{
            "name": "proxy", "restartPolicy": "Always",
            "startupProbe": {"exec": {"command": ["up"]}, "initialDelaySeconds": 20},
        }],
        "containers": [{"name": "web"}],
    });
    case(
        Code::DeadlineBeforeStart,
        pod,
        &[("/activeDeadlineSeconds", json!(21))],
    );
}

#[test]
fn hook_never_works() {
    let pod = json!({"containers": [{"name": "web", "lifecycle": {"preStop": {"tcpSocket": {"port": 80}}}}]});
    case(
        Code::HookNeverWorks,
        pod,
        &[(
            "/containers/0/lifecycle/preStop",
            json!({"httpGet": get("/drain")}),
        )],
    );
}

#[test]
fn liveness_before_startup() {
    let pod = json!({"containers": [{
        "name": "web",
        "livenessProbe": {"httpGet": get("/live"), "periodSeconds": 2},
    }]});
    case(
        Code::LivenessBeforeStartup,
        pod,
        &[
            ("/containers/0/livenessProbe/periodSeconds", json!(3)),
            ("/containers/0/livenessProbe/initialDelaySeconds", json!(10)),
            (
                "/containers/0/startupProbe",
                json!({"httpGet": get("/live")}),
            ),
        ],
    );
    // By default it has 20 s; its readiness probe says that this is not enough.
    let pod = json!({"containers": [{
        "name": "web",
        "livenessProbe": {"httpGet": get("/live")},
        "readinessProbe": {"httpGet": get("/ready"), "initialDelaySeconds": 21},
    }]});
    case(
        Code::LivenessBeforeStartup,
        pod,
        &[(
            "/containers/0/readinessProbe/initialDelaySeconds",
            json!(20),
        )],
    );
}

#[test]
fn liveness_as_readiness() {
    let pod = json!({"containers": [{
        "name": "web",
        "livenessProbe": {"httpGet": get("/health")},
        "readinessProbe": {"httpGet": get("/health")},
    }]});
    case(
        Code::LivenessAsReadiness,
        pod,
        &[
            ("/containers/0/livenessProbe/failureThreshold", json!(4)),
            ("/containers/0/readinessProbe/periodSeconds", json!(5)),
            ("/containers/0/readinessProbe/httpGet/path", json!("/ready")),
        ],
    );
}

#[test]
fn startup_too_short() {
    let pod = json!({"containers": [{"name": "web", "startupProbe": {"httpGet": get("/up"), "periodSeconds": 1}}]});
    case(
        Code::StartupTooShort,
        pod,
        &[
            ("/containers/0/startupProbe/failureThreshold", json!(5)),
            ("/containers/0/startupProbe/periodSeconds", json!(10)),
        ],
    );
    let pod = json!({"containers": [{
        "name": "web",
        "startupProbe": {"httpGet": get("/up"), "periodSeconds": 5},
        "livenessProbe": {"httpGet": get("/up"), "initialDelaySeconds": 60},
    }]});
    case(
        Code::StartupTooShort,
        pod,
        &[("/containers/0/startupProbe/failureThreshold", json!(13))],
    );
}

#[test]
fn same_port() {
    let pod = json!({"containers": [
        {"name": "web", "ports": [{"containerPort": 80}]},
        {"name": "front", "ports": [{"containerPort": 80}]},
    ]});
    case(
        Code::SamePort,
        pod,
        &[
            ("/containers/1/ports/0/containerPort", json!(8080)),
            ("/containers/1/ports/0/protocol", json!("UDP")),
        ],
    );
}

#[test]
fn sigterm_ignored() {
    let script = |script: &str| json!(["sh", "-c", script]);
    let pod = json!({"containers": [{"name": "web", "command": script("setup; /app --serve")}]});
    case(
        Code::SigtermIgnored,
        pod,
        &[
            ("/containers/0/command", script("setup; exec /app --serve")),
            (
                "/containers/0/command",
                script("trap 'exit 0' TERM; setup; /app --serve & wait"),
            ),
            ("/containers/0/command", script("echo failing; exit 1")),
            (
                "/containers/0/lifecycle",
                json!({"preStop": {"exec": {"command": script("kill 7; sleep 1")}}}),
            ),
            ("/shareProcessNamespace", json!(true)),
        ],
    );
    // An app that ends by itself is hardly ever stopped, a sidecar always.
    let brief = script("for i in 1 2 3; do echo $i; sleep 1; done");
    assert_eq!(
        codes(&json!({"containers": [{"name": "web", "command": brief}]})),
        []
    );
    let pod = json!({
        "initContainers": [{"name": "logs", "restartPolicy": "Always", "command": brief}],
        "containers": [{"name": "web"}],
    });
    assert_eq!(codes(&pod), [Code::SigtermIgnored]);
    let pod = json!({"containers": [{"name": "pause", "command": ["sleep", "infinity"]}]});
    case(
        Code::SigtermIgnored,
        pod,
        &[("/containers/0/command", json!(["pause"]))],
    );
}

#[test]
fn prestop_over_grace() {
    let pod = json!({
        "terminationGracePeriodSeconds": 10,
        "containers": [{"name": "web", "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "drain; sleep 10"]}}}}],
    });
    case(
        Code::PreStopOverGrace,
        pod,
        &[
            ("/terminationGracePeriodSeconds", json!(11)),
            (
                "/containers/0/lifecycle/preStop",
                json!({"sleep": {"seconds": 9}}),
            ),
        ],
    );
}

#[test]
fn poststart_over_grace() {
    let pod = json!({
        "terminationGracePeriodSeconds": 10,
        "containers": [{"name": "web", "lifecycle": {"postStart": {"exec": {"command": ["sleep", "11"]}}}}],
    });
    case(
        Code::PostStartOverGrace,
        pod,
        &[
            ("/terminationGracePeriodSeconds", json!(11)),
            (
                "/containers/0/lifecycle/postStart/exec/command",
                json!(["sleep", "10"]),
            ),
        ],
    );
}

#[test]
fn stops_over_grace() {
    let sidecar = |name: &str| {
        json!({
            "name": name, "restartPolicy": "Always", "command": ["sh", "-c", "trap 'sleep 6; exit 0' TERM; /run & wait"],
        })
    };
    let pod = json!({
        "terminationGracePeriodSeconds": 10,
        "initContainers": [sidecar("proxy"), sidecar("logs")],
        "containers": [{"name": "web"}],
    });
    case(
        Code::StopsOverGrace,
        pod,
        &[
            ("/terminationGracePeriodSeconds", json!(12)),
            ("/initContainers/1/command", json!(["/run"])),
        ],
    );
    // All preStop hooks begin at once: these are no sum.
    let sidecar = |name: &str| {
        json!({
            "name": name, "restartPolicy": "Always", "lifecycle": {"preStop": {"sleep": {"seconds": 6}}},
        })
    };
    let pod = json!({
        "terminationGracePeriodSeconds": 10,
        "initContainers": [sidecar("proxy"), sidecar("logs")],
        "containers": [{"name": "web"}],
    });
    assert_eq!(codes(&pod), []);
}

#[test]
fn sidecar_without_limits() {
    let limits = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let pod = json!({
        "initContainers": [{"name": "logs", "restartPolicy": "Always"}],
        "containers": [{"name": "web", "resources": limits}],
    });
    case(
        Code::SidecarWithoutLimits,
        pod,
        &[
            (
                "/initContainers/0/resources",
                json!({"limits": {"cpu": "1", "memory": "1Gi"}}),
            ),
            ("/containers/0/resources", json!({})),
        ],
    );
}

#[test]
fn rule_never_matches() {
    let rule = |operator: &str, values: Value| json!({"action": "Restart", "exitCodes": {"operator": operator, "values": values}});
    let pod = json!({"restartPolicy": "Never", "containers": [{
        "name": "web",
        "restartPolicy": "Never",
        "restartPolicyRules": [rule("In", json!([1, 2])), rule("In", json!([2]))],
    }]});
    case(
        Code::RuleNeverMatches,
        pod.clone(),
        &[(
            "/containers/0/restartPolicyRules/1",
            rule("In", json!([2, 3])),
        )],
    );
    for (pointer, value) in [
        ("/containers/0/restartPolicyRules/1", rule("In", json!([]))),
        (
            "/containers/0/restartPolicyRules/1",
            rule("In", json!([256])),
        ),
    ] {
        let mut pod = pod.clone();
        *pod.pointer_mut(pointer).unwrap() = value;
        assert_eq!(codes(&pod), [Code::RuleNeverMatches]);
    }
}

#[test]
fn rule_changes_nothing() {
    let pod = json!({"containers": [{
        "name": "web",
        "restartPolicy": "Always",
        "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}],
    }]});
    case(
        Code::RuleChangesNothing,
        pod,
        &[
            ("/containers/0/restartPolicy", json!("Never")),
            (
                "/containers/0/restartPolicyRules/0/action",
                json!("RestartAllContainers"),
            ),
        ],
    );
}

#[test]
fn restarts_without_pause() {
    let pod = json!({"restartPolicy": "Never", "containers": [{
        "name": "web",
        "restartPolicy": "Never",
        "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "NotIn", "values": [0]}}],
    }]});
    case(
        Code::RestartsWithoutPause,
        pod,
        &[
            (
                "/containers/0/restartPolicyRules/0/exitCodes",
                json!({"operator": "In", "values": [42]}),
            ),
            (
                "/containers/0/restartPolicyRules/0/action",
                json!("Restart"),
            ),
        ],
    );
}

/// The table in the documentation is this one.
#[test]
fn the_catalogue_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plan.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table = catalogue();
    assert!(
        document.contains(&table),
        "docs/plan.md must contain this table:\n{table}"
    );
}

/// Two warnings of one name would be one.
#[test]
fn names_are_unique() {
    let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
}
