use manifest::core::v1::PodSpec;
use serde_json::json;

use super::*;

fn spec() -> PodSpec {
    let probe = json!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1});
    let mut spec = serde_json::from_value(json!({
        "terminationGracePeriodSeconds": 5,
        "initContainers": [
            {"name": "a-container-with-a-very-long-name-as-generators-like-them"},
            {"name": "proxy", "restartPolicy": "Always", "startupProbe": probe, "ports": [{"containerPort": 80}]},
        ],
        "containers": [{
            "name": "web",
            "command": ["sh", "-c", "setup\u{1b}[31m; /app"],
            "livenessProbe": probe,
            "readinessProbe": probe,
            "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 9 # \u{1b}[31m"]}}},
        }],
    }))
    .unwrap();
    manifest::defaults::pod_spec(&mut spec);
    spec
}

#[test]
fn no_line_is_too_long_and_nothing_moves_the_cursor() {
    let plan = lifecycle::plan::plan(&spec());
    assert!(plan.warnings.len() > 2, "{:?}", plan.warnings);
    for width in [80, 100, 120] {
        let look = Look {
            width,
            color: false,
            unicode: true,
        };
        let text = text("Pod web", &plan, look);
        for line in text.lines() {
            let wide =
                line.chars().count() > width && !line.contains("a-container-with-a-very-long-name");
            assert!(!wide, "more than {width}: {line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
            assert_eq!(line, line.trim_end(), "{line:?}");
        }
    }
}

#[test]
fn colours_add_nothing_but_escape_sequences() {
    let plan = lifecycle::plan::plan(&spec());
    let look = |color| Look {
        width: 80,
        color,
        unicode: true,
    };
    let colored = text("Pod web", &plan, look(true));
    let mut plain = String::new();
    let mut parts = colored.split('\u{1b}');
    plain.push_str(parts.next().unwrap());
    for part in parts {
        let (sequence, rest) = part.split_once('m').unwrap();
        assert!(sequence.starts_with('['), "{sequence}");
        plain.push_str(rest);
    }
    assert_eq!(plain, text("Pod web", &plan, look(false)));
}
