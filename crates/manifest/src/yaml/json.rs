//! JSON documents, any number back to back, with positions.
//!
//! A reader of its own because positions are needed and because JSON is not quite YAML: tabs may indent, `\/` is an
//! escape, and the next document may follow without a separator.

use std::collections::HashMap;

use super::compose::duplicate;
use super::node::{Entry, Node, Span, Value, number};
use super::{Document, Errors, MAX_DEPTH, SyntaxError};

/// Reads all documents. Duplicate keys are collected; the first syntax error ends it.
pub(super) fn parse(
    text: &str,
    offset: usize,
) -> Result<(Vec<Document>, Vec<SyntaxError>), SyntaxError> {
    let mut reader = Reader {
        text,
        at: 0,
        offset,
        depth: 0,
        errors: Errors::default(),
    };
    let mut documents = Vec::new();
    reader.skip_space();
    while reader.peek().is_some() {
        let root = reader.value()?;
        if root.value != Value::Null {
            documents.push(Document { root });
        }
        reader.skip_space();
    }
    Ok((documents, reader.errors.list))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    offset: usize,
    depth: usize,
    errors: Errors,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.offset + start, self.offset + self.at)
    }

    /// What is wrong with the character here.
    fn error(&self, message: &str) -> SyntaxError {
        let length = self.text[self.at..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        let span = Span::new(self.offset + self.at, self.offset + self.at + length);
        let end = if length == 0 {
            "unexpected end of JSON input: "
        } else {
            ""
        };
        SyntaxError::new(span, format!("{end}{message}"))
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node::new(self.span(start), value))
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(&format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.separator(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    fn map(&mut self) -> Result<Value, SyntaxError> {
        let mut entries = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(entries));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in double quotes is expected here"));
            }
            let key = self.string()?;
            let key_span = self.span(start);
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.error("`:` is expected after a key"));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value()?;
            match seen.get(&key) {
                Some(first) => self.errors.push(duplicate(&key, key_span, *first)),
                None => {
                    seen.insert(key.clone(), key_span);
                    entries.push(Entry {
                        key,
                        key_span,
                        value,
                    });
                }
            }
            if self.separator(b'}')? {
                return Ok(Value::Map(entries));
            }
        }
    }

    /// After an item: whether the collection ends here.
    fn separator(&mut self, close: u8) -> Result<bool, SyntaxError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.error(&format!("`,` or `{}` is expected here", char::from(close)))),
        }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') => self.at = (self.at + 2).min(self.text.len()),
                Some(byte) if byte >= 0x20 => self.at += 1,
                Some(_) => {
                    return Err(
                        self.error("text may not contain line breaks or tabs; write \\n or \\t")
                    );
                }
                None => return Err(self.error("a text is not closed")),
            }
        }
        let quoted = &self.text[start..self.at];
        // Escapes, surrogate pairs included, are serde_json's business.
        serde_json::from_str(quoted).map_err(|_| {
            let span = self.span(start);
            SyntaxError::new(span, "this text contains an escape that JSON does not know")
        })
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
        ) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        // serde_json judges the form; it rounds floats less exactly than the standard library.
        let value = match serde_json::from_str::<serde_json::Number>(text) {
            Ok(read) if read.is_i64() => read.as_i64().map(Value::Int),
            Ok(_) => text
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())
                .map(number),
            Err(_) => None,
        };
        value.ok_or_else(|| SyntaxError::new(self.span(start), "this is no number that JSON knows"))
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error("a value is expected here"))
    }
}
