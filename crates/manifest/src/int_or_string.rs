//! A value that is a number or a name, as the port of a probe.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::{Kind, field_types};

/// A number, or the name of something with a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// The number.
    Int(i32),
    /// The name.
    String(String),
}

field_types! { IntOrString => Kind::IntOrString }

impl Default for IntOrString {
    fn default() -> Self {
        IntOrString::Int(0)
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IntOrString::Int(number) => number.fmt(f),
            IntOrString::String(name) => name.fmt(f),
        }
    }
}
