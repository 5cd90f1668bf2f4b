//! What the proxy works by. See the module above.

mod backend;
mod listener;
mod process;
mod route;

pub use backend::*;
pub use listener::*;
pub use process::*;
pub use route::*;

use super::document;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Listeners, in the order of the file.
    pub listeners: Vec<Listener>,
    /// Sockets of the listeners: those with the same address share one.
    pub sockets: Vec<Socket>,
    /// Backends, in the order of the file.
    pub backends: Vec<Backend>,
    /// Routes, in the order of the file; those of HTTPRoute documents after the others.
    pub routes: Vec<Route>,
    /// Pages for responses that no rule made, as 404 when no rule matches and 400 for what is no request.
    pub error_pages: Vec<ErrorPage>,
    /// How the proxy starts and ends.
    pub lifecycle: Lifecycle,
    /// What can be seen of it.
    pub telemetry: Telemetry,
    /// Bounds of the process.
    pub limits: Limits,
    /// The document it was made of, with every default.
    pub document: document::Proxy,
}

impl Config {
    /// The configuration with every default, as a document that yields the same when it is read.
    #[must_use]
    pub fn effective(&self) -> serde_json::Value {
        serde_json::to_value(&self.document).unwrap_or_default()
    }
}
