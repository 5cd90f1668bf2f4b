//! Kubernetes objects in and out: YAML 1.1 as kubectl reads it, positions, defaults, validation.
//!
//! Pure: no file is opened here, no clock is read, nothing is printed. [`load`] is the way in for manifests; the types
//! are in [`core::v1`], and what of them this runner honours in [`schema`].

// The macros of `schema` name this crate as their users do.
extern crate self as manifest;

pub mod bytes;
pub mod core;
mod decode;
pub mod defaults;
mod diagnostic;
mod duration;
pub mod file_name;
mod findings;
pub mod int_or_string;
mod json_schema;
mod kinds;
mod load;
pub mod meta;
mod nearest;
mod origin;
mod path;
pub mod quantity;
mod references;
pub mod resources;
pub mod schema;
mod source;
mod validation;
mod warnings;
pub mod yaml;

pub use bytes::ByteString;
pub use diagnostic::{Diagnostic, Excerpt, Severity};
pub use duration::{Duration, DurationError};
pub use findings::{Finding, Findings, Shown};
pub use int_or_string::IntOrString;
pub use json_schema::json_schema;
pub use load::{Loaded, Located, Object, load};
pub use nearest::nearest;
pub use origin::{Form, Origin, documents};
pub use path::Path;
pub use quantity::Quantity;
pub use references::referenced;
pub use source::{Source, SourceText};

/// Forms of names, with apimachinery's messages: each function returns every fault of a text.
pub mod names {
    pub use crate::validation::names::{header_name, label, port_number, subdomain};
}
