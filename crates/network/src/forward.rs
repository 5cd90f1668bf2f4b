//! Published ports (`hostPort`, `--publish`) as forwarders in user space.
//!
//! A forwarder listens on an address of this machine and passes what comes on to a Pod. It knows nothing of Pods but one
//! address, and follows when that changes. Idle, it waits in the kernel and wakes for nothing.
//!
//! Two limits follow from user space. A Pod sees the node's address as the client's. And a UDP answer from a listener on
//! all addresses leaves by the address that routing chooses; on a machine with several in one network that need not be the
//! one the client asked.

mod holder;
mod tcp;
mod udp;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use holder::Holder;

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// The transport protocol of a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `TCP`
    Tcp,
    /// `UDP`
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// A port that cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// Someone else listens there.
    #[error("listen on {address} ({protocol}): the port is taken{}", by(holder.as_ref()))]
    Taken {
        /// Where.
        address: SocketAddr,
        /// The protocol.
        protocol: Protocol,
        /// Who, where it can be found out.
        holder: Option<Holder>,
    },
    /// The machine has no such address.
    #[error("listen on {address} ({protocol}): this machine has no address {}", address.ip())]
    NoSuchAddress {
        /// Where.
        address: SocketAddr,
        /// The protocol.
        protocol: Protocol,
    },
    /// Low ports are for root.
    #[error(
        "listen on {address} ({protocol}): ports this low need root (CAP_NET_BIND_SERVICE) or a lower net.ipv4.ip_unprivileged_port_start"
    )]
    Privileged {
        /// Where.
        address: SocketAddr,
        /// The protocol.
        protocol: Protocol,
    },
    /// Anything else.
    #[error("listen on {address} ({protocol})")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The protocol.
        protocol: Protocol,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

fn by(holder: Option<&Holder>) -> String {
    holder
        .map(|holder| format!(" by {holder}"))
        .unwrap_or_default()
}

/// The address to listen on for a port without `hostIP`: every address of the machine, IPv4 and IPv6.
pub const fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)
}

/// A published port. Dropping it stops listening and ends what flows through it.
#[derive(Debug)]
pub struct Forwarder {
    listen: SocketAddr,
    protocol: Protocol,
    target: watch::Sender<SocketAddr>,
    socket: Listening,
    task: JoinHandle<()>,
}

/// The socket, which its task uses.
#[derive(Debug)]
enum Listening {
    Tcp(Arc<tokio::net::TcpListener>),
    Udp(Arc<tokio::net::UdpSocket>),
}

impl Forwarder {
    /// Listens on `listen` and forwards to `target`. `[::]` means every address, of IPv4 as well; another IPv6 address
    /// means just that. Port 0 is given a number, see [`local_address`](Self::local_address).
    ///
    /// Must be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// See [`ForwardError`]. Whether anything answers at `target` is not looked at: that may come and go.
    pub fn bind(
        listen: SocketAddr,
        protocol: Protocol,
        target: SocketAddr,
    ) -> Result<Self, ForwardError> {
        let failed = |source: io::Error| ForwardError::Listen {
            address: listen,
            protocol,
            source,
        };
        let socket = socket(listen, protocol).map_err(|errno| refused(listen, protocol, errno))?;
        Self::take_over(socket, protocol, target).map_err(failed)
    }

    /// Goes on with a listening socket that another program of this process has had, see [`AsFd`]. What flowed through it has
    /// ended with that program.
    ///
    /// # Errors
    /// It is no socket of this protocol.
    pub fn take_over(socket: OwnedFd, protocol: Protocol, target: SocketAddr) -> io::Result<Self> {
        let (sender, receiver) = watch::channel(target);
        let (local, socket, task) = match protocol {
            Protocol::Tcp => {
                let listener = std::net::TcpListener::from(socket);
                let listener = Arc::new(tokio::net::TcpListener::from_std(listener)?);
                let local = listener.local_addr()?;
                let task = tokio::spawn(tcp::serve(Arc::clone(&listener), receiver));
                (local, Listening::Tcp(listener), task)
            }
            Protocol::Udp => {
                let socket = std::net::UdpSocket::from(socket);
                let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
                let local = socket.local_addr()?;
                let task = tokio::spawn(udp::serve(Arc::clone(&socket), receiver));
                (local, Listening::Udp(socket), task)
            }
        };
        Ok(Self {
            listen: local,
            protocol,
            target: sender,
            socket,
            task,
        })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.listen
    }

    /// What it forwards.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where it forwards to.
    pub fn target(&self) -> SocketAddr {
        *self.target.borrow()
    }

    /// Forwards to another address from now on, as when the Pod was made anew. Connections to the old one are reset:
    /// nobody is there to answer them any more.
    pub fn set_target(&self, target: SocketAddr) {
        self.target.send_if_modified(|current| {
            let changed = *current != target;
            *current = target;
            changed
        });
    }

    /// Stops listening and ends all flows; the port is free when it returns.
    pub async fn close(mut self) {
        self.task.abort();
        // Aborted, which is what it should be.
        let _ = (&mut self.task).await;
    }
}

impl AsFd for Forwarder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Listening::Tcp(listener) => listener.as_fd(),
            Listening::Udp(socket) => socket.as_fd(),
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A bound socket, listening if TCP.
fn socket(listen: SocketAddr, protocol: Protocol) -> Result<OwnedFd, Errno> {
    let (kind, reuse) = match protocol {
        // Lets a runner that starts anew have its port while connections of the old one linger; never two listeners.
        Protocol::Tcp => (SocketType::STREAM, true),
        // For UDP it would let two sockets share a port.
        Protocol::Udp => (SocketType::DGRAM, false),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let every = listen.ip() == Ipv6Addr::UNSPECIFIED;
    let (socket, listen) = match rustix::net::socket_with(family(listen), kind, flags, None) {
        Err(Errno::AFNOSUPPORT) if every => {
            let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, listen.port()));
            (
                rustix::net::socket_with(family(listen), kind, flags, None)?,
                listen,
            )
        }
        other => (other?, listen),
    };
    if listen.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !every)?;
    }
    sockopt::set_socket_reuseaddr(&socket, reuse)?;
    rustix::net::bind(&socket, &listen)?;
    if protocol == Protocol::Tcp {
        rustix::net::listen(&socket, BACKLOG)?;
    }
    Ok(socket)
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    }
}

fn refused(address: SocketAddr, protocol: Protocol, errno: Errno) -> ForwardError {
    match errno {
        Errno::ADDRINUSE => ForwardError::Taken {
            address,
            protocol,
            holder: holder::find(address, protocol),
        },
        Errno::ADDRNOTAVAIL => ForwardError::NoSuchAddress { address, protocol },
        Errno::ACCESS => ForwardError::Privileged { address, protocol },
        errno => ForwardError::Listen {
            address,
            protocol,
            source: errno.into(),
        },
    }
}

#[cfg(test)]
mod tests;
