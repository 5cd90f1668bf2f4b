//! From steps and an object to values.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::error::EvalError;
use super::{Filter, Found, MissingKeys, Node, Slice};
use crate::go;

/// How many values may be looked at; a list of thousands of Pods has fewer.
const MAX_STEPS: usize = 5_000_000;
/// How deep ranges may be nested.
const MAX_RANGES: usize = 64;

type Values<'a> = Vec<Found<'a>>;

pub(super) fn find<'a>(
    nodes: &[Node],
    missing_keys: MissingKeys,
    object: &'a Value,
) -> Result<Vec<Values<'a>>, EvalError> {
    let mut walk = Walk {
        nodes,
        missing_keys,
        begun: 0,
        open: 0,
        ended: 0,
        last_end: None,
        steps: 0,
    };
    walk.run(0, &Some(Cow::Borrowed(object)))
}

struct Walk<'t> {
    nodes: &'t [Node],
    missing_keys: MissingKeys,
    /// `range` was come across, its body not entered.
    begun: usize,
    /// Ranges whose body is being run.
    open: usize,
    /// `end` was come across, its range not left.
    ended: usize,
    /// Where the last range ended: what follows it goes on from there.
    last_end: Option<usize>,
    steps: usize,
}

impl Walk<'_> {
    /// Runs the nodes from `start` on, up to the end of the range that they are the body of.
    fn run<'a>(&mut self, start: usize, current: &Found<'a>) -> Result<Vec<Values<'a>>, EvalError> {
        let nodes = self.nodes;
        let mut all = Vec::new();
        let mut position = start;
        while let Some(node) = nodes.get(position) {
            let found = self.walk(vec![current.clone()], node)?;
            if self.ended > 0 && self.ended <= self.open {
                self.ended -= 1;
                self.last_end = Some(position);
                break;
            }
            if self.begun == 0 {
                all.push(found);
                position += 1;
                continue;
            }
            self.begun -= 1;
            self.open += 1;
            if self.open > MAX_RANGES {
                return Err(EvalError::TooManySteps);
            }
            if found.is_empty() {
                // Nothing to run the body for; run it all the same to find its end.
                self.run(position + 1, &None)?;
            }
            for value in found {
                let value = value.filter(|value| !value.is_null());
                all.extend(self.run(position + 1, &value)?);
            }
            self.open -= 1;
            position = self.last_end.unwrap_or(0).max(position) + 1;
        }
        Ok(all)
    }

    fn walk_all<'a>(
        &mut self,
        mut values: Values<'a>,
        nodes: &[Node],
    ) -> Result<Values<'a>, EvalError> {
        for node in nodes {
            values = self.walk(values, node)?;
        }
        Ok(values)
    }

    fn walk<'a>(&mut self, values: Values<'a>, node: &Node) -> Result<Values<'a>, EvalError> {
        let literal = |value: Value| {
            values
                .iter()
                .map(|_| Some(Cow::Owned(value.clone())))
                .collect()
        };
        let found: Values<'a> = match node {
            Node::List(nodes) => self.walk_all(values, nodes)?,
            Node::Text(text) => vec![Some(Cow::Owned(Value::from(text.as_str())))],
            Node::Int(number) => literal(Value::from(*number)),
            Node::Float(number) => literal(Value::from(*number)),
            Node::Bool(value) => literal(Value::from(*value)),
            Node::Field(name) => self.field(values, name)?,
            Node::Wildcard => values.into_iter().flatten().flat_map(children).collect(),
            Node::Recursive => {
                let mut found = Vec::new();
                self.recurse(values, &mut found)?;
                found
            }
            Node::Slice(slice) => {
                let mut found = Vec::new();
                for value in values {
                    slice.apply(value, &mut found)?;
                }
                found
            }
            Node::Filter(filter) => self.filter(values, filter)?,
            Node::Union(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    found.extend(self.walk_all(values.clone(), part)?);
                }
                found
            }
            Node::Word(word) => match word.as_str() {
                "range" => {
                    self.begun += 1;
                    values
                }
                "end" if self.open > 0 => {
                    self.ended += 1;
                    Vec::new()
                }
                "end" => return Err(EvalError::NotInRange),
                _ => return Err(EvalError::UnrecognizedIdentifier(word.clone())),
            },
        };
        self.count(found.len() + 1)?;
        Ok(found)
    }

    fn count(&mut self, steps: usize) -> Result<(), EvalError> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return Err(EvalError::TooManySteps);
        }
        Ok(())
    }

    fn field<'a>(&self, values: Values<'a>, name: &str) -> Result<Values<'a>, EvalError> {
        if values.is_empty() {
            return Ok(values);
        }
        let member = |value: Cow<'a, Value>| match value {
            Cow::Borrowed(value) => value.get(name).map(Cow::Borrowed),
            Cow::Owned(mut value) => value.get_mut(name).map(|value| Cow::Owned(value.take())),
        };
        let found = values.into_iter().flatten().filter_map(member);
        let found = found.map(Some).collect::<Values<'a>>();
        if found.is_empty() && self.missing_keys == MissingKeys::Refused {
            return Err(EvalError::NotFound(name.to_owned()));
        }
        Ok(found)
    }

    /// Each value that has something in it, then the same of what is in it.
    fn recurse<'a>(&mut self, values: Values<'a>, found: &mut Values<'a>) -> Result<(), EvalError> {
        for value in values.into_iter().flatten() {
            let inner = children(value.clone()).collect::<Values<'a>>();
            if !inner.is_empty() {
                self.count(inner.len())?;
                found.push(Some(value));
                self.recurse(inner, found)?;
            }
        }
        Ok(())
    }

    fn filter<'a>(&mut self, values: Values<'a>, filter: &Filter) -> Result<Values<'a>, EvalError> {
        let mut found = Vec::new();
        for value in values {
            let Some(Value::Array(_)) = value.as_deref() else {
                let shown = value.map_or_else(|| "<nil>".to_owned(), |value| go::format(&value));
                return Err(EvalError::NotFilterable(shown));
            };
            for element in value.into_iter().flat_map(children) {
                if self.passes(&element, filter)? {
                    found.push(element);
                }
            }
        }
        Ok(found)
    }

    fn passes(&mut self, element: &Found<'_>, filter: &Filter) -> Result<bool, EvalError> {
        let left = self.walk_all(vec![element.clone()], &filter.left);
        let Some((operator, right)) = &filter.comparison else {
            // An error is as good as nothing here, but for the one that ends it all.
            return match left {
                Err(EvalError::TooManySteps) => Err(EvalError::TooManySteps),
                left => Ok(left.is_ok_and(|left| !left.is_empty())),
            };
        };
        let Some(left) = single(&left?)? else {
            return Ok(false);
        };
        let right = self.walk_all(vec![element.clone()], right)?;
        let Some(right) = single(&right)? else {
            return Ok(false);
        };
        compare(&left, operator, &right)
    }
}

/// Elements of a list, members of an object by name, bytes of a text.
fn children<'a>(value: Cow<'a, Value>) -> Box<dyn Iterator<Item = Found<'a>> + 'a> {
    match value {
        Cow::Borrowed(Value::Array(items)) => {
            Box::new(items.iter().map(|item| Some(Cow::Borrowed(item))))
        }
        Cow::Borrowed(Value::Object(map)) => {
            let mut members = map.iter().collect::<Vec<_>>();
            members.sort_by_key(|(name, _)| name.as_str());
            Box::new(
                members
                    .into_iter()
                    .map(|(_, value)| Some(Cow::Borrowed(value))),
            )
        }
        Cow::Owned(Value::Array(items)) => {
            Box::new(items.into_iter().map(|item| Some(Cow::Owned(item))))
        }
        Cow::Owned(Value::Object(map)) => {
            let mut members = map.into_iter().collect::<Vec<_>>();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Box::new(
                members
                    .into_iter()
                    .map(|(_, value)| Some(Cow::Owned(value))),
            )
        }
        value => match value.as_str() {
            Some(text) => {
                let bytes = text.to_owned().into_bytes().into_iter();
                Box::new(bytes.map(|byte| Some(Cow::Owned(Value::from(byte)))))
            }
            None => Box::new(std::iter::empty()),
        },
    }
}

impl Slice {
    fn apply<'a>(&self, value: Found<'a>, found: &mut Values<'a>) -> Result<(), EvalError> {
        let length = match value.as_deref() {
            Some(Value::Null) => return Ok(()),
            Some(Value::Array(items)) => items.len(),
            other => return Err(EvalError::NotAList(type_name(other))),
        };
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from_end = |index: i64| if index < 0 { index + length } else { index };
        let start = from_end(self.start);
        let end = match self.end {
            None => length,
            // The end of the last element, given as -1.
            Some(0) if self.single => length,
            Some(end) => from_end(end),
        };
        if start == end {
            return Ok(());
        }
        if start < 0 || start >= length {
            return Err(EvalError::OutOfBounds {
                index: start,
                length,
            });
        }
        if end < 0 || end > length {
            let index = end - 1;
            return Err(EvalError::OutOfBounds { index, length });
        }
        if start > end {
            return Err(EvalError::Backwards { start, end });
        }
        let step = self.step.unwrap_or(1);
        let step = usize::try_from(step).ok().filter(|step| *step > 0);
        let step = step.ok_or(EvalError::Step)?;
        let place = |index: i64| usize::try_from(index).unwrap_or(0);
        let items = value.into_iter().flat_map(children).skip(place(start));
        found.extend(items.take(place(end - start)).step_by(step));
        Ok(())
    }
}

/// As Go names the types that JSON is read into.
fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "<nil>",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(number)) if number.is_i64() => "int64",
        Some(Value::Number(_)) => "float64",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "[]interface {}",
        Some(Value::Object(_)) => "map[string]interface {}",
    }
}

/// The only value; nothing when there is none.
fn single<'a>(values: &[Found<'a>]) -> Result<Option<Cow<'a, Value>>, EvalError> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value.clone().unwrap_or(Cow::Owned(Value::Null)))),
        _ => Err(EvalError::SeveralElements),
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, EvalError> {
    let is: fn(Ordering) -> bool = match operator {
        "==" => Ordering::is_eq,
        "!=" => Ordering::is_ne,
        "<" => Ordering::is_lt,
        ">" => Ordering::is_gt,
        "<=" => Ordering::is_le,
        ">=" => Ordering::is_ge,
        _ => return Err(EvalError::UnrecognizedOperator(operator.to_owned())),
    };
    let scalar = |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
    if !scalar(left) || !scalar(right) {
        return Err(EvalError::InvalidType);
    }
    let order = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => match operator {
            "==" | "!=" => left.cmp(right),
            _ => return Err(EvalError::InvalidType),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            (None, None) => {
                let (left, right) = (left.as_f64(), right.as_f64());
                left.partial_cmp(&right).unwrap_or(Ordering::Less)
            }
            _ => return Err(EvalError::IncompatibleTypes),
        },
        _ => return Err(EvalError::IncompatibleTypes),
    };
    Ok(is(order))
}
