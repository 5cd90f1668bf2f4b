mod messages;

use std::collections::BTreeSet;

use manifest::schema::{Kind, Support};
use proptest::prelude::*;

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

#[test]
fn no_word_needs_quotes() {
    fn visit(schema: &'static ObjectSchema, seen: &mut BTreeSet<&'static str>) {
        if !seen.insert(schema.name) {
            return;
        }
        for field in schema.fields {
            let mut kind = &field.kind;
            while let Kind::List(item) | Kind::Map(item) = kind {
                kind = item;
            }
            match kind {
                Kind::Object(below) => visit(below, seen),
                // In YAML 1.1 `Off` is false and `1.2` a number.
                Kind::Enum(words) => {
                    let text = |word: &&str| manifest::yaml::reads_as_text(word);
                    assert!(words.iter().all(text), "{}.{}", schema.name, field.name);
                }
                _ => {}
            }
        }
    }
    visit(Proxy::SCHEMA, &mut BTreeSet::new());
    visit(HttpRoute::SCHEMA, &mut BTreeSet::new());
}

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

/// The paths of all values of a document, as JSON pointers.
fn pointers(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(map) => map.iter().map(|(key, it)| (key.clone(), it)).collect(),
        serde_json::Value::Array(list) => {
            let items = list.iter().enumerate();
            items.map(|(index, it)| (index.to_string(), it)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in below {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        pointers(value, &at, found);
        found.push(at);
    }
}

fn remove(document: &mut serde_json::Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(serde_json::Value::Object(map)) => {
            map.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(serde_json::Value::Array(list)) => {
            let index: usize = key.parse().unwrap();
            if index < list.len() {
                list.remove(index);
            }
        }
        _ => {}
    }
}

proptest! {
    /// Whatever is left out of a document: if it is one, its effective form is read back equal.
    #[test]
    fn effective_is_read_back_equal_whatever_is_left_out(
        removed in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let mut document = loaded(EVERYTHING).config.effective();
        for index in removed {
            let mut all = Vec::new();
            pointers(&document, "", &mut all);
            remove(&mut document, &all[index.index(all.len())]);
        }
        if let Ok(read) = load(&[source(&document.to_string())]) {
            let effective = read.config.effective().to_string();
            let again = loaded(&effective).config;
            prop_assert_eq!(&again.effective().to_string(), &effective);
            prop_assert_eq!(again, read.config);
        }
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
