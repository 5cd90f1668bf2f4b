//! Compares the YAML reader with kubectl's own answers, recorded in `kubectl/answers.json` by `kubectl/record.py`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, too"
)]

use pillion_manifest as manifest;
use serde_json::Value;

/// What kubectl reads and this crate refuses, and why.
const STRICTER: &[(&str, &str)] = &[
    (
        "v: 1\nv: 2\n",
        "duplicate keys: kubectl drops the first in silence",
    ),
    (
        "v: {a: 1, a: 2}\n",
        "duplicate keys: kubectl drops the first in silence",
    ),
];

/// What kubectl refuses or misreads and this crate reads, and why.
const KINDER: &[(&str, &str)] = &[
    ("v: \"\\/\"\n", "an escape of YAML 1.2 and JSON"),
    ("v: |\n  \ta\n", "text that begins with a tab"),
    (
        "v: \n  - \ta\n",
        "a tab after the dash, where nothing is indented by it",
    ),
    (
        "metadata: {name: a}\n--- # c\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "kubectl loses this document",
    ),
    ("v:\n  -0.0: x\n", "the key \"-0\" is \"0\" here"),
    ("v: a\u{85}b\n", "a line break of YAML 1.1 only"),
    ("v: a\u{2028}b\n", "a line break of YAML 1.1 only"),
];

#[test]
fn reads_what_kubectl_reads() {
    let table: Vec<Value> = serde_json::from_str(include_str!("kubectl/answers.json")).unwrap();
    assert!(
        table.len() > 400,
        "the table is cut short: {} rows",
        table.len()
    );
    let mut wrong = Vec::new();
    for row in &table {
        let text = row["text"].as_str().unwrap();
        let (documents, errors) = manifest::yaml::parse(text);
        let read = if errors.is_empty() {
            Ok(objects(&documents))
        } else {
            Err(errors)
        };
        let listed = |list: &[(&str, &str)]| list.iter().any(|(end, _)| text.ends_with(end));
        let expected = row
            .get("objects")
            .map(|objects| objects.as_array().unwrap().clone());
        let agrees = match (&read, &expected) {
            (Ok(read), Some(expected)) => same_lists(read, expected) != listed(KINDER),
            (Err(_), None) => !listed(KINDER),
            (Err(_), Some(_)) => listed(STRICTER),
            (Ok(_), None) => listed(KINDER),
        };
        if !agrees {
            let kubectl =
                expected.map_or_else(|| row["error"].to_string(), |o| Value::from(o).to_string());
            wrong.push(format!(
                "{:?}\n   kubectl: {kubectl}\n   here:    {read:?}",
                row["input"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        table.len(),
        wrong.join("\n")
    );
}

/// The documents as kubectl prints them: the items of a list one by one.
fn objects(documents: &[manifest::yaml::Document]) -> Vec<Value> {
    let mut objects = Vec::new();
    for document in documents {
        let json = document.root.to_json();
        match json["kind"].as_str() {
            Some("List") => objects.extend(json["items"].as_array().unwrap().iter().cloned()),
            _ => objects.push(json),
        }
    }
    objects
}

fn same_lists(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| same(left, right))
}

/// Equal values; numbers by value, since the table holds some beyond 64 bits.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            // serde_json reads floats to the last digit but one.
            let (l, r) = (
                left.as_f64().unwrap_or(f64::NAN),
                right.as_f64().unwrap_or(f64::NAN),
            );
            left == right || left.as_i64().is_none() && (l - r).abs() <= l.abs() * 1e-15
        }
        (Value::Array(left), Value::Array(right)) => same_lists(left, right),
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}
