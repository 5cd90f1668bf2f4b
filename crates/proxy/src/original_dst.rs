//! Where a connection was to go before it was redirected to us (`pillion capture`, or iptables' REDIRECT).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::sockopt::{ip_original_dst, ipv6_original_dst};

/// The destination that the client asked for, of a TCP connection that was accepted with the local address `local`. `None`
/// if that is `local` itself: the client meant us, or nothing is redirected here.
///
/// IPv4 connections of a socket for both families are those with an IPv4-mapped `local`; the answer is plain IPv4.
///
/// # Errors
/// It is no connection, or is so no longer.
pub fn original_dst(connection: impl AsFd, local: SocketAddr) -> io::Result<Option<SocketAddr>> {
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let found = match local.ip() {
        IpAddr::V4(_) => ip_original_dst(connection).map(SocketAddr::from),
        IpAddr::V6(_) => ipv6_original_dst(connection).map(SocketAddr::from),
    };
    match found {
        // Without the interface of a link-local address, which the local one has.
        Ok(found) if found.ip() == local.ip() && found.port() == local.port() => Ok(None),
        Ok(found) => Ok(Some(found)),
        // ENOENT: no address is translated in this network namespace, or the kernel has let go of the connection. The others:
        // the kernel cannot do it at all.
        Err(Errno::NOENT | Errno::NOPROTOOPT | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests;
