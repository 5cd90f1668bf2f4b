//! What the proxy is told to do: read, completed, judged, and made ready to work by.
//!
//! A configuration file (or the flags of the zero-file form) becomes a [`document::Proxy`], [`defaults`] complete it, and
//! [`resolve`] turns it into the [`Config`], finding everything that is wrong on the way. Nothing here opens a file or
//! asks the machine: whether certificates and directories exist is found out by those who use them.
//!
//! A `Config` has no optional value that could have been decided: durations that mean "no limit" are `None`, names of
//! backends and listeners are positions in their lists.

pub mod defaults;
pub mod document;
pub mod flags;
mod httproute;
mod load;
mod model;
mod resolve;
mod values;

pub use load::{Loaded, load};
pub use model::*;
pub use values::*;
