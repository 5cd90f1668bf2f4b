//! `kubectl wait --for=...`: what is waited for, and whether it has come.

use serde_json::Value;

use crate::go;
use crate::jsonpath::{EvalError, SyntaxError, Template};

/// What is waited for.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `create`: the object is there.
    Create,
    /// `delete`: the object is gone.
    Delete,
    /// `condition=NAME[=STATUS]`: a condition of its status has this status, whatever the case of both.
    Status {
        /// The condition, as `Ready`.
        name: String,
        /// Its status; `true` when not given.
        status: String,
    },
    /// `jsonpath=PATH[=VALUE]`: a path leads to this value, or to any.
    JsonPath {
        /// The path.
        path: Template,
        /// The value, as text.
        value: Option<String>,
    },
}

/// Why the argument of `--for` says nothing that could be waited for; in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// No form that there is.
    #[error("unrecognized condition: {0:?}")]
    Unrecognized(String),
    /// More than one `=` besides those of comparisons.
    #[error(
        "jsonpath wait format must be --for=jsonpath='{{.status.readyReplicas}}'=3 or --for=jsonpath='{{.status.readyReplicas}}'"
    )]
    Form,
    /// Nothing follows the `=`.
    #[error(
        "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{{.status.readyReplicas}}'=3"
    )]
    NoValue,
    /// The path is empty.
    #[error("jsonpath expression cannot be empty")]
    NoPath,
    /// The path is none.
    #[error(transparent)]
    Path(#[from] SyntaxError),
}

/// Why it cannot be told whether a condition is met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The path does not fit the object.
    #[error(transparent)]
    Path(#[from] EvalError),
    /// The path has several parts.
    #[error("given jsonpath expression matches more than one list")]
    SeveralLists,
    /// The path leads to several values.
    #[error("given jsonpath expression matches more than one value")]
    SeveralValues,
    /// The path leads to something that no text equals.
    #[error("jsonpath leads to a nested object or list which is not supported")]
    Nested,
}

impl Condition {
    /// Reads the argument of `--for`.
    ///
    /// # Errors
    ///
    /// When it has no form that there is, or its path is none.
    pub fn parse(argument: &str) -> Result<Self, ConditionError> {
        match argument.to_lowercase().as_str() {
            "create" => return Ok(Self::Create),
            "delete" => return Ok(Self::Delete),
            _ => {}
        }
        if let Some(condition) = argument.strip_prefix("condition=") {
            let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Self::Status {
                name: name.to_owned(),
                status: status.to_owned(),
            });
        }
        let Some(input) = argument.strip_prefix("jsonpath=") else {
            return Err(ConditionError::Unrecognized(argument.to_owned()));
        };
        let (path, value) = match split_at_equal_signs(input).as_slice() {
            [path] => (path.clone(), None),
            [path, value] => (
                path.clone(),
                Some(value.trim_matches(['\'', '"']).to_owned()),
            ),
            _ => return Err(ConditionError::Form),
        };
        let template = Template::parse_relaxed(&path)?;
        match value {
            Some(value) if value.is_empty() => Err(ConditionError::NoValue),
            _ if path.is_empty() => Err(ConditionError::NoPath),
            value => Ok(Self::JsonPath {
                path: template,
                value,
            }),
        }
    }

    /// Whether an object that is there meets it.
    ///
    /// # Errors
    ///
    /// When a path does not fit the object, or leads to something that cannot be compared.
    pub fn is_met(&self, object: &Value) -> Result<bool, CheckError> {
        match self {
            Self::Create => Ok(true),
            Self::Delete => Ok(false),
            Self::Status { name, status } => Ok(has_status(object, name, status)),
            Self::JsonPath { path, value } => leads_to(path, value.as_deref(), object),
        }
    }
}

/// Splits at single equal signs; `==` stays.
fn split_at_equal_signs(input: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = input.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, parts.last_mut()) {
            ('=', _) if characters.peek() != Some(&'=') => parts.push(String::new()),
            (character, Some(part)) => {
                part.push(character);
                if character == '=' {
                    part.extend(characters.next());
                }
            }
            (_, None) => {}
        }
    }
    parts
}

fn has_status(object: &Value, name: &str, status: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let same = |value: &Value, text: &str| {
        let fold = |text: &str| text.to_lowercase();
        value
            .as_str()
            .is_some_and(|value| fold(value) == fold(text))
    };
    let named =
        |condition: &&Value| same(&condition["type"], name) && condition["status"].is_string();
    let Some(condition) = conditions.find(named) else {
        return false;
    };
    // A status that was made before the last change of the spec says nothing about it.
    let own = condition["observedGeneration"].as_i64();
    let observed = own.or_else(|| object["status"]["observedGeneration"].as_i64());
    let generation = object["metadata"]["generation"].as_i64();
    let outdated = observed
        .zip(generation)
        .is_some_and(|(seen, now)| seen < now);
    !outdated && same(&condition["status"], status)
}

fn leads_to(path: &Template, value: Option<&str>, object: &Value) -> Result<bool, CheckError> {
    let found = path.find(object)?;
    let Some(first) = found.first().filter(|first| !first.is_empty()) else {
        return Ok(false);
    };
    if found.len() > 1 {
        return Err(CheckError::SeveralLists);
    }
    let [found] = first.as_slice() else {
        return Err(CheckError::SeveralValues);
    };
    let Some(value) = value else {
        return Ok(true);
    };
    match found.as_deref().unwrap_or(&Value::Null) {
        Value::Array(_) | Value::Object(_) => Err(CheckError::Nested),
        found => Ok(go::format(found).trim() == value.trim()),
    }
}

#[cfg(test)]
mod tests;
