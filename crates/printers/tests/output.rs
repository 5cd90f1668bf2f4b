//! Compares what `-o` prints with kubectl's own answers, recorded in `kubectl/output.json` by
//! `kubectl/record_output.py`; and reads back what is printed as YAML.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly, too")]

use pillion_printers::output::{Format, Printer, list, yaml};
use proptest::prelude::*;
use serde_json::Value;

/// What the command line prints, or its error.
fn print(format: &str, no_headers: bool, object: &Value) -> Result<String, String> {
    let format = Format::parse(format).map_err(|error| error.to_string())?;
    Printer::new(format, no_headers)
        .print(object)
        .map_err(|error| error.to_string())
}

#[test]
fn prints_what_kubectl_prints() {
    let table: Vec<Value> = serde_json::from_str(include_str!("kubectl/output.json")).unwrap();
    assert!(table.len() > 150, "the table is cut short");
    let mut wrong = Vec::new();
    for case in &table {
        let objects = case["objects"].as_array().unwrap().clone();
        let single = case["arguments"]
            .as_array()
            .is_none_or(|arguments| arguments.contains(&"web".into()));
        let no_headers = case["arguments"].to_string().contains("--no-headers");
        let object = if single {
            objects[0].clone()
        } else {
            list(objects)
        };
        let format = case["format"].as_str().unwrap();
        let here = print(format, no_headers, &object);
        let expected = match case["code"].as_i64() {
            Some(0) => Ok(case["stdout"].as_str().unwrap().to_owned()),
            _ => Err(case["stderr"]
                .as_str()
                .unwrap()
                .trim_start_matches("error: ")
                .trim_end()
                .to_owned()),
        };
        let same = match (&here, &expected) {
            // The list of formats is shorter here.
            (Err(here), Err(expected)) if here.contains("unable to match a printer") => {
                here.split(", allowed").next() == expected.split(", allowed").next()
            }
            _ => here == expected,
        };
        if !same {
            wrong.push(difference(format, &here, &expected));
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

/// The lines that differ.
fn difference(
    format: &str,
    here: &Result<String, String>,
    expected: &Result<String, String>,
) -> String {
    let lines = |text: &Result<String, String>| match text {
        Ok(text) | Err(text) => text.lines().map(str::to_owned).collect::<Vec<_>>(),
    };
    let (here, expected) = (lines(here), lines(expected));
    let pairs = expected
        .iter()
        .zip(&here)
        .filter(|(expected, here)| expected != here)
        .take(5);
    let pairs =
        pairs.map(|(expected, here)| format!("   kubectl: {expected:?}\n   here:    {here:?}"));
    format!(
        "{format}: {} lines, {} here\n{}",
        expected.len(),
        here.len(),
        pairs.collect::<Vec<_>>().join("\n")
    )
}

fn read_back(value: &Value) -> Value {
    let text = yaml(value);
    let (documents, errors) = manifest::yaml::parse(&text);
    assert!(errors.is_empty(), "{errors:?} in\n{text}");
    documents
        .first()
        .map_or(Value::Null, |document| document.root.to_json())
}

/// Text of characters that have a meaning in YAML, and of any.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-?:,\\[\\]{}#&*!|>'\"%@` ab01.\\n\\t~<=+_yn]{0,12}",
        "(yes|no|on|null|0x1|1e3|~|<<|2001-01-01|12:30|- |\\? |a: b|word ){0,30}",
        ".{0,8}",
        "\\PC{0,100}",
        proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // The reader rounds to the nearest, as Go does; serde_json's own numbers are no part of this.
        (-1_000_000i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..4).prop_map(|entries| entries
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Numbers by value: what is whole comes back as an integer.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let matches = |(key, value): (&String, &Value)| {
                right.get(key).is_some_and(|other| same(value, other))
            };
            left.len() == right.len() && left.iter().all(matches)
        }
        _ => left == right,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn yaml_is_read_back_equal(value in proptest::collection::vec((text(), value()), 1..4)) {
        let value: Value = value.into_iter().collect::<serde_json::Map<_, _>>().into();
        let again = read_back(&value);
        prop_assert!(same(&value, &again), "{value}\n{again}\n{}", yaml(&value));
    }
}
