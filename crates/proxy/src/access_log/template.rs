//! Lines by a template: `%{name}` stands for a field, `%{request.header.NAME}` for a header of the request, `%%` for `%`.

use std::io::Write;

use super::field::{Field, Value, request_header};
use super::{Line, milliseconds};

/// A template that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
    RequestHeader(String),
}

/// What stands where there is nothing, as in nginx's lines.
const NOTHING: &[u8] = b"-";

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What in it cannot be carried out.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                plain.push('%');
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.strip_prefix('{').and_then(|it| it.split_once('}'))
            else {
                return Err(format!(
                    "template {text:?}: behind `%` must be `{{name}}`, or another `%` for a plain one"
                ));
            };
            rest = after;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part(name)?);
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Writes a line; what came from outside is escaped, so that it stays one line and quotes stay pairs.
    pub(super) fn write(&self, line: &Line<'_>, out: &mut Vec<u8>) {
        self.write_with(line, out, escaped);
    }

    /// Writes it as it is, for whoever escapes all of it.
    pub(super) fn write_plain(&self, line: &Line<'_>, out: &mut Vec<u8>) {
        self.write_with(line, out, |bytes, out| out.extend_from_slice(bytes));
    }

    fn write_with(&self, line: &Line<'_>, out: &mut Vec<u8>, put: impl Fn(&[u8], &mut Vec<u8>)) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::RequestHeader(name) => {
                    put(request_header(line, name).unwrap_or(NOTHING), out);
                }
                Part::Field(field) => match field.of(line) {
                    Value::Absent => out.extend_from_slice(NOTHING),
                    Value::Text(bytes) => put(&bytes, out),
                    Value::Milliseconds(time) => milliseconds(time, out),
                    Value::Flag => out.extend_from_slice(b"true"),
                    Value::Number(number) => {
                        // Memory takes it.
                        let _ = write!(out, "{number}");
                    }
                },
            }
        }
    }
}

fn part(name: &str) -> Result<Part, String> {
    if let Some(header) = name.strip_prefix("request.header.") {
        return Ok(Part::RequestHeader(header.to_owned()));
    }
    if name.starts_with("response.header.") {
        return Err(format!(
            "`%{{{name}}}`: headers of responses are not logged yet"
        ));
    }
    let field = Field::named(name).ok_or_else(|| {
        let names: Vec<&str> = Field::ALL.iter().map(|(name, _)| *name).collect();
        format!(
            "`%{{{name}}}`: there is no such field; there are request.header.NAME, {}",
            names.join(", ")
        )
    })?;
    Ok(Part::Field(field))
}

fn escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b' '..=b'~' => out.push(*byte),
            _ => {
                let _ = write!(out, "\\x{byte:02X}");
            }
        }
    }
}
