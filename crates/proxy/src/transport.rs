//! One connection's bytes, whatever carries them.
//!
//! A [`Transport`] is the only thing that the protocols know of a socket: polled reads into pooled buffers, polled vectored
//! writes, and facts that were learned when it was made. Encrypted variants are added here and nowhere else.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::buffer::{Buffer, Size};

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
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What is known of a connection from the moment it is made.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The address of the other side: as the socket says, or as a trusted PROXY protocol header said. None for a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address of this side, likewise.
    pub local: Option<SocketAddr>,
}

impl Transport {
    /// Over TCP. Small writes are sent at once (`TCP_NODELAY`): what belongs together is written together here.
    pub fn tcp(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let facts = Facts {
            peer: stream.peer_addr().ok(),
            local: stream.local_addr().ok(),
        };
        Self {
            io: Io::Tcp(stream),
            ahead: Buffer::new(),
            facts,
        }
    }

    /// Over a Unix socket.
    pub fn unix(stream: UnixStream) -> Self {
        Self {
            io: Io::Unix(stream),
            ahead: Buffer::new(),
            facts: Facts::default(),
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
        into.reserve(size);
        let mut space = ReadBuf::new(into.spare());
        let result = match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut space),
            Io::Unix(stream) => Pin::new(stream).poll_read(cx, &mut space),
        };
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

    /// Writes some of `slices`, in order, and says how many bytes that were.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // One slice goes by the simpler call, which the kernel handles faster.
        match (&mut self.io, slices) {
            (Io::Tcp(stream), [one]) => Pin::new(stream).poll_write(cx, one),
            (Io::Tcp(stream), _) => Pin::new(stream).poll_write_vectored(cx, slices),
            (Io::Unix(stream), _) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    /// Whether all that was written has been handed to the kernel. Plain sockets keep nothing back.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Io::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Tells the other side that nothing more will come; reading goes on.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    /// When this is dropped, the other side sees an error and not an end: what it got is not complete.
    pub fn reset_on_close(&mut self) {
        if let Io::Tcp(stream) = &self.io {
            let _ = stream.set_zero_linger();
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
            Io::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut space).map(drop),
            Io::Unix(stream) => Pin::new(stream).poll_read(cx, &mut space).map(drop),
        }
    }
}
