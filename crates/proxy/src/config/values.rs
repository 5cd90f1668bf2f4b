//! Small values of the configuration, parsed once: host and name patterns, statuses, expressions.
//!
//! Endpoints are [`backend::Endpoint`](crate::backend::Endpoint).

mod host;
mod pattern;
mod san;
mod status;

pub use host::HostPattern;
pub use pattern::Pattern;
pub use san::SanPattern;
pub use status::StatusSet;
