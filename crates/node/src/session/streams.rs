//! The ends of a session's streams.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::logs::Tap;
use crate::output::Stream;
use crate::pod::StdinOnce;

/// Standard input of a process: a pipe or a terminal. Shut down or dropped it is closed, but for the pipe of an attached
/// container without `stdinOnce`, and for a terminal.
#[derive(Debug)]
pub struct SessionInput(Option<(Sender, Option<StdinOnce>)>);

impl SessionInput {
    /// `fd` is the writing end of a pipe or the controlling end of a terminal, and does not block.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Self::attached(fd, None)
    }

    pub(super) fn attached(fd: OwnedFd, once: Option<StdinOnce>) -> io::Result<Self> {
        // Unchecked, because a terminal is written in just the same way.
        let sender = Sender::from_owned_fd_unchecked(fd)?;
        Ok(Self(Some((sender, once))))
    }
}

impl AsyncWrite for SessionInput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Some((sender, _)) => Pin::new(sender).poll_write(context, bytes),
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

/// Output of a process.
#[derive(Debug)]
pub struct SessionOutput(From);

#[derive(Debug)]
enum From {
    /// Reading end of a pipe, or controlling end of a terminal.
    Pipe(Receiver),
    /// What is read of a container's output anyway.
    Tap {
        tap: Tap,
        stream: Stream,
        /// What did not fit the last reader's buffer.
        rest: Vec<u8>,
    },
}

impl SessionOutput {
    /// `fd` is the reading end of a pipe or the controlling end of a terminal, and does not block.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Receiver::from_owned_fd_unchecked(fd).map(|receiver| Self(From::Pipe(receiver)))
    }

    pub(super) fn of_tap(tap: Tap, stream: Stream) -> Self {
        Self(From::Tap {
            tap,
            stream,
            rest: Vec::new(),
        })
    }
}

impl AsyncRead for SessionOutput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            From::Pipe(receiver) => match ready!(Pin::new(receiver).poll_read(context, buffer)) {
                // So the kernel says that the other end of a terminal has been closed by all.
                Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    Poll::Ready(Ok(()))
                }
                other => Poll::Ready(other),
            },
            From::Tap { tap, stream, rest } => {
                while rest.is_empty() {
                    match ready!(tap.poll_next(context)) {
                        Some(Ok(chunk)) if chunk.stream == *stream => *rest = chunk.bytes,
                        Some(Ok(_)) => {}
                        Some(Err(stalled)) => {
                            return Poll::Ready(Err(io::Error::new(
                                io::ErrorKind::TimedOut,
                                stalled,
                            )));
                        }
                        None => return Poll::Ready(Ok(())),
                    }
                }
                let fits = rest.len().min(buffer.remaining());
                buffer.put_slice(&rest[..fits]);
                rest.drain(..fits);
                Poll::Ready(Ok(()))
            }
        }
    }
}
