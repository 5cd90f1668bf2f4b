//! Exec and attach, served.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use manifest::meta::status::Status;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;

use super::SessionError;
use super::upgrade::{Offer, negotiate};
use crate::channels::{self, ERROR, Inboxes, RESIZE, STDERR, STDIN, STDOUT};
use crate::outgoing::{self, Outgoing, Packet, Queue};
use crate::spdy::{Connection, Opened, SpdyStream, Transport};
use crate::stream::Framing;
use crate::websocket::{self, Role};
use crate::{Outcome, StreamReader, StreamWriter, Streams, TerminalSizes};

/// How long a client may take to open its streams, as the kubelet has it.
const STREAM_CREATION_TIMEOUT: Duration = Duration::from_secs(30);

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    transport: Transport,
    /// The outcome is told as a `Status`, not as text (since v4).
    status: bool,
    /// The terminal's size is told (over SPDY since v3).
    sizes: bool,
}

const fn version(transport: Transport, status: bool, sizes: bool) -> Version {
    Version {
        transport,
        status,
        sizes,
    }
}

const OFFER: Offer<Version> = Offer {
    websocket: &[
        (
            "v5.channel.k8s.io",
            version(Transport::WebSocket, true, true),
        ),
        (
            "v4.channel.k8s.io",
            version(Transport::WebSocket, true, true),
        ),
        ("channel.k8s.io", version(Transport::WebSocket, false, true)),
        ("", version(Transport::WebSocket, false, true)),
    ],
    spdy: &[
        ("v5.channel.k8s.io", version(Transport::Plain, true, true)),
        ("v4.channel.k8s.io", version(Transport::Plain, true, true)),
        ("v3.channel.k8s.io", version(Transport::Plain, false, true)),
        ("v2.channel.k8s.io", version(Transport::Plain, false, false)),
        ("channel.k8s.io", version(Transport::Plain, false, false)),
    ],
};

/// Answers a request for exec or attach: 101 and what becomes the session once the answer is out; or, with no
/// session, the answer that refuses it in the API server's words (400 where no upgrade was asked for, 403 where no
/// protocol is shared, 426 for a version of WebSocket that there is not). `streams` are those of
/// [`Streams::from_query`].
pub fn command<B>(
    request: &mut Request<B>,
    streams: Streams,
) -> (Response<Bytes>, Option<PendingCommand>) {
    match negotiate(request, &OFFER) {
        Ok((response, version)) => {
            let pending = PendingCommand {
                upgrade: hyper::upgrade::on(request),
                version,
                streams,
            };
            (response, Some(pending))
        }
        Err(refusal) => (*refusal, None),
    }
}

/// An accepted exec or attach, whose connection is still HTTP's.
#[derive(Debug)]
pub struct PendingCommand {
    upgrade: OnUpgrade,
    version: Version,
    streams: Streams,
}

impl PendingCommand {
    /// Waits for the connection, and for the client's streams.
    ///
    /// # Errors
    ///
    /// The client left, or did not open its streams.
    pub async fn session(self) -> Result<CommandSession, SessionError> {
        let connection = self.upgrade.await.map_err(SessionError::Upgrade)?;
        let connection = TokioIo::new(connection);
        match self.version.transport {
            Transport::WebSocket => Ok(over_websocket(connection, self.version, self.streams)),
            Transport::Plain => {
                let session = over_spdy(connection, self.version, self.streams);
                tokio::time::timeout(STREAM_CREATION_TIMEOUT, session)
                    .await
                    .unwrap_or(Err(SessionError::Streams("they did not come in time")))
            }
        }
    }
}

/// An exec or attach in progress. What was not asked for is `None`.
#[derive(Debug)]
pub struct CommandSession {
    /// What the client sends; ends when the client closes it or is gone.
    pub stdin: Option<StreamReader>,
    /// Standard output, or the terminal's.
    pub stdout: Option<StreamWriter>,
    /// Standard error.
    pub stderr: Option<StreamWriter>,
    /// The sizes of the client's terminal.
    pub sizes: Option<TerminalSizes>,
    /// The way to end it.
    pub end: CommandEnd,
}

/// Ends an exec or attach.
#[derive(Debug)]
pub struct CommandEnd {
    queue: Queue,
    /// The outcome is told as a `Status`.
    status: bool,
    error: StreamWriter,
    /// Over SPDY, the streams that end with the session.
    streams: Vec<Arc<SpdyStream>>,
    /// Our ends of streams that only the client sends on.
    _silent: Vec<StreamWriter>,
}

impl CommandEnd {
    /// Tells the client how it ended, after all that was written before, and closes the connection. Returns when it
    /// is out. What is written to the outputs from here on fails.
    ///
    /// # Errors
    ///
    /// The client is gone.
    pub async fn finish(mut self, outcome: Outcome) -> io::Result<()> {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        for stream in &self.streams {
            if let Some(end) = stream.end() {
                let end = Outgoing::Packet(end);
                self.queue.send(end).await.map_err(|_| broken())?;
            }
        }
        let told = tell(&outcome.into_status(), self.status);
        self.error.write_all(&told).await?;
        self.error.shutdown().await?;
        let (done, out) = oneshot::channel();
        let close = Outgoing::Close(websocket::NORMAL_CLOSURE, Some(done));
        self.queue.send(close).await.map_err(|_| broken())?;
        out.await.map_err(|_| broken())
    }

    /// Returns when the client is gone, however it went.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }
}

/// What goes out on the error channel. Before v4 it was a message, and none meant success.
fn tell(status: &Status, as_status: bool) -> Vec<u8> {
    if as_status {
        // A Status has only what JSON has.
        serde_json::to_vec(status).unwrap_or_default()
    } else if status.is_failure() {
        status.message.clone().into_bytes()
    } else {
        Vec::new()
    }
}

fn over_websocket<C>(connection: C, version: Version, streams: Streams) -> CommandSession
where
    C: AsyncRead + AsyncWrite + Send + 'static,
{
    let (queue, outgoing) = outgoing::queue();
    let mut inboxes = Inboxes::default();
    let mut reader = |channel| {
        let (inbox, reader) = StreamReader::new(queue.clone(), None);
        inboxes.insert(channel, inbox);
        reader
    };
    let stdin = streams.stdin.then(|| reader(STDIN));
    let sizes = streams.tty.then(|| TerminalSizes::new(reader(RESIZE)));
    let writer = |number| {
        let framing = Framing::Channel {
            number,
            closes: false,
        };
        StreamWriter::new(queue.clone(), framing)
    };
    // An empty message tells the client that the session has begun, as the kubelet does. The queue is empty, so there
    // is room for it.
    let first = match streams {
        Streams { stdout: true, .. } => STDOUT,
        Streams { stderr: true, .. } => STDERR,
        _ => ERROR,
    };
    let _ = queue.try_send(Outgoing::Packet(Packet::new(&[first], Bytes::new())));
    let session = CommandSession {
        stdin,
        stdout: streams.stdout.then(|| writer(STDOUT)),
        stderr: streams.stderr.then(|| writer(STDERR)),
        sizes,
        end: CommandEnd {
            error: writer(ERROR),
            status: version.status,
            streams: Vec::new(),
            _silent: Vec::new(),
            queue: queue.clone(),
        },
    };
    tokio::spawn(channels::drive(
        connection,
        Role::Server,
        inboxes,
        queue.downgrade(),
        outgoing,
    ));
    session
}

/// The streams that a client opens over SPDY.
#[derive(Default)]
struct Slots {
    error: Option<Opened>,
    stdin: Option<Opened>,
    stdout: Option<Opened>,
    stderr: Option<Opened>,
    resize: Option<Opened>,
}

async fn over_spdy<C>(
    connection: C,
    version: Version,
    streams: Streams,
) -> Result<CommandSession, SessionError>
where
    C: AsyncRead + AsyncWrite + Send + 'static,
{
    let sizes = streams.tty && version.sizes;
    let mut connection = Connection::serve(connection, Transport::Plain);
    let mut slots = Slots::default();
    let error = loop {
        let missing = (streams.stdin && slots.stdin.is_none())
            || (streams.stdout && slots.stdout.is_none())
            || (streams.stderr && slots.stderr.is_none())
            || (sizes && slots.resize.is_none());
        if !missing && let Some(error) = slots.error.take() {
            break error;
        }
        let opened = connection.accept().await;
        slots.fill(opened.ok_or(SessionError::Streams("the client left"))?)?;
    };
    let mut end = CommandEnd {
        queue: connection.queue().clone(),
        status: version.status,
        error: error.writer.end_on_drop(),
        streams: Vec::new(),
        _silent: Vec::new(),
    };
    let stdin = slots.stdin.map(|opened| end.reader(opened));
    let sizes = slots.resize.map(|opened| end.reader(opened));
    Ok(CommandSession {
        stdin,
        sizes: sizes.map(TerminalSizes::new),
        stdout: slots.stdout.map(|opened| end.writer(opened)),
        stderr: slots.stderr.map(|opened| end.writer(opened)),
        end,
    })
}

impl Slots {
    fn fill(&mut self, opened: Opened) -> Result<(), SessionError> {
        let slot = match opened.headers.get("streamtype") {
            Some("error") => &mut self.error,
            Some("stdin") => &mut self.stdin,
            Some("stdout") => &mut self.stdout,
            Some("stderr") => &mut self.stderr,
            Some("resize") => &mut self.resize,
            _ => return Err(SessionError::Streams("one is of no known type")),
        };
        match slot.replace(opened) {
            None => Ok(()),
            Some(_) => Err(SessionError::Streams("two are of one type")),
        }
    }
}

impl CommandEnd {
    /// A stream that only the client sends on.
    fn reader(&mut self, opened: Opened) -> StreamReader {
        self.streams.extend(opened.writer.spdy().cloned());
        self._silent.push(opened.writer.end_on_drop());
        opened.reader.end_when_reset()
    }

    /// A stream that only the server sends on.
    fn writer(&mut self, opened: Opened) -> StreamWriter {
        self.streams.extend(opened.writer.spdy().cloned());
        opened.writer.end_on_drop()
    }
}
