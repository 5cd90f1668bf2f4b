//! YAML as kubectl writes it: keys in natural order, lists no deeper than their key, text in quotes only where
//! it would be read as something else, lines folded behind column 80.
//!
//! No library does exactly that; what is written here is read back equal by [`manifest::yaml`]. Differences to
//! kubectl: `<<` as a key, line breaks of Unicode and DEL are written in double quotes, since kubectl cannot
//! read back what it makes of them.

use serde_json::{Map, Value};

mod keys;
mod scalar;

use scalar::Style;

/// Keys longer than this stand in a line of their own, behind a question mark.
const LONGEST_SIMPLE_KEY: usize = 128;

/// A value as a YAML document, with a line break at the end.
#[must_use]
pub fn yaml(value: &Value) -> String {
    let mut writer = Writer { out: String::new() };
    match value {
        Value::Object(map) if !map.is_empty() => writer.map(map, 0),
        Value::Array(items) if !items.is_empty() => writer.list(items, 0),
        scalar => {
            writer.scalar(scalar, 2);
            writer.out.push('\n');
        }
    }
    writer.out
}

struct Writer {
    out: String,
}

impl Writer {
    /// A map's entries at so many blanks; the first stands where the writer is.
    fn map(&mut self, map: &Map<String, Value>, indent: usize) {
        for (position, (key, value)) in keys::sorted(map).into_iter().enumerate() {
            if position > 0 {
                self.blanks(indent);
            }
            let style = Style::of(key).for_key();
            if key.len() <= LONGEST_SIMPLE_KEY && !key.contains('\n') {
                scalar::write(&mut self.out, key, style, None);
                self.out.push(':');
                self.value_of_key(value, indent);
                continue;
            }
            self.out.push_str("? ");
            scalar::write(&mut self.out, key, Style::of(key), Some(indent + 2));
            self.out.push('\n');
            self.blanks(indent);
            self.out.push_str(": ");
            self.nested(value, indent + 2);
        }
    }

    fn value_of_key(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.out.push('\n');
                self.blanks(indent + 2);
                self.map(map, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                self.out.push('\n');
                self.blanks(indent);
                self.list(items, indent);
            }
            scalar => {
                self.out.push(' ');
                self.scalar(scalar, indent + 2);
                self.out.push('\n');
            }
        }
    }

    /// A list's elements at so many blanks; the first stands where the writer is.
    fn list(&mut self, items: &[Value], indent: usize) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.blanks(indent);
            }
            self.out.push_str("- ");
            self.nested(item, indent + 2);
        }
    }

    /// A value behind `- ` or `: `.
    fn nested(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.map(map, indent),
            Value::Array(items) if !items.is_empty() => self.list(items, indent),
            scalar => {
                self.scalar(scalar, indent);
                self.out.push('\n');
            }
        }
    }

    /// A value in one place; lines of text that follow are indented by so many blanks.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) => {
                scalar::write(&mut self.out, text, Style::of(text), Some(indent));
            }
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) => self.out.push_str(&float_text(float)),
                None => self.out.push_str(&number.to_string()),
            },
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Object(_) => self.out.push_str("{}"),
        }
    }

    fn blanks(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }
}

/// Whole numbers of 64 bits without a fraction; others with an exponent below 10^-4 and from 10^6 on.
fn float_text(float: f64) -> String {
    let text = float.to_string();
    let is_whole = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    if is_whole || (1e-4..1e6).contains(&float.abs()) {
        return text;
    }
    crate::go::with_exponent(float)
}
