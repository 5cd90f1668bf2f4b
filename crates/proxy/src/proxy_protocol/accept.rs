//! Takes the header from the front of a connection.

use std::future::poll_fn;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use super::{Header, parse};
use crate::buffer::{Buffer, Size};
use crate::reason::{Failure, Reason};
use crate::transport::Transport;

/// A range of addresses that may send headers: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// What names no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor ADDRESS/BITS")]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| invalid()))?;
        if bits > most {
            return Err(invalid());
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    /// Whether `address` is in it. An IPv4 address that is written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differ = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        differ >= self.bits
    }
}

/// Takes a header from the front of `transport`, which is to come within `patience`, and corrects what is known of the
/// client. `sources` says who may send one; empty: whoever can connect. A header that speaks for the sender itself
/// changes nothing.
///
/// # Errors
/// [`Reason::ProxyProtocol`]: no header, a malformed one, none in time, or one of somebody who is not trusted. Nothing is to
/// be answered: what would be spoken here is not known yet.
pub async fn accept(
    transport: &mut Transport,
    sources: &[Network],
    patience: Duration,
) -> Result<(), Failure> {
    let refuse = |detail: String| Failure::new(Reason::ProxyProtocol, detail);
    let peer = transport.facts().peer.map(|address| address.ip());
    let trusts = |peer| sources.iter().any(|network| network.contains(peer));
    if let Some(peer) = peer.filter(|peer| !sources.is_empty() && !trusts(*peer)) {
        return Err(refuse(format!("{peer} may not send it")));
    }
    let taken = tokio::time::timeout(patience, take(transport)).await;
    taken.unwrap_or_else(|_| Err(refuse(format!("not within {patience:?}"))))
}

async fn take(transport: &mut Transport) -> Result<(), Failure> {
    let refuse = |detail: String| Failure::new(Reason::ProxyProtocol, detail);
    let mut bytes = Buffer::new();
    loop {
        match parse(bytes.bytes()) {
            Ok(Header::Complete(length, addresses)) => {
                bytes.advance(length);
                transport.unread(bytes);
                if let Some((source, destination)) = addresses {
                    let facts = transport.facts_mut();
                    facts.peer = Some(source);
                    facts.local = Some(destination);
                }
                return Ok(());
            }
            // Always shorter than a small buffer, so there is room behind it.
            Ok(Header::Partial) => {}
            Err(invalid) => return Err(refuse(invalid.to_string())),
        }
        let read = poll_fn(|cx| transport.poll_read(cx, &mut bytes, Size::Small)).await;
        match read {
            Ok(0) => return Err(refuse("the connection ends before it".to_owned())),
            Ok(_) => {}
            Err(error) => return Err(refuse(format!("read: {error}"))),
        }
    }
}
