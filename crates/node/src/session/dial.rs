//! Connections to what listens on a Pod's own addresses: a forwarded port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

use super::SessionError;
use crate::pod::{Command, PodControl};

/// Where a Pod's sockets are made.
pub(crate) struct PodNetwork {
    pub(crate) uid: String,
    /// `None` for a Pod on the machine's own network.
    pub(crate) namespace: Option<OwnedFd>,
}

impl PodControl {
    /// Connects to a port of the Pod at 127.0.0.1, else at ::1, as containerd does. Dropped, the attempt is given up.
    ///
    /// # Errors
    /// [`SessionError::PodNotFound`] for a Pod without a sandbox, [`SessionError::Dial`] when both addresses refuse,
    /// [`SessionError::System`].
    pub async fn dial(&self, port: u16) -> Result<TcpStream, SessionError> {
        let PodNetwork { uid, namespace } = self.answer(Command::Network).await?;
        let (ipv4, ipv6) = sockets(namespace).await?;
        let by_ipv4 = match connect(ipv4, Ipv4Addr::LOCALHOST.into(), port).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let by_ipv6 = match connect(ipv6, Ipv6Addr::LOCALHOST.into(), port).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        Err(SessionError::Dial {
            pod: uid,
            port,
            ipv4: go_words(&by_ipv4),
            ipv6: go_words(&by_ipv6),
        })
    }
}

type Made = Result<OwnedFd, Errno>;

async fn connect(socket: Made, address: IpAddr, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::from_std_stream(socket?.into());
    socket.connect(SocketAddr::new(address, port)).await
}

/// A socket of either family in the Pod's network namespace. A socket stays in the namespace that it was made in, so a thread
/// of its own enters, makes them and ends: no other thread is ever elsewhere than at home, and connecting waits nowhere.
async fn sockets(namespace: Option<OwnedFd>) -> Result<(Made, Made), SessionError> {
    let Some(namespace) = namespace else {
        return Ok((socket(AddressFamily::INET), socket(AddressFamily::INET6)));
    };
    let (sender, receiver) = oneshot::channel();
    let enter = move || {
        // Closed before the answer is given: who has it shall not find the descriptor still open.
        let namespace = namespace;
        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(namespace.as_fd(), network)?;
        Ok((socket(AddressFamily::INET), socket(AddressFamily::INET6)))
    };
    let failed = |error: io::Error| SessionError::system("enter the Pod's network", error);
    thread::Builder::new()
        .name("dial".into())
        .spawn(move || sender.send(enter()))
        .map_err(failed)?;
    let made: Result<_, Errno> = receiver
        .await
        .map_err(|_| failed(io::Error::other("the thread that entered it died")))?;
    made.map_err(|errno| failed(errno.into()))
}

fn socket(family: AddressFamily) -> Made {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(family, SocketType::STREAM, flags, None)
}

/// As Go's `net.Dial` ends its sentence.
fn go_words(error: &io::Error) -> String {
    let Some(errno) = Errno::from_io_error(error) else {
        return error.to_string();
    };
    let text = error.to_string().to_lowercase();
    let text = text.split(" (os error").next().unwrap_or_default();
    match errno {
        Errno::AFNOSUPPORT | Errno::MFILE | Errno::NFILE => format!("socket: {text}"),
        _ => format!("connect: {text}"),
    }
}
