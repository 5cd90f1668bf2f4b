//! Comparators: a plain value, `">=2"`, or a list of which one fits.

use std::fmt;

use serde_json::Value;

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Compare {
    Equal(Value),
    Number(Operator, f64),
    OneOf(Vec<Compare>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    AtLeast,
    AtMost,
    Equal,
    Unequal,
    Above,
    Below,
}

/// By how they are written; longer ones first.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    (">", Operator::Above),
    ("<", Operator::Below),
];

impl Compare {
    pub(crate) fn from_json(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::OneOf(items.iter().map(Self::from_json).collect()),
            Value::String(text) => {
                let operator = OPERATORS
                    .iter()
                    .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
                let number = operator.and_then(|(operator, rest)| {
                    Some((operator, rest.trim().parse::<f64>().ok()?))
                });
                match number {
                    Some((operator, number)) => Self::Number(operator, number),
                    None => Self::Equal(value.clone()),
                }
            }
            value => Self::Equal(value.clone()),
        }
    }

    pub(crate) fn fits(&self, found: &Value) -> bool {
        match self {
            Self::OneOf(items) => items.iter().any(|item| item.fits(found)),
            Self::Number(operator, number) => found.as_f64().is_some_and(|found| match operator {
                Operator::AtLeast => found >= *number,
                Operator::AtMost => found <= *number,
                Operator::Equal => found == *number,
                Operator::Unequal => found != *number,
                Operator::Above => found > *number,
                Operator::Below => found < *number,
            }),
            Self::Equal(expected) => match (expected.as_f64(), found.as_f64()) {
                (Some(expected), Some(found)) => expected == found,
                // `ready: "1/1"` and `restarts: "0"` are text; so may be what is a number here.
                _ => expected == found || shown(expected) == shown(found),
            },
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(value) => write!(f, "{value}"),
            Self::Number(operator, number) => {
                let sign = OPERATORS.iter().find(|(_, known)| known == operator);
                write!(f, "{}{number}", sign.map_or("", |(sign, _)| sign))
            }
            Self::OneOf(items) => {
                for (position, item) in items.iter().enumerate() {
                    let or = if position > 0 { " or " } else { "" };
                    write!(f, "{or}{item}")?;
                }
                Ok(())
            }
        }
    }
}
