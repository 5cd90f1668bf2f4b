//! The path of a field inside an object, as the API server prints it: `spec.containers[0].ports[1].hostPort`.

use std::fmt;

use crate::yaml::{Node, Span, Value};

/// A path from the root of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Field(&'static str),
    Index(usize),
    Key(String),
}

impl Path {
    /// The object itself.
    #[must_use]
    pub fn root() -> Self {
        Path::default()
    }

    /// A field of what this path leads to.
    #[must_use]
    pub fn child(&self, field: &'static str) -> Self {
        self.with(Segment::Field(field))
    }

    /// An item of the list this path leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The value of a key in the map this path leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Path(segments)
    }

    /// Whether this is `other` or lies beneath it.
    #[must_use]
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    /// What this is a field, item or key of.
    #[must_use]
    pub fn parent(&self) -> Option<Path> {
        let (_, above) = self.0.split_last()?;
        Some(Path(above.to_vec()))
    }

    /// The names of the fields, as Go's JSON decoder names a place: without indices and keys.
    #[must_use]
    pub fn field_names(&self) -> String {
        let fields = self.0.iter().filter_map(|segment| match segment {
            Segment::Field(name) => Some(*name),
            _ => None,
        });
        fields.collect::<Vec<_>>().join(".")
    }

    /// Where this stands in the text: the value when it is a scalar, else its key; what is missing is looked for where
    /// it should be.
    #[must_use]
    pub fn locate(&self, root: &Node) -> Span {
        let mut node = root;
        let mut key_span = None;
        for segment in &self.0 {
            let next = match (segment, &node.value) {
                (Segment::Field(name), _) => node
                    .entry(name)
                    .map(|entry| (&entry.value, Some(entry.key_span))),
                (Segment::Key(key), _) => node
                    .entry(key)
                    .map(|entry| (&entry.value, Some(entry.key_span))),
                (Segment::Index(index), Value::List(items)) => {
                    items.get(*index).map(|item| (item, None))
                }
                (Segment::Index(_), _) => None,
            };
            let Some((found, key)) = next else { break };
            (node, key_span) = (found, key);
        }
        let scalar = !matches!(node.value, Value::List(_) | Value::Map(_) | Value::Null);
        match key_span {
            Some(key_span) if !scalar => key_span,
            _ if scalar => node.span,
            // An item of a list, or the whole object: its first key says more than its first character.
            _ => match &node.value {
                Value::Map(entries) if !entries.is_empty() => entries[0].key_span,
                _ => node.span,
            },
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write!(f, "[{}]", key.escape_debug())?,
            }
        }
        Ok(())
    }
}
