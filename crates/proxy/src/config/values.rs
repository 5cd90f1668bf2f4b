//! Small values of the configuration, parsed once: host and name patterns, endpoints, statuses, expressions.

mod endpoint;
mod host;
mod pattern;
mod san;
mod status;

pub(crate) use endpoint::parse_port;
pub use endpoint::{Endpoint, EndpointHost};
pub use host::HostPattern;
pub use pattern::Pattern;
pub use san::SanPattern;
pub use status::StatusSet;
