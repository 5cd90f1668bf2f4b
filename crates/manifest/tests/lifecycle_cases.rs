//! The expectations of `tests/lifecycle-cases` that need no running Pod: `rejected`, `accepted`, `computed`; and every
//! Pod there, which a real kubelet took, is taken here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, too"
)]

use std::path::PathBuf;

use pillion_manifest as manifest;

use manifest::core::v1::Pod;
use manifest::resources::{effective_requests, qos_class};
use manifest::{Diagnostic, Object, Quantity, Source};
use serde_json::Value;

struct Case {
    name: String,
    expect: Vec<Value>,
    objects: Vec<Value>,
    pod: Value,
}

/// All scenario files, read with this crate's own YAML reader.
fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/lifecycle-cases");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    let cases: Vec<Case> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let (documents, errors) = manifest::yaml::parse(&text);
            assert!(errors.is_empty(), "{}: {errors:?}", file.display());
            assert_eq!(documents.len(), 1, "{}", file.display());
            let case = documents[0].root.to_json();
            let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
            Case {
                name: file.file_name().unwrap().to_string_lossy().into_owned(),
                expect: list("expect"),
                objects: list("objects"),
                pod: case["pod"].clone(),
            }
        })
        .collect();
    assert!(
        cases.len() > 190,
        "only {} scenario files found",
        cases.len()
    );
    cases
}

fn load(case: &Case) -> Result<manifest::Loaded, Vec<Diagnostic>> {
    let mut text = String::new();
    for object in case.objects.iter().chain([&case.pod]) {
        text.push_str(&object.to_string());
        text.push('\n');
    }
    manifest::load(&[Source {
        name: case.name.clone(),
        bytes: text.into_bytes(),
    }])
}

fn pod(loaded: manifest::Loaded) -> Pod {
    let pods = loaded
        .objects
        .into_iter()
        .filter_map(|object| match object {
            Object::Pod(pod) => Some(pod.object),
            _ => None,
        });
    pods.last().unwrap()
}

#[test]
fn rejected_pods_are_refused_with_the_field_and_the_words() {
    let mut checked = 0;
    for case in cases() {
        for expected in case
            .expect
            .iter()
            .filter_map(|expect| expect.get("rejected"))
        {
            let field = expected["field"].as_str().unwrap();
            let words = expected["contains"].as_str().unwrap();
            let errors = load(&case).expect_err(&case.name);
            let told = errors.iter().any(|error| {
                error.message.starts_with(&format!("{field}: ")) && error.message.contains(words)
            });
            assert!(
                told,
                "{}: wanted {field}: ... {words}\ngot {errors:#?}",
                case.name
            );
            assert_eq!(
                errors.len(),
                1,
                "{}: more than the one fault is reported: {errors:#?}",
                case.name
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 13);
}

#[test]
fn every_other_pod_is_taken_without_a_warning() {
    for case in cases() {
        if case
            .expect
            .iter()
            .any(|expect| expect.get("rejected").is_some())
        {
            continue;
        }
        let loaded = load(&case).unwrap_or_else(|errors| panic!("{}: {errors:#?}", case.name));
        // What these scenarios are about and this runner does not do, or what they leave out on purpose.
        let known = [
            "among the manifests",
            "not honoured; it would ask the container's gRPC",
        ];
        let unexpected = loaded
            .warnings
            .iter()
            .filter(|warning| !known.iter().any(|known| warning.message.contains(known)));
        let unexpected: Vec<_> = unexpected.collect();
        assert!(unexpected.is_empty(), "{}: {unexpected:#?}", case.name);
    }
}

#[test]
fn computed_requests_and_qos_agree() {
    let mut checked = 0;
    for case in cases() {
        for expected in case
            .expect
            .iter()
            .filter_map(|expect| expect.get("computed"))
        {
            let pod = pod(load(&case).unwrap());
            if let Some(requests) = expected.get("requests") {
                let computed = effective_requests(&pod.spec);
                for (resource, amount) in requests.as_object().unwrap() {
                    let amount: Quantity = amount.as_str().unwrap().parse().unwrap();
                    assert_eq!(
                        computed.get(resource),
                        Some(&amount),
                        "{}: {resource}",
                        case.name
                    );
                    checked += 1;
                }
            }
            if let Some(qos) = expected.get("qos") {
                assert_eq!(qos_class(&pod.spec).as_str(), qos, "{}", case.name);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 8);
}

/// What is loaded can be written and loaded again, with nothing lost and nothing added.
#[test]
fn pods_survive_being_written_and_read_again() {
    for case in cases() {
        let Ok(loaded) = load(&case) else { continue };
        let first = pod(loaded);
        let text = serde_json::to_vec(&first).unwrap();
        let again = manifest::load(&[Source {
            name: "again".to_owned(),
            bytes: text,
        }]);
        let again = again.unwrap_or_else(|errors| panic!("{}: {errors:#?}", case.name));
        assert_eq!(pod(again), first, "{}", case.name);
    }
}
