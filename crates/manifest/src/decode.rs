//! Strict decoding of a value tree into a typed object: every error in one go.
//!
//! What does not fit is reported and left out, so that validation can go on with the rest. The result is JSON that serde
//! cannot refuse any more; positions stay in the tree.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::bytes;
use crate::duration::Duration;
use crate::findings::{Finding, not_supported};
use crate::nearest;
use crate::path::Path;
use crate::quantity::Quantity;
use crate::schema::{Field, Kind, ObjectSchema};
use crate::yaml::{Node, Span, Value};

/// A finding about the form of a document, which knows its place better than its path does.
#[derive(Debug)]
pub(crate) struct FormFinding {
    pub(crate) finding: Finding,
    pub(crate) span: Span,
    /// Set for an unknown field: the field it most likely stands for, if any. The path is that of its object.
    pub(crate) unknown: Option<Option<&'static str>>,
}

/// Decodes an object.
///
/// `text` is where the tree was read from; `secret` keeps values out of messages and hints.
pub(crate) fn decode<T: DeserializeOwned + Default>(
    root: &Node,
    schema: &'static ObjectSchema,
    text: &str,
    secret: bool,
) -> (T, Vec<FormFinding>) {
    let mut decoder = Decoder {
        schema,
        text,
        secret,
        findings: Vec::new(),
    };
    let json = decoder.object(root, schema, &Path::root());
    let object = serde_json::from_value(json).unwrap_or_else(|error| {
        // The tables and the types come from one declaration, so this cannot happen; if it did, an error without a
        // place is better than none.
        decoder.push(Finding::plain(&Path::root(), error.to_string()), root.span);
        T::default()
    });
    (object, decoder.findings)
}

struct Decoder<'a> {
    schema: &'static ObjectSchema,
    text: &'a str,
    secret: bool,
    findings: Vec<FormFinding>,
}

impl Decoder<'_> {
    fn push(&mut self, finding: Finding, span: Span) {
        self.findings.push(FormFinding {
            finding,
            span,
            unknown: None,
        });
    }

    /// The fields of a map; unknown ones are errors.
    fn object(&mut self, node: &Node, schema: &'static ObjectSchema, path: &Path) -> Json {
        let Value::Map(entries) = &node.value else {
            return Json::Object(serde_json::Map::new());
        };
        let mut object = serde_json::Map::new();
        for entry in entries {
            let Some(field) = schema.field(&entry.key) else {
                let (finding, meant) = self.unknown(&entry.key, schema, path);
                let unknown = Some(meant);
                self.findings.push(FormFinding {
                    finding,
                    span: entry.key_span,
                    unknown,
                });
                continue;
            };
            let path = path.child(field.name);
            if let Some(value) = self.value(&entry.value, &field.kind, field, schema, &path)
                && !(field.zero_is_unset && is_zero(&value))
            {
                object.insert(field.name.to_owned(), value);
            }
        }
        Json::Object(object)
    }

    /// The value of a field, or nothing when it is null or wrong.
    fn value(
        &mut self,
        node: &Node,
        kind: &'static Kind,
        field: &'static Field,
        owner: &'static ObjectSchema,
        path: &Path,
    ) -> Option<Json> {
        match (kind, &node.value) {
            (_, Value::Null) => return None,
            (Kind::Any, _) => return Some(node.to_json()),
            (Kind::String, Value::String(_)) | (Kind::Bool, Value::Bool(_)) => {
                return Some(node.to_json());
            }
            (Kind::Int64, Value::Int(_)) => return Some(node.to_json()),
            (Kind::Int32 | Kind::IntOrString, Value::Int(number))
                if i32::try_from(*number).is_ok() =>
            {
                return Some(node.to_json());
            }
            (Kind::IntOrString, Value::String(_)) => return Some(node.to_json()),
            (Kind::Quantity, Value::Int(_) | Value::Float(_) | Value::String(_)) => {
                return self.quantity(node, path);
            }
            (Kind::Bytes, Value::String(text)) => return self.bytes(text, node.span, path),
            (Kind::Time, Value::String(text)) => return self.time(text, node.span, path),
            (Kind::Duration, Value::String(text)) => {
                return self.duration(text, node.span, path);
            }
            (Kind::Enum(words), Value::String(word)) => {
                if words.contains(&word.as_str()) || word.is_empty() && field.zero_is_unset {
                    return Some(node.to_json());
                }
                self.push(not_supported(path, word, words), node.span);
                return None;
            }
            (Kind::Object(schema), Value::Map(_)) => return Some(self.object(node, schema, path)),
            (Kind::List(item), Value::List(items)) => {
                let items = items.iter().enumerate().filter_map(|(index, item_node)| {
                    let path = path.index(index);
                    match self.value(item_node, item, field, owner, &path) {
                        // An empty item keeps its place, so that the indices of the others stay right.
                        None => empty(item),
                        value => value,
                    }
                });
                return Some(Json::Array(items.collect()));
            }
            (Kind::Map(item), Value::Map(entries)) => {
                let entries = entries.iter().filter_map(|entry| {
                    let path = path.key(&entry.key);
                    let value = match self.value(&entry.value, item, field, owner, &path) {
                        None if entry.value.value == Value::Null => empty(item),
                        value => value,
                    };
                    value.map(|value| (entry.key.clone(), value))
                });
                return Some(Json::Object(entries.collect()));
            }
            _ => {}
        }
        let finding = self.wrong_type(node, kind, field, owner, path);
        self.push(finding, first_line(node));
        None
    }

    fn quantity(&mut self, node: &Node, path: &Path) -> Option<Json> {
        let text = match &node.value {
            Value::String(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => return None,
        };
        match text.parse::<Quantity>() {
            Ok(_) => Some(Json::String(text)),
            Err(error) => {
                let finding = Finding::at(path, error);
                let hint = "write an amount as 500m, 2, 64Mi or 1.5Gi, without a space or a `B`";
                self.push(finding.hint(hint), node.span);
                None
            }
        }
    }

    fn bytes(&mut self, text: &str, span: Span, path: &Path) -> Option<Json> {
        match bytes::decode(text) {
            Ok(_) => Some(Json::String(text.to_owned())),
            Err(error) => {
                let plain = if self.secret { "stringData" } else { "data" };
                let hint = format!("this field takes base64; plain text belongs in `{plain}`");
                self.push(Finding::at(path, error).hint(hint), span);
                None
            }
        }
    }

    fn time(&mut self, text: &str, span: Span, path: &Path) -> Option<Json> {
        if text.parse::<jiff::Timestamp>().is_ok() {
            return Some(Json::String(text.to_owned()));
        }
        let message = format!("parsing time {text:?}: not of the form 2006-01-02T15:04:05Z");
        self.push(Finding::at(path, message), span);
        None
    }

    fn duration(&mut self, text: &str, span: Span, path: &Path) -> Option<Json> {
        if let Err(error) = text.parse::<Duration>() {
            let message = format!("Invalid value: {text:?}: {error}");
            let hint = "write a duration as 500ms, 10s, 5m or 1h30m";
            self.push(Finding::at(path, message).hint(hint), span);
            return None;
        }
        Some(Json::String(text.to_owned()))
    }

    /// The finding about an unknown field, and the field of this object that was meant.
    fn unknown(
        &self,
        name: &str,
        schema: &'static ObjectSchema,
        path: &Path,
    ) -> (Finding, Option<&'static str>) {
        let dot = if *path == Path::root() { "" } else { "." };
        let full = format!("{path}{dot}{name}");
        let finding = Finding::plain(path, format!("unknown field {full:?}"));
        let near = nearest::nearest(name, schema.fields.iter().map(|field| field.name));
        let home = nearest::home(self.schema, name);
        match (near, home.as_deref()) {
            // A name that exists elsewhere is a typing error only if a single letter or its case is wrong.
            (Some(near), home) if home.is_none() || nearest::is_slip(name, near) => {
                (finding.hint(format!("did you mean `{near}`?")), Some(near))
            }
            (_, Some("")) => {
                let hint = format!("`{name}` belongs at the top of the document, beside `kind`");
                (finding.hint(hint), None)
            }
            (_, Some(home)) => (finding.hint(format!("`{name}` belongs in `{home}`")), None),
            _ => (finding, None),
        }
    }

    /// Worded as Go's JSON decoder words it.
    fn wrong_type(
        &self,
        node: &Node,
        kind: &'static Kind,
        field: &'static Field,
        owner: &'static ObjectSchema,
        path: &Path,
    ) -> Finding {
        let found = match &node.value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(_) | Value::Float(_) if !number_fits(kind) => "number".to_owned(),
            Value::Int(number) => format!("number {number}"),
            Value::Float(number) => format!("number {number}"),
            Value::String(_) => "string".to_owned(),
            Value::List(_) => "array".to_owned(),
            Value::Map(_) => "object".to_owned(),
        };
        let message = format!(
            "cannot unmarshal {found} into Go struct field {}.{} of type {}",
            owner.name,
            path.field_names(),
            go_type(kind)
        );
        let finding = Finding::at(path, message);
        let name = field.name;
        let hint = match (kind, &node.value) {
            (Kind::Duration, Value::Int(_) | Value::Float(_)) => {
                "give the unit: 500ms, 10s, 5m or 1h30m".to_owned()
            }
            (
                Kind::String | Kind::Enum(_) | Kind::Bytes | Kind::Time,
                Value::Bool(_) | Value::Int(_) | Value::Float(_),
            ) => {
                // As it was written: `yes`, not `true`.
                let written = self.text.get(node.span.start..node.span.end).unwrap_or("");
                if self.secret || written.is_empty() || written.len() > 40 {
                    "this is text: put it in quotes".to_owned()
                } else {
                    format!("this is text: put it in quotes, as \"{written}\"")
                }
            }
            (Kind::Int32 | Kind::Int64, Value::String(text)) if text.parse::<i64>().is_ok() => {
                "this is a number: leave the quotes out".to_owned()
            }
            (Kind::Bool, Value::String(_)) => "write true or false, without quotes".to_owned(),
            (Kind::List(_), Value::Map(_)) => {
                format!("`{name}` is a list: begin each item with `- `")
            }
            (Kind::List(_), Value::String(_)) => {
                format!("`{name}` is a list: write it as [\"...\"]")
            }
            (Kind::Object(_) | Kind::Map(_), Value::List(_)) => {
                format!("`{name}` holds fields and is no list: leave the `-` out")
            }
            _ => return finding,
        };
        finding.hint(hint)
    }
}

/// The zero value of a kind, for an item that is null or was refused.
fn empty(kind: &Kind) -> Option<Json> {
    Some(match kind {
        Kind::String | Kind::Bytes => Json::String(String::new()),
        Kind::Object(_) | Kind::Map(_) => Json::Object(serde_json::Map::new()),
        Kind::List(_) => Json::Array(Vec::new()),
        Kind::Quantity => Json::String("0".to_owned()),
        _ => return None,
    })
}

fn is_zero(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Number(number) => number.as_i64() == Some(0),
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

fn number_fits(kind: &Kind) -> bool {
    matches!(kind, Kind::Int32 | Kind::Int64 | Kind::IntOrString)
}

fn go_type(kind: &Kind) -> String {
    match kind {
        Kind::String | Kind::Enum(_) | Kind::Bytes | Kind::Time | Kind::Duration => {
            "string".to_owned()
        }
        Kind::Bool => "bool".to_owned(),
        Kind::Int32 => "int32".to_owned(),
        Kind::Int64 => "int64".to_owned(),
        Kind::Quantity => "resource.Quantity".to_owned(),
        Kind::IntOrString => "intstr.IntOrString".to_owned(),
        Kind::Object(schema) => format!("v1.{}", schema.name),
        Kind::List(item) => format!("[]{}", go_type(item)),
        Kind::Map(item) => format!("map[string]{}", go_type(item)),
        Kind::Any => "interface{}".to_owned(),
    }
}

/// A collection is pointed at by its beginning only.
fn first_line(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => entries[0].key_span,
        Value::List(items) if !items.is_empty() => first_line(&items[0]),
        _ => node.span,
    }
}
