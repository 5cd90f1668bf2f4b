//! Backends.

use std::path::PathBuf;
use std::time::Duration;

use super::Certificate;
use crate::backend::Endpoint;
use crate::tls::SanPattern;

pub use crate::config::document::SendProxyProtocol;

/// Position of a backend in [`Config::backends`](super::Config::backends).
pub type BackendIndex = usize;

/// Where requests go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub target: Target,
    /// What it speaks.
    pub protocol: BackendProtocol,
    /// TLS to it.
    pub tls: Option<BackendTls>,
    /// What connections to it begin with.
    pub proxy_protocol: SendProxyProtocol,
    /// Kept connections.
    pub pool: ConnectionPool,
    /// Requests that wait for it.
    pub hold: Hold,
}

/// Where a backend is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// At an endpoint.
    Endpoint(Endpoint),
    /// Where the client's connection went before it was redirected.
    OriginalDestination,
}

/// What a backend speaks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendProtocol {
    /// HTTP/2 or 1.1, as ALPN yields; only with TLS.
    Negotiate,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; in the clear with prior knowledge.
    Http2,
}

/// TLS to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTls {
    /// CAs that are trusted.
    pub trust: Trust,
    /// Name for SNI, and in the certificate unless `subject_alt_names` are given; `None` for an original destination or Unix
    /// socket without one: no SNI, and the certificate must have one of `subject_alt_names`.
    pub hostname: Option<String>,
    /// Names, at least one of which must be in the certificate.
    pub subject_alt_names: Vec<SanPattern>,
    /// What to show to it.
    pub client_certificate: Option<Certificate>,
}

/// Which CAs are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those in these files.
    Files(Vec<PathBuf>),
    /// Those of the image.
    System,
    /// Any certificate is taken, whoever signed it.
    Anything,
}

/// Kept connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    /// For opening one, TLS included.
    pub connect_timeout: Option<Duration>,
    /// How long one is kept without a request.
    pub idle_timeout: Option<Duration>,
    /// How many are kept, by each worker.
    pub max_idle: usize,
    /// How many there are at a time, over all workers.
    pub max_connections: Option<usize>,
    /// Age of a connection.
    pub max_connection_age: Option<Duration>,
}

/// Requests that wait for a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How long; zero to fail at once.
    pub timeout: Duration,
    /// How many, over all workers.
    pub max_requests: usize,
}
