//! Whatever the bytes, loading ends with objects or messages; whatever the Pod, writing and reading it changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, too"
)]

use pillion_manifest as manifest;

use manifest::{Object, Source, load};
use proptest::prelude::*;
use serde_json::{Value, json};

fn source(bytes: Vec<u8>) -> Source {
    Source {
        name: "x".to_owned(),
        bytes,
    }
}

/// Loads, and renders all messages, which must not panic either.
fn exercise(bytes: Vec<u8>) {
    let messages = match load(&[source(bytes)]) {
        Ok(loaded) => loaded.warnings,
        Err(messages) => {
            assert!(!messages.is_empty(), "refused without a message");
            messages
        }
    };
    for message in messages {
        assert!(message.line >= 1 && message.column >= 1);
        assert!(
            !message.one_line().contains('\n'),
            "{:?}",
            message.one_line()
        );
        let _ = message.render(true);
    }
}

/// Pieces of manifests, so that random text gets past the first line.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "apiVersion: v1\n",
        "kind: Pod\n",
        "kind: Secret\n",
        "kind: List\n",
        "items:\n",
        "metadata:\n",
        "  name: a\n",
        "spec:\n",
        "  containers:\n",
        "  - name: x\n",
        "    image: y\n",
        "    env: [{name: a, value: 1}]\n",
        "data: {a: b}\n",
        "---\n",
        "...\n",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "- ",
        "&a ",
        "*a",
        "<<: ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "\t",
        "\n",
        "\r\n",
        " ",
        "#",
        "!!int ",
        "é",
        "\u{feff}",
        "\u{2028}",
        "0644",
        "yes",
        "1e3",
        ".inf",
        "? ",
        "%YAML 1.1\n",
        "\\u12",
        "{\"a\":",
        "@",
    ];
    prop_oneof![
        4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(bytes);
    }

    #[test]
    fn anything_like_a_manifest_is_taken_or_refused(pieces in proptest::collection::vec(piece(), 0..40)) {
        exercise(pieces.concat().into_bytes());
    }

    #[test]
    fn any_quantity_reads_as_what_it_is_written(nanos in any::<i64>(), suffix in proptest::sample::select(
        vec!["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"]))
    {
        let quantity: manifest::Quantity = format!("{nanos}{suffix}").parse().unwrap();
        let again: manifest::Quantity = quantity.to_string().parse().unwrap();
        prop_assert_eq!(again, quantity);
        prop_assert_eq!(again.to_string(), quantity.to_string());
    }

    #[test]
    fn bytes_survive_base64(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(manifest::bytes::decode(&manifest::bytes::encode(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn a_pod_survives_being_written_and_read(pod in pod()) {
        let read = |bytes: Vec<u8>| match load(&[source(bytes)]).map(|loaded| loaded.objects).as_deref() {
            Ok([Object::Pod(pod)]) => pod.object.clone(),
            other => panic!("{other:?}"),
        };
        let first = read(pod.to_string().into_bytes());
        let again = read(serde_json::to_vec(&first).unwrap());
        prop_assert_eq!(again, first);
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]([-a-z0-9]{0,8}[a-z0-9])?"
}

fn text() -> impl Strategy<Value = String> {
    // Surrogates aside, whatever YAML and JSON can carry.
    any::<String>().prop_map(|text| text.chars().filter(|c| !c.is_control()).collect())
}

fn container(index: usize) -> impl Strategy<Value = Value> {
    let env = proptest::collection::vec((name(), text()), 0..3);
    let ports = proptest::collection::btree_set(1..65536, 0..3);
    let probe = proptest::option::of((0..5i32, 1..9i32));
    let limit = proptest::option::of(1..4000i64);
    let policy = proptest::option::of(proptest::sample::select(vec![
        "Always",
        "IfNotPresent",
        "Never",
    ]));
    (text(), env, ports, probe, limit, policy).prop_map(move |(image, env, ports, probe, limit, policy)| {
        let env: Vec<_> = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let ports: Vec<_> = ports.into_iter().map(|port| json!({"containerPort": port})).collect();
        let mut container = json!({"name": format!("c{index}"), "image": format!("x{}", image.trim()), "env": env, "ports": ports});
        if let Some((delay, period)) = probe {
            container["livenessProbe"] =
                json!({"exec": {"command": ["x"]}, "initialDelaySeconds": delay, "periodSeconds": period});
        }
        if let Some(limit) = limit {
            container["resources"] = json!({"limits": {"cpu": format!("{limit}m"), "memory": format!("{limit}Mi")}});
        }
        if let Some(policy) = policy {
            container["imagePullPolicy"] = policy.into();
        }
        container
    })
}

fn pod() -> impl Strategy<Value = Value> {
    let restart = proptest::sample::select(vec!["Always", "OnFailure", "Never"]);
    let labels = proptest::collection::btree_map(name(), name(), 0..3);
    let annotations = proptest::collection::btree_map(name(), text(), 0..3);
    let grace = proptest::option::of(0..100i64);
    (name(), restart, labels, annotations, grace, container(0), container(1), container(2)).prop_map(
        |(name, restart, labels, annotations, grace, mut sidecar, app, other)| {
            sidecar["restartPolicy"] = "Always".into();
            json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": labels, "annotations": annotations},
                "spec": {
                    "restartPolicy": restart,
                    "terminationGracePeriodSeconds": grace,
                    "initContainers": [sidecar],
                    "containers": [app, other],
                    "volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1.5Gi"}}],
                },
            })
        },
    )
}
