//! What is published about the configuration is what the tables say: `UPDATE=1` writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail loudly, too"
)]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use manifest::Source;
use manifest::schema::{Field, Kind, ObjectSchema, Support};
use pillion_proxy::config::{self, document::Proxy};

const BEGIN: &str = "<!-- The reference below is written by crates/proxy/tests/docs.rs. -->\n";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Compares a file with what it has to hold, or writes it.
fn hold(name: &str, expected: &str) {
    let path = docs().join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/{name} is not what the tables say: run this test with UPDATE=1"
    );
}

#[test]
fn the_json_schema_is_published() {
    let schema = manifest::json_schema(Proxy::SCHEMA, "https://pillion.dev/schemas/proxy-v1.json");
    let text = serde_json::to_string_pretty(&schema).unwrap();
    hold("proxy.schema.json", &format!("{text}\n"));
}

#[test]
fn the_reference_is_published() {
    let page = std::fs::read_to_string(docs().join("proxy.md")).unwrap();
    let (prose, _) = page.split_once(BEGIN).unwrap();
    let mut reference = String::new();
    let mut seen = HashSet::new();
    describe(Proxy::SCHEMA, &mut seen, &mut reference);
    hold(
        "proxy.md",
        &format!("{prose}{BEGIN}\n{}\n", reference.trim()),
    );
}

fn describe(object: &'static ObjectSchema, seen: &mut HashSet<&'static str>, text: &mut String) {
    if !seen.insert(object.name) {
        return;
    }
    let (name, doc) = (object.name, object.doc);
    write!(
        text,
        "\n### {name}\n\n{doc}\n\n| field | value | meaning |\n| --- | --- | --- |\n"
    )
    .unwrap();
    let mut below = Vec::new();
    for field in object.fields {
        let (name, doc) = (field.name, field.doc.replace('|', "\\|"));
        let value = match field.support {
            Support::Later(_) => "refused until it comes".to_owned(),
            _ => value(&field.kind, &mut below),
        };
        let required = if is_required(field) { ", required" } else { "" };
        writeln!(text, "| `{name}` | {value}{required} | {doc} |").unwrap();
    }
    for object in below {
        describe(object, seen, text);
    }
}

fn is_required(field: &Field) -> bool {
    field.required && field.support == Support::Honoured
}

fn value(kind: &'static Kind, below: &mut Vec<&'static ObjectSchema>) -> String {
    match kind {
        Kind::String | Kind::Bytes | Kind::Time => "text".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Int32 | Kind::Int64 => "number".to_owned(),
        Kind::Quantity => "amount (`10Mi`)".to_owned(),
        Kind::Duration => "duration (`1m30s`)".to_owned(),
        Kind::IntOrString => "number or text".to_owned(),
        Kind::Enum(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        }
        Kind::Object(object) => {
            below.push(object);
            format!("[{}](#{})", object.name, object.name.to_lowercase())
        }
        Kind::List(item) => format!("list: {}", value(item, below)),
        Kind::Map(item) => format!("map: {}", value(item, below)),
        Kind::Any => "anything".to_owned(),
    }
}

#[test]
fn each_example_is_a_configuration() {
    let page = std::fs::read_to_string(docs().join("proxy.md")).unwrap();
    let mut examples = 0;
    for block in page.split("```yaml\n").skip(1) {
        let (text, _) = block.split_once("```").unwrap();
        let source = Source {
            name: "docs/proxy.md".to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        if let Err(messages) = config::load(&[source]) {
            let lines: Vec<String> = messages.iter().map(|it| it.render(false)).collect();
            panic!("{}\n{text}", lines.join("\n"));
        }
        examples += 1;
    }
    assert!(examples >= 3, "{examples} examples");
}
