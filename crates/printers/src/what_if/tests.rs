use lifecycle::Time;
use lifecycle::what_if;
use manifest::core::v1::Pod;
use serde_json::json;

use super::*;

#[test]
fn no_line_is_too_long() {
    let mut pod = Pod {
        spec: serde_json::from_value(json!({
            "initContainers": [{"name": "prepare"}, {"name": "proxy", "restartPolicy": "Always"}],
            "containers": [{
                "name": "web",
                "livenessProbe": {"tcpSocket": {"port": 80}},
                "lifecycle": {"preStop": {"exec": {"command": ["sleep", "3"]}}},
            }],
        }))
        .unwrap(),
        ..Pod::default()
    };
    manifest::defaults::pod(&mut pod);
    let suppositions = ["web=hang@7s", "delete@8m"].map(|text| what_if::parse(text).unwrap());
    let outcome = what_if::simulate(&pod, &suppositions, Time(0), Duration::from_secs(600));
    for width in [80, 100, 120] {
        let look = Look {
            width,
            color: false,
            unicode: true,
        };
        for line in text("Pod web if web=hang@7s", &outcome, look).lines() {
            assert!(line.chars().count() <= width, "{line}");
            assert_eq!(line, line.trim_end(), "{line:?}");
        }
    }
}
