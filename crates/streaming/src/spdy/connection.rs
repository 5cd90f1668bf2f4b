//! A connection: the task that drives it, and the ends of its streams.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::frame::{self, ResetStatus};
use super::streams::{NoStream, Streams};
use super::{Decoder, Event, Headers, SpdyStream, headers};
use crate::outgoing::{self, Outgoing, Queue, Sink};
use crate::stream::Framing;
use crate::websocket::{self, Role};
use crate::{StreamReader, StreamWriter};

/// So many streams wait to be taken.
const BACKLOG: usize = 8;

/// What carries the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The connection itself.
    Plain,
    /// The binary messages of a WebSocket, in no relation to the frames.
    WebSocket,
}

/// A connection whose streams the other side opens.
#[derive(Debug)]
pub struct Connection {
    opened: mpsc::Receiver<Opened>,
    queue: Queue,
}

/// A stream.
#[derive(Debug)]
pub struct Opened {
    /// What it is for.
    pub headers: Headers,
    /// What the other side sends.
    pub reader: StreamReader,
    /// What goes to it. Dropped before it is shut down, it cuts the stream off.
    pub writer: StreamWriter,
}

/// A connection whose streams we open. Ends with its last clone and the last of its streams.
#[derive(Clone, Debug)]
pub struct Opener {
    queue: Queue,
    streams: Arc<Streams>,
    block: Arc<std::sync::Mutex<headers::Writer>>,
}

impl Connection {
    /// Serves a client, in a task of its own.
    pub fn serve<C>(connection: C, transport: Transport) -> Self
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (queue, outgoing) = outgoing::queue();
        let (sender, opened) = mpsc::channel(BACKLOG);
        let half = Half {
            role: Role::Server,
            streams: Arc::default(),
            queue: queue.downgrade(),
            opened: Some(sender),
            block: headers::Writer::default(),
        };
        tokio::spawn(half.drive(connection, transport, outgoing));
        Self { opened, queue }
    }

    /// The next stream that the client opens; `None` once it is gone.
    pub async fn accept(&mut self) -> Option<Opened> {
        self.opened.recv().await
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Opener {
    /// Speaks to a server, by a task of its own.
    pub fn connect<C>(connection: C, transport: Transport) -> Self
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (queue, outgoing) = outgoing::queue();
        let streams = Arc::new(Streams::default());
        let half = Half {
            role: Role::Client,
            streams: Arc::clone(&streams),
            queue: queue.downgrade(),
            opened: None,
            block: headers::Writer::default(),
        };
        tokio::spawn(half.drive(connection, transport, outgoing));
        Self {
            queue,
            streams,
            block: Arc::default(),
        }
    }

    /// Opens a stream; with `fin` one that we send nothing on. Does not wait for the server to accept it: one that it
    /// refuses is cut off.
    ///
    /// # Errors
    ///
    /// The connection is gone (`BrokenPipe`), or has no room for another stream (`QuotaExceeded`).
    pub async fn open(&self, headers: &[(&str, &str)], fin: bool) -> io::Result<Opened> {
        let broken = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        let permit = self.queue.reserve().await.map_err(broken)?;
        let mut block = self
            .block
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let stream = self
            .streams
            .open()
            .map_err(|_| io::Error::from(io::ErrorKind::QuotaExceeded))?;
        let packet = frame::syn_stream(stream.id(), &mut block, headers, fin);
        permit.send(Outgoing::Packet(packet));
        drop(block);
        let opened = Opened::new(
            &self.queue,
            &self.streams,
            &stream,
            Headers::default(),
            true,
        );
        if fin {
            // It says so already.
            let _ = stream.end();
        }
        Ok(opened)
    }

    /// Returns when the server is gone.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }
}

impl Opened {
    fn new(
        queue: &Queue,
        streams: &Streams,
        stream: &Arc<SpdyStream>,
        headers: Headers,
        readable: bool,
    ) -> Self {
        let (inbox, reader) = StreamReader::new(queue.clone(), Some(Arc::clone(stream)));
        streams.insert(Arc::clone(stream), readable.then_some(inbox));
        let framing = Framing::Spdy {
            stream: Arc::clone(stream),
            reset_on_drop: true,
        };
        Self {
            headers,
            reader,
            writer: StreamWriter::new(queue.clone(), framing),
        }
    }
}

/// What drives one end of a connection.
struct Half {
    role: Role,
    streams: Arc<Streams>,
    queue: mpsc::WeakSender<Outgoing>,
    /// Where streams that the other side opens go; `None` where it may not.
    opened: Option<mpsc::Sender<Opened>>,
    block: headers::Writer,
}

impl Half {
    async fn drive<C>(
        mut self,
        connection: C,
        transport: Transport,
        outgoing: mpsc::Receiver<Outgoing>,
    ) where
        C: AsyncRead + AsyncWrite,
    {
        let (reader, writer) = tokio::io::split(connection);
        let mut source = Source {
            io: reader,
            tunnel: match transport {
                Transport::Plain => None,
                Transport::WebSocket => Some(websocket::Decoder::new(self.role)),
            },
        };
        let sink = match transport {
            Transport::Plain => Sink::Plain(writer),
            Transport::WebSocket => Sink::WebSocket(writer, self.role),
        };
        let queue = self.queue.clone();
        let streams = Arc::clone(&self.streams);
        let reading = async {
            let end = self.receive(&mut source).await;
            // No more can come, which readers may learn at once.
            streams.clear();
            end
        };
        let in_order = outgoing::both(reading, sink.run(outgoing), &queue).await;
        streams.clear();
        drop(self);
        if in_order {
            outgoing::linger(&mut source.io).await;
        }
    }

    /// Reads frames until the connection ends, and returns the code to close it with; an error where it is gone.
    async fn receive<R: AsyncRead + Unpin>(&mut self, source: &mut Source<R>) -> io::Result<u16> {
        let mut decoder = Decoder::default();
        loop {
            match decoder.event() {
                Ok(Some(event)) => {
                    if !self.handle(event).await {
                        return Ok(websocket::PROTOCOL_ERROR);
                    }
                }
                Ok(None) => {
                    if let Some(code) = source.fill(decoder.buffer(), &self.queue).await? {
                        return Ok(code);
                    }
                }
                Err(_) => return Ok(websocket::PROTOCOL_ERROR),
            }
        }
    }

    /// Says whether the other side keeps to the protocol.
    async fn handle(&mut self, event: Event) -> bool {
        match event {
            Event::SynStream {
                stream,
                fin,
                headers,
            } => return self.accept(stream, fin, headers).await,
            Event::Data { stream, part, fin } => {
                self.deliver(stream, part.freeze()).await;
                if fin {
                    self.streams.end(stream);
                }
            }
            Event::Reset(stream) => self.streams.reset(stream),
            // Clients count their pings in odd numbers, servers in even ones. We send none.
            Event::Ping(id) if (id % 2 == 1) == (self.role == Role::Server) => {
                self.reply(frame::ping(id)).await;
            }
            Event::Ping(_) => {}
        }
        true
    }

    async fn accept(&mut self, id: u32, fin: bool, headers: Headers) -> bool {
        let stream = match (&self.opened, self.streams.accept(id)) {
            (Some(_), Ok(stream)) => stream,
            (_, Err(NoStream::Invalid)) => return false,
            (None, _) | (_, Err(NoStream::Refused)) => {
                self.reply(frame::rst_stream(id, ResetStatus::Refused))
                    .await;
                return true;
            }
        };
        let packet = frame::syn_reply(id, &mut self.block);
        self.reply(packet).await;
        if let (Some(queue), Some(opened)) = (self.queue.upgrade(), &self.opened) {
            let stream = Opened::new(&queue, &self.streams, &stream, headers, !fin);
            // Where nobody takes streams any more it is dropped, which cuts it off.
            let _ = opened.send(stream).await;
        }
        true
    }

    async fn deliver(&self, stream: u32, part: Bytes) {
        if part.is_empty() {
            return;
        }
        // What comes on streams that are closed was on its way when they were.
        let Some(inbox) = self.streams.inbox(stream) else {
            return;
        };
        if inbox.send(part).await.is_err()
            && let Some(packet) = self.streams.unread(stream)
        {
            self.reply(packet).await;
        }
    }

    async fn reply(&self, packet: outgoing::Packet) {
        outgoing::reply(&self.queue, Outgoing::Packet(packet)).await;
    }
}

/// The reading half of a connection.
struct Source<R> {
    io: R,
    tunnel: Option<websocket::Decoder>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// Reads more into a buffer; the code to close the connection with where no more can come.
    async fn fill(
        &mut self,
        buffer: &mut BytesMut,
        queue: &mpsc::WeakSender<Outgoing>,
    ) -> io::Result<Option<u16>> {
        let Some(tunnel) = &mut self.tunnel else {
            outgoing::fill(&mut self.io, buffer).await?;
            return Ok(None);
        };
        loop {
            match tunnel.event() {
                Ok(Some(websocket::Event::Data { part, .. })) if part.is_empty() => {}
                Ok(Some(websocket::Event::Data { part, .. })) => {
                    buffer.unsplit(part);
                    return Ok(None);
                }
                Ok(Some(websocket::Event::Ping(payload))) => {
                    outgoing::reply(queue, Outgoing::Pong(payload.freeze())).await;
                }
                Ok(Some(websocket::Event::Close(_))) => return Ok(Some(websocket::NORMAL_CLOSURE)),
                Ok(None) => outgoing::fill(&mut self.io, tunnel.buffer()).await?,
                Err(_) => return Ok(Some(websocket::PROTOCOL_ERROR)),
            }
        }
    }
}
