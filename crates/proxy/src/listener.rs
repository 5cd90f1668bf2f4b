//! Sockets that listen: made by the thread that starts the proxy, so that whoever starts it learns what is wrong, and handed to
//! the workers, each of which has its own.
//!
//! The kernel spreads connections over the sockets of one address (`SO_REUSEPORT`); with one worker there is one socket and no
//! such option. A Unix socket has one queue, from which all workers take.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

use crate::config::Bind;

#[cfg(test)]
mod tests;

/// Connections that wait for a worker; the kernel may allow fewer (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listen on {bind}{}", hint(.source))]
pub struct ListenError {
    bind: String,
    source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => " (does another container of this Pod use the port?)",
        io::ErrorKind::PermissionDenied => {
            " (ports below 1024 need the capability NET_BIND_SERVICE; \
             or listen on a port above and publish it as the other)"
        }
        io::ErrorKind::AddrNotAvailable => " (this machine does not have the address)",
        _ => "",
    }
}

/// A socket that listens, of one worker.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

/// What holds an address as long as it is listened on.
#[derive(Debug)]
pub struct Listening {
    /// The address as configured.
    pub bind: Bind,
    /// The address that the kernel chose, where the port was left to it.
    pub local: Option<SocketAddr>,
    file: Option<PathBuf>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            let _ = fs::remove_file(path);
        }
    }
}

/// Listens on an address: one socket for each of `workers`.
///
/// # Errors
/// The kernel refuses, or somebody else listens there.
pub fn open(bind: &Bind, workers: usize) -> Result<(Listening, Vec<Socket>), ListenError> {
    let opened = match bind {
        Bind::Tcp(address) => open_tcp(*address, workers),
        Bind::Unix(path) => open_unix(path, workers),
    };
    let (local, file, sockets) = opened.map_err(|source| ListenError {
        bind: bind.to_string(),
        source,
    })?;
    let bind = bind.clone();
    Ok((Listening { bind, local, file }, sockets))
}

type Opened = (Option<SocketAddr>, Option<PathBuf>, Vec<Socket>);

fn open_tcp(address: SocketAddr, workers: usize) -> io::Result<Opened> {
    // Without the option the kernel refuses a second proxy on the same port; with it, both would get some connections.
    let first = tcp(address, false)?;
    let mut local = first.local_addr()?;
    if workers <= 1 {
        return Ok((Some(local), None, vec![Socket::Tcp(first)]));
    }
    drop(first);
    let mut sockets = Vec::new();
    for _ in 0..workers {
        let listener = tcp(local, true)?;
        local = listener.local_addr()?;
        sockets.push(Socket::Tcp(listener));
    }
    Ok((Some(local), None, sockets))
}

/// A socket of the plain ports for health and metrics.
///
/// # Errors
/// As [`open`].
pub fn open_plain(address: SocketAddr) -> Result<TcpListener, ListenError> {
    tcp(address, false).map_err(|source| ListenError {
        bind: address.to_string(),
        source,
    })
}

fn tcp(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = match socket_with(family, SocketType::STREAM, flags, None) {
        Ok(socket) => socket,
        // A machine without IPv6: `[::]` is all addresses there are.
        Err(rustix::io::Errno::AFNOSUPPORT) if address.ip().is_unspecified() => {
            return tcp((Ipv4Addr::UNSPECIFIED, address.port()).into(), shared);
        }
        Err(error) => return Err(error.into()),
    };
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    // Connections of an earlier process that have not been forgotten yet are no reason to refuse.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if shared {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    match bind(&socket, &address) {
        Err(rustix::io::Errno::ADDRNOTAVAIL)
            if address.is_ipv6() && address.ip().is_unspecified() =>
        {
            return tcp((Ipv4Addr::UNSPECIFIED, address.port()).into(), shared);
        }
        bound => bound?,
    }
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn open_unix(path: &Path, workers: usize) -> io::Result<Opened> {
    let left_over = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if left_over {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let mut sockets = vec![Socket::Unix(listener.try_clone()?)];
    for _ in 1..workers {
        sockets.push(Socket::Unix(listener.try_clone()?));
    }
    Ok((None, Some(path.to_owned()), sockets))
}
