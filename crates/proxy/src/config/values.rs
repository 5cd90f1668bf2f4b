//! Small values of the configuration, parsed once: host patterns, statuses, expressions.
//!
//! Endpoints are [`backend::Endpoint`](crate::backend::Endpoint), names in certificates [`tls::SanPattern`](crate::tls::SanPattern).

mod host;
mod pattern;
mod status;

pub use host::HostPattern;
pub use pattern::Pattern;
pub use status::StatusSet;
