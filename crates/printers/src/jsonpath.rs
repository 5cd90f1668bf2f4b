//! kubectl's template language for paths into objects: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! It looks like JSONPath and is a dialect of its own; what is not written down is what client-go's package
//! `jsonpath` does, its oddities included: a filter compares only values of one type, `[]` is the first
//! element, recursion visits texts but not numbers, and a range that is not closed is run once more for the
//! whole object. Differences: members of an object are visited by name (Go visits them in random order), and a
//! template that takes millions of steps is refused.

use std::borrow::Cow;

use serde_json::Value;

mod error;
mod eval;
mod parse;
mod sort;

pub use error::{EvalError, SyntaxError};
pub use sort::{SortError, sort_by};

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    nodes: Vec<Node>,
    missing_keys: MissingKeys,
}

/// What a field that is not there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingKeys {
    /// Nothing, without a word.
    Allowed,
    /// An error.
    Refused,
}

/// A value that a path leads to; nothing where a range goes over `null`.
pub type Found<'a> = Option<Cow<'a, Value>>;

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    /// What stands in one pair of braces: each takes what the one before it found.
    List(Vec<Node>),
    Field(String),
    Wildcard,
    Recursive,
    Slice(Slice),
    Filter(Filter),
    Union(Vec<Vec<Node>>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// `range`, `end`, or a word that means nothing.
    Word(String),
}

/// `[start:end:step]`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slice {
    start: i64,
    end: Option<i64>,
    /// Whether the end was made up because only one index was given.
    single: bool,
    step: Option<i64>,
}

/// `[?(left operator right)]`; without operator, whether `left` leads anywhere.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    left: Vec<Node>,
    comparison: Option<(String, Vec<Node>)>,
}

impl Template {
    /// Reads a template: text, with paths in braces. Fields that are not there are nothing.
    ///
    /// # Errors
    ///
    /// When it is none, in kubectl's words.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self {
            nodes: parse::template(text)?,
            missing_keys: MissingKeys::Allowed,
        })
    }

    /// Reads a path where braces and the first point may be left out, as in `--sort-by`, `custom-columns`
    /// and `wait --for=jsonpath`.
    ///
    /// # Errors
    ///
    /// When it has braces inside, or is no path.
    pub fn parse_relaxed(text: &str) -> Result<Self, SyntaxError> {
        Self::parse(&relaxed(text)?)
    }

    /// What fields that are not there are (`--allow-missing-template-keys`).
    #[must_use]
    pub fn missing_keys(self, missing_keys: MissingKeys) -> Self {
        Self {
            missing_keys,
            ..self
        }
    }

    /// What each text and each pair of braces finds in an object.
    ///
    /// # Errors
    ///
    /// When a step does not fit the value it comes to, in kubectl's words.
    pub fn find<'a>(&self, object: &'a Value) -> Result<Vec<Vec<Found<'a>>>, EvalError> {
        eval::find(&self.nodes, self.missing_keys, object)
    }

    /// The object as the template shows it: text bare, lists and objects as JSON, several values with blanks
    /// between them.
    ///
    /// # Errors
    ///
    /// As [`Template::find`].
    pub fn print(&self, object: &Value) -> Result<String, EvalError> {
        let mut text = String::new();
        for values in self.find(object)? {
            let values = values.iter().map(|value| print_value(value.as_deref()));
            text.push_str(&values.collect::<Vec<_>>().join(" "));
        }
        Ok(text)
    }
}

fn print_value(value: Option<&Value>) -> String {
    match value {
        None => "<no value>".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(value @ (Value::Array(_) | Value::Object(_))) => crate::go::json(value),
        Some(value) => crate::go::format(value),
    }
}

/// The template that a relaxed path stands for: `a.b`, `.a.b` and `{a.b}` all mean `{.a.b}`.
///
/// # Errors
///
/// When it has braces inside.
pub fn relaxed(path: &str) -> Result<String, SyntaxError> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let bare = path
        .strip_prefix('{')
        .and_then(|path| path.strip_suffix('}'));
    let bare = bare.unwrap_or(path);
    if bare.is_empty() || bare.contains(['{', '}']) {
        return Err(SyntaxError::UnexpectedPath);
    }
    // A lone point is a field without a name, not a point to be left out.
    let bare = bare
        .strip_prefix('.')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(bare);
    Ok(format!("{{.{bare}}}"))
}
