//! Heads and fields of HTTP messages, the same for HTTP/1 and HTTP/2, and the rules about them. Pure: no I/O.
//!
//! A head is one byte buffer and ranges in it. Fields keep their order and the case in which they came; edits append to
//! the buffer. Storage comes from a pool of the thread.

pub mod framing;
mod head;
mod headers;
pub mod hop;
pub mod policy;

pub use head::{RequestHead, ResponseHead, TargetForm, Version};
pub use headers::{Field, Headers, InvalidField, Known};
pub(crate) use headers::{is_token, is_value};
