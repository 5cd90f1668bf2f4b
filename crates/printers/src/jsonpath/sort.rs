//! `--sort-by`: objects in the order of a field.

use manifest::Quantity;
use serde_json::Value;

use super::error::{EvalError, SyntaxError};
use super::{Template, relaxed};

/// Why objects cannot be sorted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SortError {
    /// The field is no path.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The path does not fit an object.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// No object has the field; the path in full.
    #[error("couldn't find any field with path {0:?} in the list of objects")]
    NotFound(String),
    /// The field holds lists, objects or truth values, or values of several types.
    #[error("field {0} holds values that have no order")]
    Unsortable(String),
}

/// Sorts things by a field of their objects; those without it come first. Texts are compared as quantities
/// when all of them are. `object` gives a thing's object, if it has one.
///
/// # Errors
///
/// When the path is none, when no object has the field, or when what it holds has no order.
pub fn sort_by<T>(
    things: &mut Vec<T>,
    path: &str,
    object: impl Fn(&T) -> Option<&Value>,
) -> Result<(), SortError> {
    let path = relaxed(path)?;
    let template = Template::parse(&path)?;
    let mut values = Vec::with_capacity(things.len());
    for thing in things.iter() {
        let found = object(thing)
            .map(|object| template.find(object))
            .transpose()?;
        let first = found.into_iter().flatten().flatten().flatten().next();
        values.push(first.map(std::borrow::Cow::into_owned));
    }
    if !things.is_empty() && values.iter().all(Option::is_none) {
        return Err(SortError::NotFound(path));
    }
    // A value that is null counts as one that is not there.
    let values = values
        .iter()
        .map(|value| value.as_ref().filter(|value| !value.is_null()));
    let values = values.collect::<Vec<_>>();
    let order = keys(&values, |value| value.as_str()?.parse::<Quantity>().ok())
        .or_else(|| keys(&values, Value::as_str))
        .or_else(|| keys(&values, Value::as_i64))
        .or_else(|| keys(&values, |value| value.as_f64().map(Ordered)))
        .ok_or(SortError::Unsortable(path))?;
    let mut placed = order.into_iter().zip(things.drain(..)).collect::<Vec<_>>();
    placed.sort_by_key(|(place, _)| *place);
    things.extend(placed.into_iter().map(|(_, thing)| thing));
    Ok(())
}

/// The place of each value when all have a key of this kind; nothing when one has none.
fn keys<'a, K: Ord>(
    values: &[Option<&'a Value>],
    key: impl Fn(&'a Value) -> Option<K>,
) -> Option<Vec<usize>> {
    let mut keys = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        let key = match value {
            None => None,
            Some(value) => Some(key(value)?),
        };
        keys.push((key, position));
    }
    keys.sort();
    let mut places = vec![0; values.len()];
    for (place, (_, position)) in keys.into_iter().enumerate() {
        places[position] = place;
    }
    Some(places)
}

/// A number of JSON, which is never NaN.
struct Ordered(f64);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}
