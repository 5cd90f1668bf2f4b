//! JSON Schema (draft 2020-12) from the support table, for editors and for checks elsewhere.
//!
//! It says about form what the decoder says: names of fields, types, words. Fields that are refused are left out, so that
//! editors do not offer them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::schema::{Field, Kind, ObjectSchema, Support};

/// The schema of an object, with everything it holds under `$defs`.
#[must_use]
pub fn json_schema(root: &'static ObjectSchema, id: &str) -> Value {
    let mut definitions = BTreeMap::new();
    define(root, &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "$ref": reference(root),
        "$defs": definitions,
    })
}

fn reference(object: &ObjectSchema) -> String {
    format!("#/$defs/{}", object.name)
}

fn define(object: &'static ObjectSchema, definitions: &mut BTreeMap<&'static str, Value>) {
    if definitions.contains_key(object.name) {
        return;
    }
    // Taken before what it holds, since objects may hold themselves.
    definitions.insert(object.name, Value::Null);
    let fields = object.fields.iter();
    let fields: Vec<&'static Field> = fields
        .filter(|field| !matches!(field.support, Support::Refused(_) | Support::Later(_)))
        .collect();
    let mut properties = serde_json::Map::new();
    for field in &fields {
        let mut property = value(&field.kind, definitions);
        if let Value::Object(property) = &mut property {
            property.insert("description".to_owned(), field.doc.into());
        }
        properties.insert(field.name.to_owned(), property);
    }
    let required = fields.iter().filter(|field| field.required);
    let required: Vec<&str> = required.map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": object.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    definitions.insert(object.name, schema);
}

fn value(kind: &'static Kind, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    match kind {
        Kind::String => json!({"type": "string"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        Kind::Int64 => json!({"type": "integer"}),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::Quantity => json!({"type": ["string", "number"]}),
        Kind::IntOrString => json!({"type": ["integer", "string"]}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Duration => {
            json!({"type": "string", "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"})
        }
        Kind::Enum(words) => json!({"type": "string", "enum": words}),
        Kind::Object(object) => {
            define(object, definitions);
            json!({"$ref": reference(object)})
        }
        Kind::List(item) => json!({"type": "array", "items": value(item, definitions)}),
        Kind::Map(item) => {
            json!({"type": "object", "additionalProperties": value(item, definitions)})
        }
        Kind::Any => json!({}),
    }
}
