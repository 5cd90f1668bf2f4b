//! Listeners.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::HostPattern;
use crate::tls::SanPattern;

pub use crate::config::document::{ForwardedHeaders, ListenerProtocol, TlsMode, TlsVersion};

/// Position of a listener in [`Config::listeners`](super::Config::listeners).
pub type ListenerIndex = usize;

/// A place where connections are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Position of its socket.
    pub socket: usize,
    /// What is spoken.
    pub protocol: ListenerProtocol,
    /// Hosts that it takes; `None` for any.
    pub hostname: Option<HostPattern>,
    /// TLS; always there for HTTPS and TLS, never else.
    pub tls: Option<ListenerTls>,
    /// What is believed and told of clients.
    pub forwarded: Forwarded,
    /// How long clients may take.
    pub timeouts: ListenerTimeouts,
    /// Requests at a time on an HTTP/2 connection.
    pub max_concurrent_streams: u32,
}

/// An address that is listened on, for one or more listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The address.
    pub bind: Bind,
    /// How the listeners on it are told apart.
    pub kind: SocketKind,
    /// Whether each connection must begin with the PROXY protocol.
    pub proxy_protocol: bool,
    /// Its listeners; more than one only for [`SocketKind::Http`] and [`SocketKind::Tls`].
    pub listeners: Vec<ListenerIndex>,
}

/// How connections of a socket find their listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketKind {
    /// HTTP: by the host of each request.
    Http,
    /// TLS comes first: by the name in the ClientHello (protocols HTTPS and TLS).
    Tls,
    /// Bytes: there is one.
    Tcp,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bind {
    /// An address and port; `[::]` takes IPv4 too.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bind::Tcp(address) => address.fmt(f),
            Bind::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// Where it ends.
    pub mode: TlsMode,
    /// Certificates; empty with `self_signed` and for passthrough.
    pub certificates: Vec<Certificate>,
    /// Names of a certificate made at start.
    pub self_signed: Option<Vec<String>>,
    /// Least version.
    pub min_version: TlsVersion,
    /// ALPN, preferred first.
    pub alpn_protocols: Vec<String>,
    /// Whether sessions can be resumed.
    pub session_tickets: bool,
    /// Which certificates clients must show; `None` when none is asked for.
    pub client_validation: Option<ClientValidation>,
}

/// A certificate chain and its key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate {
    /// The chain.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Which certificates clients must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientValidation {
    /// Whether one is required; else one that is shown must be good.
    pub required: bool,
    /// Files with CAs, in PEM; at least one.
    pub ca_certificates: Vec<PathBuf>,
    /// Names, at least one of which it must have; empty for any.
    pub subject_alt_names: Vec<SanPattern>,
}

/// What is believed and told of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// How many proxies in front are trusted.
    pub trusted_hops: usize,
    /// Which headers are written.
    pub headers: ForwardedHeaders,
}

/// How long clients may take; `None` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerTimeouts {
    /// TLS handshake and PROXY protocol header.
    pub handshake: Option<Duration>,
    /// The head of a request.
    pub request_head: Option<Duration>,
    /// Between two steps of a body or response.
    pub progress: Option<Duration>,
    /// Between two requests; for bytes, without any.
    pub idle: Option<Duration>,
    /// Age of a connection.
    pub max_connection_age: Option<Duration>,
}
