//! The vocabulary of the configuration file: what may be written, each word once.
//!
//! These types say what a file holds, with absent fields as `None` or empty. [`super::defaults`] completes them,
//! [`super::validate`] judges them, and [`super::resolve`] makes the [`Config`](super::Config) that the proxy works
//! by. The reference in `docs/proxy.md` and the JSON Schema are made from the same tables.
//!
//! Words are the Gateway API's wherever it has them; file paths stand in place of references to Secrets.

mod backend;
mod listener;
mod process;
mod route;
mod rule;

pub use backend::*;
pub use listener::*;
pub use process::*;
pub use route::*;
pub use rule::*;

use manifest::schema::object;

/// The version of the vocabulary.
pub const API_VERSION: &str = "pillion/v1";

object! {
    /// The configuration of one proxy.
    pub struct Proxy {
        /// Always `pillion/v1`.
        api_version: String = "apiVersion".required();
        /// `Proxy`, if given.
        kind: Option<String> = "kind".zero_is_unset();
        /// Where connections are accepted.
        listeners: Vec<Listener> = "listeners".required();
        /// Where requests go to.
        backends: Vec<Backend> = "backends";
        /// Which requests go where, and what is done to them on the way.
        routes: Vec<Route> = "routes";
        /// Pages in place of responses with certain statuses, for all rules that have none of their own for the status.
        error_pages: Vec<ErrorPage> = "errorPages";
        /// How the proxy starts and ends.
        lifecycle: Option<Lifecycle> = "lifecycle";
        /// What can be seen of the proxy: health, metrics, access log, traces.
        telemetry: Option<Telemetry> = "telemetry";
        /// Bounds of what the process uses and takes in.
        limits: Option<Limits> = "limits";
        /// Outbound calls of the app.
        egress: Option<serde_json::Value> = "egress".later("a listener on 127.0.0.1 with a backend that has `tls` does it for one host");
        /// Redirection of the Pod's connections.
        capture: Option<serde_json::Value> = "capture".later("`pillion capture` takes flags");
    }
}
