//! The value tree of a document, each value and key with its place in the text.

/// A range of bytes in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands. A value reached through an alias stands where its anchor does.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node holds: what JSON can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number, or one too great for [`Value::Int`]; always finite.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// Values by key, in the order of the text; no key twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key. What YAML reads as a boolean or number has become text, as in kubectl.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    pub(super) fn new(span: Span, value: Value) -> Self {
        Node { span, value }
    }

    /// The entry of this key, when this is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value of this key, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text, when this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The same value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(value) => value.clone().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_json()))
                .collect(),
        }
    }

    /// What copying it costs, about in bytes: the measure of the budget for aliases.
    pub(super) fn cost(&self) -> usize {
        const NODE: usize = 64;
        NODE + match &self.value {
            Value::String(text) => text.len(),
            Value::List(items) => items.iter().map(Node::cost).sum(),
            Value::Map(entries) => entries
                .iter()
                .map(|entry| entry.key.len() + entry.value.cost())
                .sum(),
            _ => 0,
        }
    }
}

/// A number as it comes out of Go's JSON: written with the fewest digits that tell it apart, then read again, where
/// whole numbers become integers however they were written.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 {
        // `Display` for floats uses the fewest digits and no exponent, as Go's format `f`.
        if let Ok(whole) = value.to_string().parse() {
            return Value::Int(whole);
        }
    }
    Value::Float(value)
}
