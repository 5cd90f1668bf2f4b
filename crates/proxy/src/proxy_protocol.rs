//! The PROXY protocol, versions 1 and 2: the client's address, in front of a connection's own bytes
//! (HAProxy's `proxy-protocol.txt`).
//!
//! Who may send it has to be said ([`Network`]) where others can connect too: they could claim any address.

mod accept;

pub use accept::{InvalidNetwork, Network, accept};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(test)]
mod tests;

/// Which form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// What version 2 begins with; nothing in HTTP or TLS does.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;
/// What of version 2 is taken: addresses, and extensions up to a sane amount.
const LONGEST_BINARY: usize = 16 + 4096;

/// Source and destination that a header tells; None where it speaks for the sender itself (health checks).
pub type Addresses = Option<(SocketAddr, SocketAddr)>;

/// A header in front of `bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// More bytes are needed to know.
    Partial,
    /// A header of so many bytes.
    Complete(usize, Addresses),
}

/// What is no header of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a header of the PROXY protocol: {0}")]
pub struct Invalid(&'static str);

/// Reads a header of either version.
///
/// # Errors
/// What does not begin with one, or with a malformed one.
pub fn parse(bytes: &[u8]) -> Result<Header, Invalid> {
    if starts_alike(bytes, SIGNATURE) {
        return if bytes.len() < 16 {
            Ok(Header::Partial)
        } else {
            parse_binary(bytes)
        };
    }
    if !starts_alike(bytes, b"PROXY ") {
        return Err(Invalid("no signature"));
    }
    let within = &bytes[..bytes.len().min(LONGEST_LINE)];
    let Some(end) = memchr::memchr(b'\n', within) else {
        let partial = bytes.len() < LONGEST_LINE;
        return if partial {
            Ok(Header::Partial)
        } else {
            Err(Invalid("the line is too long"))
        };
    };
    let line = bytes[..end]
        .strip_suffix(b"\r")
        .ok_or(Invalid("the line ends without CR"))?;
    let line = std::str::from_utf8(line).map_err(|_| Invalid("not text"))?;
    Ok(Header::Complete(end + 1, parse_line(line)?))
}

fn starts_alike(bytes: &[u8], with: &[u8]) -> bool {
    let common = bytes.len().min(with.len());
    bytes[..common] == with[..common]
}

fn parse_line(line: &str) -> Result<Addresses, Invalid> {
    let mut words = line.split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        return Ok(None);
    }
    let mut address = || {
        let address: IpAddr = words.next()?.parse().ok()?;
        (address.is_ipv4() == (family == "TCP4")).then_some(address)
    };
    let (source, destination) = (address(), address());
    // Plain decimals: no sign, no leading zero.
    let mut port = || {
        let text = words.next()?;
        let port: u16 = text.parse().ok()?;
        (port.to_string() == text).then_some(port)
    };
    let (source_port, destination_port) = (port(), port());
    let known = matches!(family, "TCP4" | "TCP6") && words.next().is_none();
    match (source, destination, source_port, destination_port) {
        (Some(source), Some(destination), Some(source_port), Some(destination_port)) if known => {
            let source = SocketAddr::new(source, source_port);
            Ok(Some((
                source,
                SocketAddr::new(destination, destination_port),
            )))
        }
        _ => Err(Invalid(
            "the line is not PROXY, a family, two addresses and two ports",
        )),
    }
}

fn parse_binary(bytes: &[u8]) -> Result<Header, Invalid> {
    let length = 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    if length > LONGEST_BINARY {
        return Err(Invalid("too long"));
    }
    let local = match bytes[12] {
        0x20 => true,
        0x21 => false,
        _ => {
            return Err(Invalid(
                "neither a local nor a proxied connection of version 2",
            ));
        }
    };
    if bytes.len() < length {
        return Ok(Header::Partial);
    }
    let body = &bytes[16..length];
    if local {
        return Ok(Header::Complete(length, None));
    }
    let addresses = match (bytes[13] >> 4, body) {
        (0, _) | (3, _) => None,
        (1, [a, b, c, d, e, f, g, h, ports @ ..]) if ports.len() >= 4 => {
            let source = Ipv4Addr::new(*a, *b, *c, *d);
            let destination = Ipv4Addr::new(*e, *f, *g, *h);
            Some(with_ports(source.into(), destination.into(), ports))
        }
        (2, _) if body.len() >= 36 => {
            let address = |from: usize| {
                let mut octets = [0; 16];
                octets.copy_from_slice(&body[from..from + 16]);
                IpAddr::V6(Ipv6Addr::from(octets))
            };
            Some(with_ports(address(0), address(16), &body[32..]))
        }
        _ => {
            return Err(Invalid(
                "addresses that are cut off, or of a family that there is not",
            ));
        }
    };
    Ok(Header::Complete(length, addresses))
}

fn with_ports(source: IpAddr, destination: IpAddr, ports: &[u8]) -> (SocketAddr, SocketAddr) {
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    (
        SocketAddr::new(source, port(0)),
        SocketAddr::new(destination, port(2)),
    )
}

/// The header that tells these addresses. Where one is missing, or they are of two families, it speaks for the sender.
pub fn encode(
    version: Version,
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
) -> Vec<u8> {
    let canonical =
        |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let both = source.map(canonical).zip(destination.map(canonical));
    match version {
        Version::V1 => match both {
            Some((source, destination)) if source.is_ipv4() == destination.is_ipv4() => format!(
                "PROXY {} {} {} {} {}\r\n",
                if source.is_ipv4() { "TCP4" } else { "TCP6" },
                source.ip(),
                destination.ip(),
                source.port(),
                destination.port()
            )
            .into_bytes(),
            _ => b"PROXY UNKNOWN\r\n".to_vec(),
        },
        Version::V2 => {
            let (family, mut body) = match both {
                Some((SocketAddr::V4(source), SocketAddr::V4(destination))) => (
                    0x11,
                    [source.ip().octets(), destination.ip().octets()].concat(),
                ),
                Some((SocketAddr::V6(source), SocketAddr::V6(destination))) => (
                    0x21,
                    [source.ip().octets(), destination.ip().octets()].concat(),
                ),
                _ => (0, Vec::new()),
            };
            if let Some((source, destination)) = both.filter(|_| family != 0) {
                body.extend_from_slice(&source.port().to_be_bytes());
                body.extend_from_slice(&destination.port().to_be_bytes());
            }
            let command = if family == 0 { 0x20 } else { 0x21 };
            let length = u16::try_from(body.len()).unwrap_or_default();
            let mut header = SIGNATURE.to_vec();
            header.extend_from_slice(&[command, family]);
            header.extend_from_slice(&length.to_be_bytes());
            header.extend_from_slice(&body);
            header
        }
    }
}
