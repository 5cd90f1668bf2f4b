//! YAML as kubectl reads it, with positions.
//!
//! kubectl uses a YAML 1.1 library of Go: `0644` is 420, `yes` is true, and a key `y:` is the key `"true"`. No Rust
//! crate does the same, so only the syntax comes from a parser crate (granit-parser: events with byte positions, limits
//! for nesting, recovery at the next document); what a scalar means is decided in `scalar`, and anchors, merge keys
//! and duplicate keys in `compose`. `tests/kubectl/answers.json` holds kubectl's own answers, with which the tests
//! compare. Differences on purpose: a duplicate key is an error (kubectl drops the first in silence).
//!
//! Text that begins with `{` is read as JSON first, any number of documents back to back, as kubectl does.
//!
//! Nothing here knows Kubernetes.

mod compose;
mod json;
mod node;
mod scalar;

pub use node::{Entry, Node, Span, Value};

/// Nesting beyond this is refused; no Kubernetes object comes near it.
const MAX_DEPTH: usize = 200;

/// One document of a source.
#[derive(Debug)]
pub struct Document {
    /// Its value.
    pub root: Node,
}

/// Something in a text that is no valid YAML, or means nothing in Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A second place that matters, and why.
    pub related: Option<(Span, String)>,
}

impl SyntaxError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        SyntaxError {
            span,
            message: message.into(),
            hint: None,
            related: None,
        }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The errors of a source, as many as anybody reads.
#[derive(Debug, Default)]
struct Errors {
    list: Vec<SyntaxError>,
}

impl Errors {
    const MOST: usize = 50;

    /// Notes an error; one more than [`Self::MOST`] says that there are others.
    fn push(&mut self, error: SyntaxError) {
        match self.list.len() {
            count if count < Self::MOST => self.list.push(error),
            Self::MOST => {
                self.list.push(SyntaxError::new(
                    error.span,
                    "from here on there are more errors",
                ));
            }
            _ => {}
        }
    }

    fn full(&self) -> bool {
        self.list.len() > Self::MOST
    }
}

/// Reads all documents of a text. Documents that hold nothing (comments only) are left out.
///
/// Errors in one document do not hide the others: what could be read is returned along with all errors. A document with
/// an error may be missing or incomplete among the documents.
#[must_use]
pub fn parse(text: &str) -> (Vec<Document>, Vec<SyntaxError>) {
    if let Some(error) = control_character(text) {
        return (Vec::new(), vec![error]);
    }
    let body = text.trim_start_matches('\u{feff}');
    let offset = text.len() - body.len();
    if !body.trim_start().starts_with('{') {
        return compose::parse(body, offset);
    }
    match json::parse(body, offset) {
        Ok(read) => read,
        Err(json_error) => {
            let (documents, errors) = compose::parse(body, offset);
            // Both refuse it: the one that came further understood more of it.
            match errors.first() {
                Some(error) if error.span.start <= json_error.span.start => {
                    (documents, vec![json_error])
                }
                _ => (documents, errors),
            }
        }
    }
}

/// Whether a scalar without quotes means this very text, and not a number, a boolean or nothing.
#[must_use]
pub fn reads_as_text(scalar: &str) -> bool {
    !scalar.is_empty()
        && matches!(scalar::resolve(scalar), scalar::Scalar::Value(Value::String(text)) if text == scalar)
}

/// The first character that YAML does not allow anywhere, as in binary files.
fn control_character(text: &str) -> Option<SyntaxError> {
    let (at, found) = text.char_indices().find(|(_, c)| {
        matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f' | '\u{80}'..='\u{84}'
            | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    })?;
    let span = Span::new(at, at + found.len_utf8());
    let code = u32::from(found);
    Some(
        SyntaxError::new(
            span,
            format!("control characters are not allowed (found U+{code:04X})"),
        )
        .with_hint("a manifest is text in YAML or JSON; this looks like something else"),
    )
}

#[cfg(test)]
mod tests;
