//! The end of a connection that sends requests: towards a backend.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Limits;
use super::encode::{self, Writer};
use super::parse::{self, HeadScan};
use super::wire::{BodyError, Reader, Wire};
use crate::buffer::Chunk;
use crate::exchange::{BodySink, BodySource, Upstream};
use crate::message::framing::{self, BodyLength, Framing};
use crate::message::{Headers, Known, RequestHead, ResponseHead, Version};
use crate::reason::{Failure, Reason};
use crate::transport::Transport;

/// A backend that answers with interim responses without end gets no further.
const INTERIM_RESPONSES: u32 = 32;

/// A connection to a backend, used for one exchange after the other.
pub struct ClientConnection {
    wire: Wire,
    limits: Rc<Limits>,
    scan: HeadScan,
    /// What matters of the method for the response's framing.
    method: &'static str,
    framing: Framing,
    interim: u32,
    /// A byte of the response has come.
    answered: bool,
    keep_alive: bool,
    keep_alive_timeout: Option<Duration>,
    tunnel: bool,
}

impl ClientConnection {
    /// HTTP/1 over `transport`. `limits` are for heads of responses.
    pub fn new(transport: Transport, limits: Rc<Limits>) -> Self {
        Self {
            wire: Wire::new(transport),
            limits,
            scan: HeadScan::default(),
            method: "",
            framing: Framing::None,
            interim: 0,
            answered: false,
            keep_alive: true,
            keep_alive_timeout: None,
            tunnel: false,
        }
    }

    /// Queues bytes in front of the first request: a header of the PROXY protocol.
    pub fn begin_with(&mut self, bytes: &[u8]) {
        self.wire.output.put(bytes);
    }

    /// Whether another request may be sent: both messages are complete, the backend keeps the connection, and has not
    /// said anything more.
    pub fn is_reusable(&self) -> bool {
        self.keep_alive && !self.tunnel && self.wire.is_quiet() && self.wire.input.is_empty()
    }

    /// How long the backend said that it keeps an idle connection: `Keep-Alive: timeout=N`.
    pub fn keep_alive_timeout(&self) -> Option<Duration> {
        self.keep_alive_timeout
    }

    /// Ready when the connection, not in use, is no longer fit for use.
    pub fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wire.transport.poll_idle(cx)
    }

    fn read_error(&self, error: &io::Error) -> Failure {
        if self.answered {
            return Failure::new(
                Reason::TruncatedResponse,
                format!("read from the backend: {error}"),
            );
        }
        Failure::new(
            Reason::BackendClosed,
            format!("read from the backend: {error}"),
        )
    }

    fn ended(&self) -> Failure {
        if self.answered {
            return Failure::new(
                Reason::TruncatedResponse,
                "the response ends within its head",
            );
        }
        Failure::new(
            Reason::BackendClosed,
            "closed before any byte of a response",
        )
    }

    fn take_head(&mut self, length: usize) -> Result<ResponseHead, Failure> {
        let head = parse::response(&self.wire.input.bytes()[..length])?;
        self.wire.input.advance(length);
        self.wire.input.release_if_empty();
        if head.status() < 200 && head.status() != 101 {
            self.interim += 1;
            if self.interim > INTERIM_RESPONSES {
                return Err(Failure::new(
                    Reason::MalformedResponse,
                    "too many interim responses",
                ));
            }
            // Also for its framing: one with a body would be read in two ways.
            framing::of_response(&head, self.method)?;
            return Ok(head);
        }
        self.framing = framing::of_response(&head, self.method)?;
        self.wire.reader = self.framing.into();
        let asked = |option| head.headers().has_element(Known::Connection, option);
        self.keep_alive &= match head.version() {
            Version::Http10 => asked("keep-alive"),
            _ => !asked("close"),
        };
        self.keep_alive &= self.framing != Framing::UntilClose;
        self.keep_alive_timeout = keep_alive_timeout(head.headers());
        Ok(head)
    }
}

/// `Keep-Alive: timeout=5, max=100`.
fn keep_alive_timeout(headers: &Headers) -> Option<Duration> {
    let seconds = headers.elements(Known::KeepAlive).find_map(|element| {
        let text = std::str::from_utf8(element).ok()?;
        let (name, value) = text.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("timeout")
            .then(|| value.trim().parse().ok())?
    })?;
    Some(Duration::from_secs(u64::from(u32::min(seconds, 86_400))))
}

impl Upstream for ClientConnection {
    fn send_head(&mut self, head: &RequestHead, length: BodyLength) {
        self.method = match head.method() {
            "HEAD" => "HEAD",
            "CONNECT" => "CONNECT",
            _ => "",
        };
        (self.interim, self.answered) = (0, false);
        self.wire.writer = self
            .wire
            .put_with(|into| encode::request(into, head, length));
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Failure>> {
        loop {
            let malformed = |detail| Failure::new(Reason::MalformedResponse, detail);
            let bytes = self.wire.input.bytes();
            self.answered |= !bytes.is_empty();
            // Not text that happens to come from something that is no HTTP server.
            if !b"HTTP/1.".starts_with(&bytes[..bytes.len().min(7)]) {
                return Poll::Ready(Err(malformed("the response does not begin with HTTP/1")));
            }
            match self.scan.find(bytes) {
                Ok(Some(length)) if length <= self.limits.head_bytes => {
                    return Poll::Ready(self.take_head(length));
                }
                Ok(None) if bytes.len() < self.limits.head_bytes => {}
                Ok(_) => {
                    let detail = "the head is larger than the limit";
                    return Poll::Ready(Err(Failure::new(Reason::ResponseHeadTooLarge, detail)));
                }
                Err(detail) => return Poll::Ready(Err(malformed(detail))),
            }
            if self.wire.ended {
                return Poll::Ready(Err(self.ended()));
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) => return Poll::Ready(Err(self.ended())),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(self.read_error(&error))),
            }
        }
    }

    fn body_length(&self) -> BodyLength {
        self.framing.into()
    }

    fn start_tunnel(&mut self) {
        self.tunnel = true;
        self.wire.start_tunnel();
    }
}

impl BodySource for ClientConnection {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        let failure = |error| match error {
            BodyError::Io(error) => Failure::new(
                Reason::TruncatedResponse,
                format!("read from the backend: {error}"),
            ),
            BodyError::Ended => Failure::new(
                Reason::TruncatedResponse,
                "the response ends within its body",
            ),
            BodyError::Malformed(what) => Failure::new(Reason::MalformedResponse, what),
        };
        self.wire.poll_chunk(cx, &self.limits).map_err(failure)
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.wire.trailers.take()
    }
}

impl BodySink for ClientConnection {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.wire
            .poll_ready(cx)
            .map_err(|error| write_error(&error))
    }

    fn send_chunk(&mut self, chunk: Chunk) {
        self.wire.send_chunk(chunk);
    }

    fn send_end(&mut self, trailers: Option<Headers>) {
        if self.tunnel {
            self.wire.close_after_flush();
        }
        self.keep_alive &= self.wire.send_end(trailers.as_ref());
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.wire
            .poll_flush(cx)
            .map_err(|error| write_error(&error))
    }
}

fn write_error(error: &io::Error) -> Failure {
    Failure::new(
        Reason::BackendClosed,
        format!("write to the backend: {error}"),
    )
}

impl std::fmt::Debug for ClientConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let idle = matches!(self.wire.reader, Reader::Done) && self.wire.writer == Writer::Done;
        formatter
            .debug_struct("ClientConnection")
            .field("idle", &idle)
            .finish_non_exhaustive()
    }
}
