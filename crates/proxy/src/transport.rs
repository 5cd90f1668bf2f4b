//! One connection's bytes, whatever carries them.
//!
//! A [`Transport`] is the only thing that the protocols know of a socket: polled reads into pooled buffers, polled vectored
//! writes, and facts that were learned when it was made. Encrypted variants are added here and nowhere else.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::net::{TcpStream, UnixStream};

use crate::buffer::{Buffer, Size};
use crate::tls;

mod socket;

pub(crate) use socket::Socket;

#[cfg(test)]
mod tests;

/// A connection to a client or to a backend.
#[derive(Debug)]
pub struct Transport {
    io: Io,
    /// Read already by whoever looked at the first bytes: comes first.
    ahead: Buffer,
    facts: Facts,
}

/// What carries the bytes.
#[derive(Debug)]
enum Io {
    Plain(Socket),
    Tls(Box<tls::Stream>),
}

/// What is known of a connection from the moment it is made.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The address of the other side: as the socket says, or as a trusted PROXY protocol header said. None for a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address of this side, likewise.
    pub local: Option<SocketAddr>,
    /// What was agreed in the TLS handshake; none without TLS.
    pub tls: Option<Arc<tls::Facts>>,
}

impl Transport {
    /// Over TCP. Small writes are sent at once (`TCP_NODELAY`): what belongs together is written together here.
    pub fn tcp(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let facts = Facts {
            peer: stream.peer_addr().ok(),
            local: stream.local_addr().ok(),
            tls: None,
        };
        Self {
            io: Io::Plain(Socket::Tcp(stream)),
            ahead: Buffer::new(),
            facts,
        }
    }

    /// Over a Unix socket.
    pub fn unix(stream: UnixStream) -> Self {
        Self {
            io: Io::Plain(Socket::Unix(stream)),
            ahead: Buffer::new(),
            facts: Facts::default(),
        }
    }

    /// Over TLS, of which `stream` has done the handshake, on a connection of which `facts` are known.
    pub(crate) fn encrypted(stream: Box<tls::Stream>, mut facts: Facts) -> Self {
        facts.tls = Some(stream.facts().clone());
        Self {
            io: Io::Tls(stream),
            ahead: Buffer::new(),
            facts,
        }
    }

    /// The socket, the bytes that were read ahead, and the facts; none if the connection has TLS already.
    pub(crate) fn into_plain(self) -> Option<(Socket, Buffer, Facts)> {
        match self.io {
            Io::Plain(socket) => Some((socket, self.ahead, self.facts)),
            Io::Tls(_) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn tls_for_tests(&mut self) -> Option<&mut tls::Stream> {
        match &mut self.io {
            Io::Plain(_) => None,
            Io::Tls(stream) => Some(stream),
        }
    }

    /// What is known of this connection.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Corrects what is known, after a PROXY protocol header.
    pub fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Gives back bytes that were read: the next read gets them first.
    pub fn unread(&mut self, mut bytes: Buffer) {
        if !self.ahead.is_empty() {
            bytes.reserve(Size::Large);
            bytes.put(self.ahead.bytes());
        }
        self.ahead = bytes;
    }

    /// Reads what is there behind the bytes of `into`, which takes storage of `size` if it has none. Zero means that the other
    /// side will send nothing more, or that `into` is full. A buffer that stays empty owns no storage afterwards.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Buffer,
        size: Size,
    ) -> Poll<io::Result<usize>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Ok(self.take_ahead(into, size)));
        }
        let socket = match &mut self.io {
            Io::Plain(socket) => socket,
            Io::Tls(stream) => return stream.poll_read(cx, into, size),
        };
        into.reserve(size);
        let mut space = ReadBuf::new(into.spare());
        let result = socket.poll_read(cx, &mut space);
        let count = space.filled().len();
        into.filled(count);
        into.release_if_empty();
        ready!(result)?;
        Poll::Ready(Ok(count))
    }

    fn take_ahead(&mut self, into: &mut Buffer, size: Size) -> usize {
        if into.is_empty() {
            *into = std::mem::take(&mut self.ahead);
            return into.len();
        }
        into.reserve(size);
        let count = into.put(self.ahead.bytes());
        self.ahead.advance(count);
        self.ahead.release_if_empty();
        count
    }

    /// Writes some of `slices`, in order, and says how many bytes that were. Over TLS, what belongs together (a head and the
    /// beginning of its body) is best given in one call: it becomes one record. What was taken may be unsent until
    /// [`poll_flush`](Self::poll_flush) is ready.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(socket) => socket.poll_write_vectored(cx, slices),
            Io::Tls(stream) => stream.poll_write_vectored(cx, slices),
        }
    }

    /// Whether all that was written has been handed to the kernel. Plain sockets keep nothing back; TLS may.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(socket) => socket.poll_flush(cx),
            Io::Tls(stream) => stream.poll_flush(cx),
        }
    }

    /// Tells the other side that nothing more will come (over TLS with close_notify); reading goes on.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(socket) => socket.poll_shutdown(cx),
            Io::Tls(stream) => stream.poll_shutdown(cx),
        }
    }

    /// When this is dropped, the other side sees an error and not an end: what it got is not complete.
    pub fn reset_on_close(&mut self) {
        match &self.io {
            Io::Plain(socket) => socket.reset_on_close(),
            Io::Tls(stream) => stream.socket().reset_on_close(),
        }
    }

    /// Waits until the other side closes or says something, on a connection that is not in use. Ready means that
    /// the connection is no longer fit for use. Costs no system call while the kernel has reported nothing.
    pub fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ahead.is_empty() {
            return Poll::Ready(());
        }
        let mut byte = [0; 1];
        let mut space = ReadBuf::new(&mut byte);
        match &mut self.io {
            Io::Plain(socket) => socket.poll_read(cx, &mut space).map(drop),
            Io::Tls(stream) => stream.poll_idle(cx),
        }
    }
}
