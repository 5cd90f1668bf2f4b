//! Compares JSONPath templates with kubectl's own answers, recorded in `kubectl/jsonpath.json` by
//! `kubectl/record_jsonpath.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly, too")]

use pillion_printers::jsonpath::{MissingKeys, Template, sort_by};
use serde_json::{Value, json};

fn evaluate(template: &str, object: &Value) -> Result<String, String> {
    let template = Template::parse(template).map_err(|error| error.to_string())?;
    template.print(object).map_err(|error| error.to_string())
}

#[test]
fn templates_print_what_kubectl_prints() {
    let table: Value = serde_json::from_str(include_str!("kubectl/jsonpath.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() > 200, "the table is cut short");
    let mut wrong = Vec::new();
    for case in cases {
        let template = case["template"].as_str().unwrap();
        let expected = match case["prints"].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(case["error"].as_str().unwrap().to_owned()),
        };
        let here = evaluate(template, &table["object"]);
        if here != expected {
            wrong.push(format!(
                "{template}\n   kubectl: {expected:?}\n   here:    {here:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn members_are_visited_by_name() {
    let object = json!({"b": {"z": 1, "y": "two"}, "a": [3]});
    for (template, expected) in [
        ("{.*}", r#"[3] {"y":"two","z":1}"#),
        ("{.b.*}", "two 1"),
        (
            "{..}",
            r#"{"a":[3],"b":{"y":"two","z":1}} [3] {"y":"two","z":1} two"#,
        ),
    ] {
        assert_eq!(
            evaluate(template, &object),
            Ok(expected.to_owned()),
            "{template}"
        );
    }
}

#[test]
fn missing_keys_can_be_refused() {
    let template = Template::parse("{.a.b}")
        .unwrap()
        .missing_keys(MissingKeys::Refused);
    let error = template.print(&json!({"a": {}})).unwrap_err();
    assert_eq!(error.to_string(), "b is not found");
}

#[test]
fn relaxed_paths() {
    let object = json!({"a": {"b": 1}});
    for path in ["a.b", ".a.b", "{a.b}", "{.a.b}"] {
        assert_eq!(
            Template::parse_relaxed(path)
                .unwrap()
                .print(&object)
                .unwrap(),
            "1",
            "{path}"
        );
    }
    for path in ["{a}{b}", "{a", "a}", "{}", "x{a}"] {
        let error = Template::parse_relaxed(path).unwrap_err().to_string();
        assert!(
            error.starts_with("unexpected path string, expected a 'name1.name2' or"),
            "{path}: {error}"
        );
    }
}

#[test]
fn endless_work_is_refused() {
    let many = "{range}".repeat(40);
    assert!(evaluate(&many, &json!({})).is_err());
    let deep = "{range}".repeat(100_000);
    assert!(evaluate(&deep, &json!({})).is_err());
    let object: Value =
        serde_json::from_str(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).unwrap();
    assert!(evaluate(&format!("{{{}}}", "..[*]".repeat(30)), &object).is_err());
}

#[test]
fn objects_in_the_order_of_a_field() {
    let order = |path: &str, values: Value| {
        let mut things = values.as_array().unwrap().clone();
        sort_by(&mut things, path, |thing: &Value| Some(thing))
            .map(|()| Value::from(things))
            .map_err(|e| e.to_string())
    };
    let sorted = order(".a", json!([{"a": 10}, {"a": 9}, {"b": 1}, {"a": 1.5}]));
    assert_eq!(
        sorted,
        Ok(json!([{"b": 1}, {"a": 1.5}, {"a": 9}, {"a": 10}]))
    );
    let sorted = order("{.a}", json!([{"a": "1Gi"}, {"a": "500Mi"}, {"a": "2k"}]));
    assert_eq!(
        sorted,
        Ok(json!([{"a": "2k"}, {"a": "500Mi"}, {"a": "1Gi"}]))
    );
    let sorted = order("a", json!([{"a": "b"}, {"a": "a"}]));
    assert_eq!(sorted, Ok(json!([{"a": "a"}, {"a": "b"}])));
    let missing = order("x.y", json!([{"a": 1}, {}]));
    let message = "couldn't find any field with path \"{.x.y}\" in the list of objects";
    assert_eq!(missing, Err(message.to_owned()));
    assert!(order("a", json!([{"a": {}}, {"a": {}}])).is_err());
}
