//! The ends of a session's streams.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};

/// Standard input of a process: a pipe or a terminal. Shut down, it writes nothing more; a pipe is closed by that.
#[derive(Debug)]
pub struct SessionInput(Option<Sender>);

impl SessionInput {
    /// `fd` is the writing end of a pipe or the controlling end of a terminal, and does not block.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        // Unchecked, because a terminal is written in just the same way.
        Sender::from_owned_fd_unchecked(fd).map(|sender| Self(Some(sender)))
    }
}

impl AsyncWrite for SessionInput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Some(sender) => Pin::new(sender).poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0 = None;
        Poll::Ready(Ok(()))
    }
}

/// Output of a process: a pipe or a terminal.
#[derive(Debug)]
pub struct SessionOutput(Receiver);

impl SessionOutput {
    /// `fd` is the reading end of a pipe or the controlling end of a terminal, and does not block.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Receiver::from_owned_fd_unchecked(fd).map(Self)
    }
}

impl AsyncRead for SessionOutput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.0).poll_read(context, buffer)) {
            // So the kernel says that the other end of a terminal has been closed by all.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                Poll::Ready(Ok(()))
            }
            other => Poll::Ready(other),
        }
    }
}
