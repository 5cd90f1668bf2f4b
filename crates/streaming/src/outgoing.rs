//! What goes out over a connection: a bounded queue that all its streams write to, and the loop that empties it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use crate::websocket;

/// At most so many packets wait, of at most [`MAX_PAYLOAD`] bytes each.
const QUEUE: usize = 4;
/// The most that one write to a stream puts into a packet.
pub(crate) const MAX_PAYLOAD: usize = 32 << 10;
/// So many bytes are read from a connection at once, at most.
const READ: usize = 16 << 10;
/// How long an ended connection stays open for the other side to read the last of it.
const LINGER: Duration = Duration::from_secs(2);

/// Where streams put what goes out. The connection ends when all of them are gone.
pub(crate) type Queue = mpsc::Sender<Outgoing>;

pub(crate) fn queue() -> (Queue, mpsc::Receiver<Outgoing>) {
    mpsc::channel(QUEUE)
}

/// One thing to send.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Packet(Packet),
    /// The answer to a ping of WebSocket's.
    Pong(Bytes),
    /// End the connection in good order: with this code, where there is one, and a word to whom it concerns.
    Close(u16, Option<oneshot::Sender<()>>),
}

/// A protocol's frame: one message of WebSocket, or so many bytes of a plain connection.
#[derive(Debug)]
pub(crate) struct Packet {
    head: [u8; 8],
    head_length: u8,
    payload: Bytes,
}

impl Packet {
    /// A payload behind a head of at most 8 bytes.
    pub(crate) fn new(head: &[u8], payload: Bytes) -> Self {
        let mut packet = Self {
            head: [0; 8],
            head_length: 0,
            payload,
        };
        for (place, byte) in packet.head.iter_mut().zip(head) {
            *place = *byte;
            packet.head_length += 1;
        }
        packet
    }

    fn head(&self) -> Bytes {
        Bytes::copy_from_slice(&self.head[..usize::from(self.head_length)])
    }
}

/// The writing half of a connection.
#[derive(Debug)]
pub(crate) enum Sink<W> {
    Plain(W),
    /// Each packet is a binary message.
    WebSocket(W, websocket::Role),
}

impl<W: AsyncWrite + Unpin> Sink<W> {
    /// Sends what is queued until it is told to close, all streams are gone or the other side is.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Outgoing>) -> io::Result<()> {
        let mut end = (websocket::NORMAL_CLOSURE, None);
        while let Some(next) = queue.recv().await {
            match next {
                Outgoing::Packet(packet) => self.packet(packet).await?,
                Outgoing::Pong(payload) => {
                    self.frame(websocket::PONG, Bytes::new(), payload).await?;
                }
                Outgoing::Close(code, done) => {
                    end = (code, done);
                    break;
                }
            }
            if queue.is_empty() {
                self.io().flush().await?;
            }
        }
        let code = Bytes::copy_from_slice(&end.0.to_be_bytes());
        self.frame(websocket::CLOSE, Bytes::new(), code).await?;
        self.io().flush().await?;
        self.io().shutdown().await?;
        if let Some(done) = end.1 {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
        Ok(())
    }

    fn io(&mut self) -> &mut W {
        match self {
            Self::Plain(io) | Self::WebSocket(io, _) => io,
        }
    }

    async fn packet(&mut self, packet: Packet) -> io::Result<()> {
        let head = packet.head();
        match self {
            Self::Plain(io) => io.write_all_buf(&mut head.chain(packet.payload)).await,
            Self::WebSocket(..) => self.frame(websocket::BINARY, head, packet.payload).await,
        }
    }

    /// Sends a frame of WebSocket; on a plain connection there is none.
    async fn frame(&mut self, opcode: u8, head: Bytes, payload: Bytes) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::WebSocket(io, role) => {
                let (head, payload) = websocket::encode(*role, opcode, &head, payload);
                io.write_all_buf(&mut head.chain(payload)).await
            }
        }
    }
}

/// Reads away what still comes, until the other side closes too: a socket closed with unread bytes in it would tell
/// the other side of an error instead of the end.
pub(crate) async fn linger<R: AsyncRead + Unpin>(io: &mut R) {
    let drained = async {
        let mut scratch = [0; 1024];
        while matches!(io.read(&mut scratch).await, Ok(1..)) {}
    };
    // Who does not close in time is left.
    let _ = tokio::time::timeout(LINGER, drained).await;
}

/// Reads what has arrived into a buffer; waits where nothing has.
///
/// # Errors
///
/// The other side is gone: `UnexpectedEof`, or why.
pub(crate) async fn fill<R: AsyncRead + Unpin>(
    io: &mut R,
    buffer: &mut BytesMut,
) -> io::Result<()> {
    // Small parts share an allocation, large ones get room.
    if buffer.capacity() - buffer.len() < READ / 4 {
        buffer.reserve(READ);
    }
    match io.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Sends an answer to what arrived. Waits for room, so that who only asks and never reads is not answered without end.
pub(crate) async fn reply(queue: &mpsc::WeakSender<Outgoing>, answer: Outgoing) {
    if let Some(queue) = queue.upgrade() {
        // Without anyone who writes there is nobody to answer.
        let _ = queue.send(answer).await;
    }
}

/// Runs the reading and the writing half of a connection until it has ended. Says whether it ended in good order, so
/// that the other side may still have to read.
///
/// Reading ends with an error when the other side is gone; else with the code to close the connection with, behind
/// all that is queued.
pub(crate) async fn both(
    reading: impl Future<Output = io::Result<u16>>,
    writing: impl Future<Output = io::Result<()>>,
    queue: &mpsc::WeakSender<Outgoing>,
) -> bool {
    let mut writing = pin!(writing);
    let code = tokio::select! {
        end = reading => match end {
            Ok(code) => code,
            Err(_) => return false,
        },
        end = &mut writing => return end.is_ok(),
    };
    let close = reply(queue, Outgoing::Close(code, None));
    let (_, end) = tokio::join!(close, writing);
    end.is_ok()
}
