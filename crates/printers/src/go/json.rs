//! JSON as Go's `encoding/json` writes it: members by name, characters that mean something in HTML escaped.

use serde_json::Value;

/// JSON in one line, without blanks.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write(value, None, &mut out);
    out
}

/// JSON with one member or element a line, four blanks deeper each.
#[must_use]
pub fn json_indented(value: &Value) -> String {
    let mut out = String::new();
    write(value, Some(0), &mut out);
    out
}

/// `depth` is how deep the value stands when it is to be indented.
fn write(value: &Value, depth: Option<usize>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => out.push_str(&float_text(float)),
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            let items = items.iter().map(|item| (None, item)).collect();
            write_all('[', items, ']', depth, out);
        }
        Value::Object(map) => {
            let mut members = map.iter().collect::<Vec<_>>();
            members.sort_by_key(|(name, _)| name.as_str());
            let members = members.into_iter().map(|(name, value)| (Some(name), value));
            write_all('{', members.collect(), '}', depth, out);
        }
    }
}

fn write_all(
    open: char,
    items: Vec<(Option<&String>, &Value)>,
    close: char,
    depth: Option<usize>,
    out: &mut String,
) {
    out.push(open);
    let inner = depth.map(|depth| depth + 1);
    let is_empty = items.is_empty();
    for (position, (name, value)) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        new_line(inner, out);
        if let Some(name) = name {
            write_text(name, out);
            out.push_str(if inner.is_some() { ": " } else { ":" });
        }
        write(value, inner, out);
    }
    if !is_empty {
        new_line(depth, out);
    }
    out.push(close);
}

fn new_line(depth: Option<usize>, out: &mut String) {
    if let Some(depth) = depth {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// The fewest digits, with an exponent below 10^-6 and from 10^21 on.
fn float_text(float: f64) -> String {
    if float == 0.0 || (1e-6..1e21).contains(&float.abs()) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => {
            format!("{mantissa}e+{exponent}")
        }
        _ => text,
    }
}
