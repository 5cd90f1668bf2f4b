use lifecycle::Time;
use lifecycle::what_if;
use manifest::core::v1::Pod;
use serde_json::json;

use super::*;

/// A picture of a simulation says so, where it ends, and tells what came at one moment in its order.
#[test]
fn a_picture_says_that_it_is_none_of_a_run() {
    let mut pod = Pod {
        spec: serde_json::from_value(json!({
            "terminationGracePeriodSeconds": 2,
            "containers": [{
                "name": "web",
                "livenessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 2},
            }],
        }))
        .unwrap(),
        ..Pod::default()
    };
    pod.metadata.name = Some("web".to_owned());
    manifest::defaults::pod(&mut pod);
    let suppositions = ["web=exit:1@3s", "web=run"].map(|text| what_if::parse(text).unwrap());
    let outcome = what_if::simulate(&pod, &suppositions, Time(0), Duration::from_secs(600));
    let picture = svg("web=exit:1@3s, web=run", &outcome);
    assert!(picture.contains("Simulated, not run: what would follow from web=exit:1@3s, web=run"));
    assert!(picture.contains("The bars end at "), "{picture}");
    let fails = [what_if::parse("web=probe-fail@3s").unwrap()];
    let outcome = what_if::simulate(&pod, &fails, Time(0), Duration::from_secs(600));
    let picture = svg("web=probe-fail@3s", &outcome);
    let (_, list) = picture.split_once(">Killing</text>").unwrap();
    let at = |what: &str| list.find(&format!(">{what}</text>")).unwrap();
    assert!(at("ended") < at("Started"), "{picture}");
}

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
