use std::collections::BTreeSet;

use manifest::schema::{Kind, Support};

use super::*;

fn source(text: &str) -> Source {
    Source {
        name: "proxy.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn loaded(text: &str) -> Loaded {
    load(&[source(text)]).unwrap_or_else(|messages| {
        let lines: Vec<String> = messages.iter().map(Diagnostic::one_line).collect();
        panic!("{}", lines.join("\n"))
    })
}

/// All messages, one a line, with hints in parentheses.
#[expect(dead_code)]
fn messages(text: &str) -> Vec<String> {
    let messages = match load(&[source(text)]) {
        Ok(loaded) => loaded.warnings,
        Err(messages) => messages,
    };
    let lines = messages.iter().map(|message| {
        let hint = message.hint.as_ref();
        let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
        let line = message.one_line();
        format!("{}{hint}", line.trim_start_matches("proxy.yaml:"))
    });
    lines.collect()
}

/// The whole vocabulary, each field once.
const EVERYTHING: &str = include_str!("everything.yaml");

const MINIMAL: &str = "
apiVersion: pillion/v1
listeners: [{name: web, port: 80}]
backends: [{name: app, endpoints: ['localhost:8080']}]
routes: [{rules: [{backendRefs: [{name: app}]}]}]
";

const JSON_LOG: &str = "
apiVersion: pillion/v1
listeners: [{name: web, port: 80}]
backends: [{name: app, endpoints: ['localhost:8080']}]
routes: [{rules: [{backendRefs: [{name: app}]}]}]
telemetry: {accessLog: {format: json, fields: {tenant: '%{request.header.x-tenant}'}}}
";

#[test]
fn effective_is_read_back_equal() {
    for text in [MINIMAL, EVERYTHING, JSON_LOG] {
        let config = loaded(text).config;
        let json = config.effective().to_string();
        let again = loaded(&json).config;
        assert_eq!(again, config);
        assert_eq!(again.effective().to_string(), json);
    }
}

#[test]
fn everything_uses_every_field() {
    let (mut known, mut used) = (BTreeSet::new(), BTreeSet::new());
    for text in [EVERYTHING, JSON_LOG] {
        let json = loaded(text).config.effective();
        fields(Proxy::SCHEMA, Some(&json), &mut known, &mut used);
    }
    assert_eq!(known, used);
}

/// All fields of a table that are honoured, and those of them that a value has.
fn fields(
    schema: &ObjectSchema,
    value: Option<&serde_json::Value>,
    known: &mut BTreeSet<String>,
    used: &mut BTreeSet<String>,
) {
    for field in schema.fields {
        if field.support != Support::Honoured {
            continue;
        }
        let name = format!("{}.{}", schema.name, field.name);
        let found = value.and_then(|value| value.get(field.name));
        if found.is_some() {
            used.insert(name.clone());
        }
        known.insert(name);
        match field.kind {
            Kind::Object(below) => fields(below, found, known, used),
            Kind::List(Kind::Object(below)) => {
                fields(below, None, known, used);
                for item in found
                    .and_then(serde_json::Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    fields(below, Some(item), known, used);
                }
            }
            _ => {}
        }
    }
}
