//! The process.

use std::net::SocketAddr;
use std::time::Duration;

use super::BackendIndex;
use crate::config::StatusSet;

pub use crate::config::document::AccessLogFormat;

/// How the proxy starts and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// What SIGTERM leaves for requests in flight; `None`: as the Pod says.
    pub grace_period: Option<Duration>,
    /// How long connections are still accepted after SIGTERM.
    pub propagation_delay: Duration,
}

/// What can be seen of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// Address for people on the machine.
    pub admin: Option<SocketAddr>,
    /// Address for metrics, health and probes.
    pub metrics: Option<SocketAddr>,
    /// Paths that ask a backend.
    pub probes: Vec<Probe>,
    /// A line for each request.
    pub access_log: AccessLog,
    /// Spans.
    pub otlp: Option<Otlp>,
    /// Whether responses of the proxy name their reason.
    pub reason_header: bool,
}

/// A path that asks a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The path.
    pub path: String,
    /// The backend.
    pub backend: BackendIndex,
    /// What to GET; `None` for a connection only.
    pub request_path: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// A line for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Its form.
    pub format: AccessLogFormat,
    /// The line, for [`AccessLogFormat::Template`].
    pub template: String,
    /// Further fields: names and templates.
    pub fields: Vec<(String, String)>,
    /// Statuses that are logged; empty for all.
    pub statuses: Vec<StatusSet>,
}

/// Spans by OpenTelemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// URL of the collector.
    pub endpoint: String,
    /// Per cent of own traces that are recorded.
    pub sampling_percent: u8,
    /// Name of the service.
    pub service_name: String,
}

/// Bounds of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads that carry traffic; `None`: as the cgroup allows.
    pub workers: Option<usize>,
    /// Connections of clients at a time.
    pub connections: usize,
    /// Bytes at which requests are refused; `None`: by the cgroup's limit.
    pub memory: Option<u64>,
    /// Bytes of a head.
    pub head: usize,
    /// Fields of a head.
    pub header_fields: usize,
}
