//! The end of a connection that takes requests: towards a client.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::Limits;
use super::encode::{self, Persistence, Writer};
use super::parse::{self, HeadScan};
use super::wire::{BodyError, Reader, Wire};
use crate::buffer::Chunk;
use crate::deadline::Deadline;
use crate::exchange::{BodySink, BodySource, Downstream};
use crate::message::framing::{self, BodyLength, Framing};
use crate::message::{Headers, Known, RequestHead, ResponseHead, Version};
use crate::reason::{Failure, Reason};
use crate::transport::Transport;

/// What of an unread request body is read and dropped so that the connection can be kept.
const DRAINED: u64 = 64 * 1024;

/// A connection from a client: requests one after the other, answered in their order.
pub struct ServerConnection {
    wire: Wire,
    limits: Rc<Limits>,
    scan: HeadScan,
    deadline: Deadline,
    state: State,
    version: Version,
    keep_alive: bool,
    /// The client waits for a 100 before it sends the body.
    expects_continue: bool,
    /// Bytes of the request's body so far.
    received: u64,
    tunnel: bool,
    aborted: bool,
    /// Requests so far.
    requests: u64,
}

/// Where the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between requests. True: an empty line was skipped already.
    Between(bool),
    /// A head has begun.
    Head,
    /// An exchange goes on.
    Exchange,
    /// Left over of a request's body is read and dropped; so many bytes at most.
    Drain(u64),
    /// The last response is written, and what still comes is dropped.
    Linger,
}

/// What becomes of a connection after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Another request may come.
    Next,
    /// It is done with, and may be dropped.
    Closed,
}

impl ServerConnection {
    /// HTTP/1 over `transport`.
    pub fn new(transport: Transport, limits: Rc<Limits>) -> Self {
        Self {
            wire: Wire::new(transport),
            limits,
            scan: HeadScan::default(),
            deadline: Deadline::new(),
            state: State::Between(false),
            version: Version::Http11,
            keep_alive: true,
            expects_continue: false,
            received: 0,
            tunnel: false,
            aborted: false,
            requests: 0,
        }
    }

    /// What carries it.
    pub fn transport(&self) -> &Transport {
        &self.wire.transport
    }

    /// The response to come is the last on this connection: a drain, a limit of age.
    pub fn close_after_response(&mut self) {
        self.keep_alive = false;
    }

    /// Whether no request is under way, so that the connection may be closed at any time.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Between(_)) && self.wire.input.is_empty()
    }

    /// The next request and what is known of its body's length. None: the client will send no other, or was silent for too long.
    ///
    /// # Errors
    /// What is to be answered: send that response, then [`poll_finish`](Self::poll_finish), which closes.
    pub fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<(RequestHead, BodyLength)>, Failure>> {
        if !self.deadline.is_set() {
            let first = self.requests == 0 || !self.wire.input.is_empty();
            let timeout = if first {
                self.limits.head_timeout
            } else {
                self.limits.idle_timeout
            };
            self.deadline.set(Some(timeout));
        }
        loop {
            if let Some(length) = self.find_head().map_err(|failure| self.refuse(failure))? {
                let parsed = self
                    .take_head(length)
                    .map_err(|failure| self.refuse(failure))?;
                return Poll::Ready(Ok(Some(parsed)));
            }
            match self.wire.poll_fill(cx) {
                Poll::Ready(Ok(count)) if count > 0 => {}
                // An end within a head is nobody's answer to wait for.
                Poll::Ready(_) => return Poll::Ready(Ok(None)),
                Poll::Pending => {
                    ready!(self.deadline.poll(cx));
                    if !matches!(self.state, State::Head) {
                        return Poll::Ready(Ok(None));
                    }
                    let failure =
                        Failure::new(Reason::HeadTimeout, "the head is not complete in time");
                    return Poll::Ready(Err(self.refuse(failure)));
                }
            }
        }
    }

    /// After this no request is taken from the connection: where it would begin is not known for sure.
    fn refuse(&mut self, failure: Failure) -> Failure {
        self.keep_alive = false;
        self.deadline.clear();
        if !matches!(self.state, State::Exchange) {
            self.state = State::Exchange;
            self.requests += 1;
        }
        failure
    }

    /// The length of the next head, once it is complete.
    fn find_head(&mut self) -> Result<Option<usize>, Failure> {
        if let State::Between(skipped) = self.state {
            // Some clients of old end a body with an empty line that is not part of it (RFC 9112, 2.2).
            match self.wire.input.bytes() {
                [] | [b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] if !skipped => {
                    self.wire.input.advance(2);
                    self.state = State::Between(true);
                    return self.find_head();
                }
                [first, ..] if !crate::message::is_token(&[*first]) => {
                    let detail = "the first byte is none of a request";
                    return Err(Failure::new(Reason::MalformedRequest, detail));
                }
                _ => {}
            }
            self.deadline.set(Some(self.limits.head_timeout));
            self.state = State::Head;
        }
        let bytes = self.wire.input.bytes();
        match self.scan.find(bytes) {
            Err(detail) => Err(Failure::new(Reason::MalformedRequest, detail)),
            Ok(Some(length)) if length <= self.limits.head_bytes => Ok(Some(length)),
            Ok(None) if bytes.len() < self.limits.head_bytes => Ok(None),
            Ok(_) if !bytes.contains(&b'\n') => Err(Failure::new(
                Reason::TargetTooLong,
                "the first line is larger than a head may be",
            )),
            Ok(_) => Err(Failure::new(
                Reason::HeadTooLarge,
                "the head is larger than the limit",
            )),
        }
    }

    fn take_head(&mut self, length: usize) -> Result<(RequestHead, BodyLength), Failure> {
        let head = parse::request(&self.wire.input.bytes()[..length], &self.limits)?;
        self.wire.input.advance(length);
        self.wire.input.release_if_empty();
        self.deadline.clear();
        self.state = State::Exchange;
        self.requests += 1;
        self.version = head.version();
        let framing = framing::of_request(&head)?;
        if let (Framing::Length(length), Some(limit)) = (framing, self.limits.body_bytes)
            && length > limit
        {
            return Err(Failure::new(
                Reason::BodyTooLarge,
                "Content-Length is above the limit",
            ));
        }
        let asked = |option| head.headers().has_element(Known::Connection, option);
        self.keep_alive &= match head.version() {
            Version::Http10 => asked("keep-alive") && !asked("close"),
            _ => !asked("close"),
        };
        self.wire.reader = framing.into();
        self.received = 0;
        self.expects_continue = head.version() == Version::Http11
            && head.headers().known(Known::Expect).is_some()
            && !matches!(self.wire.reader, Reader::Done)
            && self.wire.input.is_empty();
        Ok((head, framing.into()))
    }

    /// Ends an exchange: writes what is queued, then makes ready for the next request, or closes so that the client can
    /// read the last response (RFC 9112, 9.6).
    pub fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<After> {
        if self.aborted {
            // What came of it may help the client; it is not waited for.
            let _ = self.wire.poll_flush(cx);
            return Poll::Ready(After::Closed);
        }
        if matches!(self.state, State::Exchange) {
            if !self.deadline.is_set() && !self.wire.output.is_empty() {
                self.deadline.set(Some(self.limits.body_timeout));
            }
            match self.wire.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(After::Closed),
                Poll::Pending => {
                    ready!(self.deadline.poll(cx));
                    return Poll::Ready(After::Closed);
                }
            }
            self.deadline.clear();
            self.state = State::Drain(DRAINED);
        }
        if let State::Drain(left) = self.state {
            if self.wire.ended || self.tunnel || self.wire.writer != Writer::Done {
                return Poll::Ready(After::Closed);
            }
            if self.keep_alive && ready!(self.poll_drain(cx, left)) {
                self.state = State::Between(false);
                self.deadline.clear();
                return Poll::Ready(After::Next);
            }
            self.wire.close_after_flush();
            self.deadline.set(Some(self.limits.linger_timeout));
            self.state = State::Linger;
        }
        self.poll_linger(cx)
    }

    /// Reads what is left of the request's body. True: nothing is.
    fn poll_drain(&mut self, cx: &mut Context<'_>, mut left: u64) -> Poll<bool> {
        if matches!(self.wire.reader, Reader::Done) {
            return Poll::Ready(true);
        }
        // Whether the body comes at all is not known.
        if self.expects_continue
            || matches!(self.wire.reader, Reader::Length(length) if length > left)
        {
            return Poll::Ready(false);
        }
        if !self.deadline.is_set() {
            self.deadline.set(Some(self.limits.linger_timeout));
        }
        loop {
            match self.wire.poll_chunk(cx, &self.limits) {
                Poll::Ready(Ok(None)) => return Poll::Ready(true),
                Poll::Ready(Ok(Some(chunk))) if chunk.len() as u64 <= left => {
                    left -= chunk.len() as u64;
                    self.state = State::Drain(left);
                }
                Poll::Ready(_) => return Poll::Ready(false),
                Poll::Pending => {
                    ready!(self.deadline.poll(cx));
                    return Poll::Ready(false);
                }
            }
        }
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<After> {
        let closed = match self.wire.poll_flush(cx) {
            Poll::Ready(Ok(())) => loop {
                self.wire.input = crate::buffer::Buffer::new();
                match self.wire.poll_fill(cx) {
                    Poll::Ready(Ok(count)) if count > 0 => {}
                    Poll::Ready(_) => break true,
                    Poll::Pending => break false,
                }
            },
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if !closed {
            ready!(self.deadline.poll(cx));
        }
        Poll::Ready(After::Closed)
    }
}

impl Downstream for ServerConnection {
    fn send_informational(&mut self, head: &ResponseHead) {
        if self.version == Version::Http10 || head.status() == 100 && !self.expects_continue {
            return;
        }
        if head.status() == 100 {
            self.expects_continue = false;
        }
        let write = |into: &mut Vec<u8>| {
            encode::response(
                into,
                head,
                BodyLength::None,
                Version::Http11,
                Persistence::Silent,
            )
        };
        self.wire.put_with(write);
    }

    fn send_head(&mut self, head: &ResponseHead, length: BodyLength) {
        let until_close = self.version == Version::Http10 && length == BodyLength::Unknown;
        self.keep_alive &= !until_close && !self.expects_continue;
        let persistence = match self.version {
            _ if head.status() == 101 => Persistence::Silent,
            Version::Http10 if self.keep_alive => Persistence::Keep,
            Version::Http10 => Persistence::Silent,
            _ if self.keep_alive => Persistence::Silent,
            _ => Persistence::Close,
        };
        let version = self.version;
        self.wire.writer = self
            .wire
            .put_with(|into| encode::response(into, head, length, version, persistence));
    }

    fn start_tunnel(&mut self) {
        self.tunnel = true;
        self.keep_alive = false;
        self.wire.start_tunnel();
    }

    fn deadline(&mut self) -> &mut Deadline {
        &mut self.deadline
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // While a body is read, or a further request waits, the end of the connection shows there.
        if !matches!(self.wire.reader, Reader::Done) || !self.wire.input.is_empty() {
            return Poll::Pending;
        }
        if self.wire.ended {
            return Poll::Ready(());
        }
        match ready!(self.wire.poll_fill(cx)) {
            Ok(count) if count > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    fn distrust(&mut self) {
        self.keep_alive = false;
    }

    fn abort(&mut self) {
        self.aborted = true;
        self.keep_alive = false;
        // A body that lasts until the end of the connection would look complete after an ordinary end.
        if self.wire.writer == Writer::Raw {
            self.wire.transport.reset_on_close();
        }
    }
}

impl BodySource for ServerConnection {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        let failure = |error| match error {
            BodyError::Io(error) => Failure::new(
                Reason::ClientClosed,
                format!("read from the client: {error}"),
            ),
            BodyError::Ended => Failure::new(
                Reason::ClientClosed,
                "the client closed within the request's body",
            ),
            BodyError::Malformed(what) => Failure::new(Reason::MalformedBody, what),
        };
        let chunk = ready!(self.wire.poll_chunk(cx, &self.limits));
        if let Ok(Some(chunk)) = &chunk {
            self.expects_continue = false;
            self.received += chunk.len() as u64;
            if !self.tunnel
                && self
                    .limits
                    .body_bytes
                    .is_some_and(|limit| self.received > limit)
            {
                self.keep_alive = false;
                let detail = "the body is above the limit";
                return Poll::Ready(Err(Failure::new(Reason::BodyTooLarge, detail)));
            }
        }
        self.keep_alive &= chunk.is_ok();
        Poll::Ready(chunk.map_err(failure))
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.wire.trailers.take()
    }
}

impl BodySink for ServerConnection {
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
        if !self.wire.send_end(trailers.as_ref()) {
            self.abort();
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.wire
            .poll_flush(cx)
            .map_err(|error| write_error(&error))
    }
}

fn write_error(error: &io::Error) -> Failure {
    Failure::new(
        Reason::ClientClosed,
        format!("write to the client: {error}"),
    )
}

impl std::fmt::Debug for ServerConnection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServerConnection")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
