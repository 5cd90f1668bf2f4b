//! One place where a backend listens, and the addresses it may mean.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::{TcpStream, UnixStream, lookup_host};

use crate::transport::Transport;

/// Where a backend listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `localhost:PORT`: 127.0.0.1, ::1, or an address of the Pod, whichever the app listens on.
    Localhost(u16),
    /// An address.
    Address(SocketAddr),
    /// A name in DNS.
    Name(String, u16),
    /// `unix:PATH`
    Unix(PathBuf),
}

/// What names no endpoint, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEndpoint(&'static str);

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let must = |fault| Err(InvalidEndpoint(fault));
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') && !path.contains('\0') {
                Ok(Endpoint::Unix(path.into()))
            } else {
                must("must be an absolute path after `unix:`")
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return must("must be of the form `host:port` or `unix:/path`");
        };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let Some(port) = port.parse().ok().filter(|port| digits && *port != 0) else {
            return must("must have a port between 1 and 65535");
        };
        let inner = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(inner) = inner {
            return match inner.parse() {
                Ok(address) => Ok(Endpoint::Address(SocketAddr::new(
                    IpAddr::V6(address),
                    port,
                ))),
                Err(_) => must("must have an IPv6 address in its brackets"),
            };
        }
        if let Ok(address) = host.parse() {
            return Ok(Endpoint::Address(SocketAddr::new(
                IpAddr::V4(address),
                port,
            )));
        }
        // Names as resolvers take them: with underscores, in any case.
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let lower = host.to_ascii_lowercase();
        let named = lower.strip_suffix('.').unwrap_or(&lower);
        let labels = named.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && label.bytes().all(of_name)
        });
        match lower.as_str() {
            _ if host.contains(':') => must("must have an IPv6 address in brackets"),
            _ if !labels || lower.len() > 254 => must("must have a host name or an address"),
            "localhost" => Ok(Endpoint::Localhost(port)),
            _ => Ok(Endpoint::Name(lower, port)),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Localhost(port) => write!(f, "localhost:{port}"),
            Endpoint::Address(address) => address.fmt(f),
            Endpoint::Name(name, port) => write!(f, "{name}:{port}"),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Endpoint {
    /// The name or address of its host, for SNI and certificates; a Unix socket has none.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match self {
            Endpoint::Localhost(_) => Some("localhost".to_owned()),
            Endpoint::Address(address) => Some(address.ip().to_string()),
            Endpoint::Name(name, _) => Some(name.trim_end_matches('.').to_owned()),
            Endpoint::Unix(_) => None,
        }
    }
}

/// Makes connections to an endpoint, and remembers which of its addresses answered.
#[derive(Debug)]
pub(super) struct Connector {
    endpoint: Endpoint,
    /// Of `localhost`, in the order of trying.
    local: Vec<IpAddr>,
    answered: Cell<Option<SocketAddr>>,
}

impl Connector {
    pub(super) fn new(endpoint: Endpoint, pod_addresses: &[IpAddr]) -> Self {
        let loopback = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        let local = loopback
            .into_iter()
            .chain(pod_addresses.iter().copied())
            .collect();
        Self {
            endpoint,
            local,
            answered: Cell::new(None),
        }
    }

    /// Connects to the address that answered last, else to each in turn.
    ///
    /// # Errors
    /// Each address and what it said, for the log.
    pub(super) async fn connect(&self) -> Result<Transport, String> {
        let addresses: Vec<SocketAddr> = match &self.endpoint {
            Endpoint::Unix(path) => {
                let connected = UnixStream::connect(path).await;
                let failed = |error| format!("unix:{}: {error}", path.display());
                return connected.map(Transport::unix).map_err(failed);
            }
            Endpoint::Address(address) => vec![*address],
            Endpoint::Localhost(port) => {
                let last = self.answered.get();
                let all = self
                    .local
                    .iter()
                    .map(|address| SocketAddr::new(*address, *port));
                last.into_iter()
                    .chain(all.filter(|address| Some(*address) != last))
                    .collect()
            }
            Endpoint::Name(name, port) => {
                let found = lookup_host((name.as_str(), *port)).await;
                found
                    .map_err(|error| format!("look up {name}: {error}"))?
                    .collect()
            }
        };
        let mut refused = Vec::new();
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) if is_itself(&stream) => {
                    refused.push(format!("{address}: connected to itself"));
                }
                Ok(stream) => {
                    self.answered.set(Some(address));
                    return Ok(Transport::tcp(stream));
                }
                Err(error) => refused.push(format!("{address}: {}", plain(&error))),
            }
        }
        Err(refused.join("; "))
    }
}

/// A connection to a port of this machine on which nobody listens succeeds now and then, with itself: when the kernel
/// chooses that very port for this end (a simultaneous open).
fn is_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form() {
        for text in [
            "localhost:80",
            "127.0.0.1:3000",
            "[::1]:80",
            "app.default.svc:8080",
            "app.default.svc.:8080",
            "my_app:1",
            "unix:/run/app.sock",
        ] {
            let read = text
                .parse::<Endpoint>()
                .map(|endpoint| endpoint.to_string());
            assert_eq!(read.as_deref(), Ok(text));
        }
        assert_eq!("LocalHost:80".parse(), Ok(Endpoint::Localhost(80)));
    }

    #[test]
    fn refuses_others() {
        for text in [
            "",
            ":",
            "80",
            "localhost",
            "localhost:",
            ":80",
            "localhost:0",
            "localhost:65536",
            "localhost:+80",
            "::1:80",
            "[::1]",
            "[x]:80",
            "unix:",
            "unix:run",
            "http://a:80",
            "a b:80",
            "a..b:80",
            "-a:80",
            ".:80",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
