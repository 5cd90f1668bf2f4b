//! Tables of specs and the messages the API server has for them. A case lists every message, in any order, by its
//! beginning; an empty list means that the spec is taken.

mod behaviour;
mod containers;
mod objects;

use crate::{Diagnostic, Severity, Source, load};

fn judge(text: String) -> Vec<String> {
    let source = Source {
        name: "t".to_owned(),
        bytes: text.into_bytes(),
    };
    let messages = match load(&[source]) {
        Ok(loaded) => loaded.warnings,
        Err(messages) => messages,
    };
    let errors = messages
        .iter()
        .filter(|message| message.severity == Severity::Error);
    errors
        .map(|Diagnostic { message, .. }| message.clone())
        .collect()
}

fn check(name: &str, text: String, expected: &[&str]) {
    let told = judge(text.clone());
    let met = expected
        .iter()
        .all(|start| told.iter().any(|message| message.starts_with(start)));
    assert!(
        met && told.len() == expected.len(),
        "{name}\n{text}\nexpected {expected:#?}\ngot {told:#?}"
    );
}

/// Fields of a spec, with a good app unless containers are given.
fn spec(fields: &str, expected: &[&str]) {
    let app = if fields.contains("containers:") {
        ""
    } else {
        "containers: [{name: app, image: x}], "
    };
    let text =
        format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{{app}{fields}}}}}");
    check(fields, text, expected);
}

/// Fields of the only app.
fn app(fields: &str, expected: &[&str]) {
    spec(
        &format!(
            "containers: [{{name: app, image: x, {fields}}}], volumes: [{{name: v, emptyDir: {{}}}}, {{name: w}}]"
        ),
        expected,
    );
}

/// Fields of an init container.
fn init(fields: &str, expected: &[&str]) {
    let apps = "containers: [{name: app, image: x}]";
    spec(
        &format!("{apps}, initContainers: [{{name: init, image: x, {fields}}}]"),
        expected,
    );
}

fn metadata(fields: &str, expected: &[&str]) {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{{fields}}}, spec: {{containers: [{{name: a, image: x}}]}}}}"
    );
    check(fields, text, expected);
}

fn object(fields: &str, expected: &[&str]) {
    check(fields, format!("{{apiVersion: v1, {fields}}}"), expected);
}
