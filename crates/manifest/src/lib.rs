//! Kubernetes objects in and out: YAML 1.1 as kubectl reads it, positions, defaults, validation.
//!
//! Pure: no file is opened here, no clock is read, nothing is printed.

pub mod bytes;
pub mod core;
pub mod int_or_string;
pub mod meta;
pub mod quantity;
pub mod resources;
pub mod schema;
pub mod yaml;

pub use bytes::ByteString;
pub use int_or_string::IntOrString;
pub use quantity::Quantity;
