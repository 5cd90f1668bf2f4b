//! One place where a backend listens, and the addresses it may mean.

use std::cell::Cell;
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

/// What names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of HOST:PORT, [IPV6]:PORT and unix:PATH")]
pub struct InvalidEndpoint(String);

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidEndpoint(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err(invalid())
            } else {
                Ok(Endpoint::Unix(path.into()))
            };
        }
        if let Ok(address) = text.parse() {
            return Ok(Endpoint::Address(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().map_err(|_| invalid())?;
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match host {
            _ if port == 0 || host.is_empty() || !host.bytes().all(of_name) => Err(invalid()),
            "localhost" => Ok(Endpoint::Localhost(port)),
            _ => Ok(Endpoint::Name(host.to_owned(), port)),
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
