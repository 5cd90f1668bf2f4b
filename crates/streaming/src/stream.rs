//! The ends of the byte streams that a connection carries.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::channels;
use crate::outgoing::{MAX_PAYLOAD, Outgoing, Packet, Queue};
use crate::spdy::{self, SpdyStream};

/// So many parts of what arrived wait to be read, of at most as many bytes as are read from a connection at once.
const INBOX: usize = 4;

/// Where the reader of a connection puts what arrives on one stream. The stream ends when it is dropped.
pub(crate) type Inbox = mpsc::Sender<Bytes>;

/// What the other side sends on one stream. Ends with the stream, or with the connection; a port-forward that the
/// other side cuts off, or whose connection is lost, ends with `ConnectionReset` instead.
#[derive(Debug)]
pub struct StreamReader {
    inbox: mpsc::Receiver<Bytes>,
    part: Bytes,
    /// What tells that the stream was cut off, where that is of interest.
    stream: Option<Arc<SpdyStream>>,
    /// Keeps the connection alive.
    _queue: Queue,
}

impl StreamReader {
    pub(crate) fn new(queue: Queue, stream: Option<Arc<SpdyStream>>) -> (Inbox, Self) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let reader = Self {
            inbox,
            part: Bytes::new(),
            stream,
            _queue: queue,
        };
        (sender, reader)
    }

    /// Takes a stream that is cut off for one that has ended.
    pub(crate) fn end_when_reset(mut self) -> Self {
        self.stream = None;
        self
    }

    /// The next bytes, none at the end. What is not taken because this is dropped midway is not lost.
    pub(crate) async fn part(&mut self) -> Bytes {
        if self.part.is_empty() {
            return self.inbox.recv().await.unwrap_or_default();
        }
        std::mem::take(&mut self.part)
    }

    /// Reads to the end; what is beyond the limit is dropped.
    pub(crate) async fn read_to_limit(&mut self, limit: usize) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let part = self.part().await;
            if part.is_empty() {
                return all;
            }
            let room = limit - all.len();
            all.extend_from_slice(&part[..part.len().min(room)]);
        }
    }
}

impl AsyncRead for StreamReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.part.is_empty() {
            match ready!(self.inbox.poll_recv(context)) {
                Some(part) => self.part = part,
                None if self
                    .stream
                    .as_ref()
                    .is_some_and(|stream| stream.is_cut_short()) =>
                {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                None => {}
            }
        }
        let length = self.part.len().min(buffer.remaining());
        buffer.put_slice(&self.part[..length]);
        self.part.advance(length);
        Poll::Ready(Ok(()))
    }
}

/// What goes to the other side on one stream. Writes wait for the other side, and fail with `BrokenPipe` once it is
/// gone; shutting down tells it that nothing more comes, where the protocol can.
#[derive(Debug)]
pub struct StreamWriter {
    queue: PollSender<Outgoing>,
    framing: Framing,
    ended: bool,
}

/// How a stream's bytes are told from those of others.
#[derive(Debug)]
pub(crate) enum Framing {
    /// By a number before each message.
    Channel {
        number: u8,
        /// The other side knows a message that ends the channel.
        closes: bool,
    },
    Spdy {
        stream: Arc<SpdyStream>,
        /// Dropped before it ended, the stream is cut off; else it ends.
        reset_on_drop: bool,
    },
}

impl Framing {
    /// There is something that tells the other side that the stream has ended.
    fn has_end(&self) -> bool {
        !matches!(self, Self::Channel { closes: false, .. })
    }

    /// What tells it, if it was not told before.
    fn end(&self) -> Option<Packet> {
        match self {
            Self::Channel {
                number,
                closes: true,
            } => Some(channels::end_of(*number)),
            Self::Channel { .. } => None,
            Self::Spdy { stream, .. } => stream.end(),
        }
    }
}

impl StreamWriter {
    pub(crate) fn new(queue: Queue, framing: Framing) -> Self {
        Self {
            queue: PollSender::new(queue),
            framing,
            ended: false,
        }
    }

    /// From here on it ends the stream when it is dropped, and does not cut it off.
    pub(crate) fn end_on_drop(mut self) -> Self {
        if let Framing::Spdy { reset_on_drop, .. } = &mut self.framing {
            *reset_on_drop = false;
        }
        self
    }

    /// The number that the stream is known by, and what is known of it.
    pub(crate) fn spdy(&self) -> Option<&Arc<SpdyStream>> {
        match &self.framing {
            Framing::Spdy { stream, .. } => Some(stream),
            Framing::Channel { .. } => None,
        }
    }

    fn broken(&self) -> bool {
        self.ended || self.spdy().is_some_and(|stream| stream.is_ended())
    }
}

impl AsyncWrite for StreamWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        if self.broken() {
            return Poll::Ready(Err(broken()));
        }
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.queue.poll_reserve(context)).map_err(|_| broken())?;
        let length = buffer.len().min(MAX_PAYLOAD);
        let payload = Bytes::copy_from_slice(&buffer[..length]);
        let packet = match &self.framing {
            Framing::Channel { number, .. } => Packet::new(&[*number], payload),
            Framing::Spdy { stream, .. } => spdy::data(stream.id(), payload, false),
        };
        self.queue
            .send_item(Outgoing::Packet(packet))
            .map_err(|_| broken())?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection's own loop writes out what is queued as fast as it can.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken() || !self.framing.has_end() {
            self.ended = true;
            return Poll::Ready(Ok(()));
        }
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        ready!(self.queue.poll_reserve(context)).map_err(|_| broken())?;
        self.ended = true;
        match self.framing.end() {
            Some(packet) => self
                .queue
                .send_item(Outgoing::Packet(packet))
                .map_err(|_| broken())?,
            None => {
                self.queue.abort_send();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        let Framing::Spdy {
            stream,
            reset_on_drop,
        } = &self.framing
        else {
            return;
        };
        let packet = if *reset_on_drop {
            stream.reset()
        } else {
            stream.end()
        };
        // Behind all that this stream has queued.
        if let (Some(packet), Some(queue)) = (packet, self.queue.get_ref()) {
            spdy::send_later(queue, packet);
        }
    }
}
