//! A TLS connection over a socket: the record layer of [`crate::transport::Transport`].
//!
//! Sealed and unsealed bytes are in pooled buffers while they are on their way; a connection on which nothing happens holds
//! only the TLS state. What the TLS state wants to say by itself (tickets, KeyUpdate) goes out with the next write, or when
//! a read has to wait.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::error::HandshakeError;
use super::facts::Facts;
use super::hello;
use super::session::{Driven, Session, Then};
use crate::buffer::{Buffer, Size};
use crate::transport::Socket;

#[cfg(test)]
mod tests;

/// The largest record of TLS 1.2 (RFC 5246 section 6.2.3) with its header; those of TLS 1.3 are smaller.
const LARGEST_RECORD: usize = 5 + 16_384 + 2_048;

/// Bytes that are read in any case. Certificates may be longer than a record.
const SOME: usize = 4 * 1024;

/// Sealed bytes up to which a further record may join them before they are sent: tickets, KeyUpdate, small leftovers.
const JOINED: usize = 4 * 1024;

/// Bytes of a dead connection that are read and dropped, so that the kernel delivers our alert instead of a reset.
const DRAINED: usize = 256 * 1024;

/// A TLS connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    session: Session,
    /// The beginning of a record that has not arrived as a whole.
    partial: Vec<u8>,
    /// Plaintext that did not fit into the reader's buffer.
    plain: Vec<u8>,
    /// Sealed bytes on their way out.
    out: Buffer,
    facts: Arc<Facts>,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    /// The peer said that it will send nothing more.
    peer_closed: bool,
    /// We said so.
    closed: bool,
    /// The protocol was broken; the alert is in `out`.
    failed: Option<rustls::Error>,
    /// The client's first bytes were those of an HTTP request.
    plain_http: bool,
}

/// A fatal alert `decode_error` of a connection that has no keys yet (RFC 8446 section 6).
const DECODE_ERROR: &[u8] = b"\x15\x03\x03\x00\x02\x02\x32";

/// The answer to HTTP on a TLS port. A person who left out the `s` of `https` sees it.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 53\r\nconnection: close\r\n\r\n\
    This port speaks TLS: the address begins with https.\n";

impl Stream {
    /// A connection whose handshake has yet to come. `ahead` are bytes that were already read from the socket.
    pub(super) fn new(socket: Socket, session: Session, ahead: &[u8]) -> Box<Self> {
        Box::new(Self {
            socket,
            session,
            partial: ahead.to_vec(),
            plain: Vec::new(),
            out: Buffer::new(),
            facts: Arc::default(),
            state: State::default(),
        })
    }

    /// What was agreed in the handshake.
    pub(crate) fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn set_facts(&mut self, facts: Facts) {
        self.facts = Arc::new(facts);
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Shakes hands. What a server has left to say at its end (tickets) goes out with the first bytes of the connection.
    pub(super) fn poll_handshake(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), HandshakeError>> {
        // A client speaks first; a server may have got the first bytes already.
        self.drive_partial(&Then::Read);
        loop {
            if self.state.failed.is_some() {
                return self.poll_fail(cx);
            }
            // A server waits for the end of its client's handshake, perhaps before it says anything; a client waits for no
            // tickets.
            let done = !self.session.common().is_handshaking();
            if !(done && matches!(self.session, Session::Server(_))) {
                ready!(self.poll_send(cx)).map_err(HandshakeError::Io)?;
            }
            if done {
                self.partial.shrink_to_fit();
                return Poll::Ready(Ok(()));
            }
            match ready!(self.poll_fill(cx, None)).map_err(HandshakeError::Io)? {
                0 if self.state.failed.is_none() => {
                    return Poll::Ready(Err(HandshakeError::Closed));
                }
                _ => {}
            }
        }
    }

    /// Sends the alert, and closes in such a way that the peer can read it.
    fn poll_fail(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), HandshakeError>> {
        if ready!(self.poll_send(cx)).is_ok() && ready!(self.socket.poll_shutdown(cx)).is_ok() {
            self.drain(cx);
        }
        if self.state.plain_http {
            return Poll::Ready(Err(HandshakeError::PlainHttp));
        }
        let error = self
            .state
            .failed
            .clone()
            .unwrap_or(rustls::Error::HandshakeNotComplete);
        Poll::Ready(Err(error.into()))
    }

    /// Drops what the peer has sent already: closing a socket with unread bytes resets it, and an alert on its way is lost.
    fn drain(&mut self, cx: &mut Context<'_>) {
        let mut dropped = Buffer::with_size(Size::Large);
        for _ in 0..DRAINED / Size::Large.bytes() {
            let mut space = ReadBuf::new(dropped.spare());
            match self.socket.poll_read(cx, &mut space) {
                Poll::Ready(Ok(())) if !space.filled().is_empty() => {}
                _ => return,
            }
        }
    }

    /// Drives the TLS state with what was read. Plaintext goes into `into` and, as far as it does not fit, into `plain`.
    fn drive(
        &mut self,
        records: &mut [u8],
        then: &Then<'_>,
        mut into: Option<&mut Buffer>,
    ) -> Driven {
        if self.state.failed.is_some() {
            // The library is not to be asked again.
            return Driven::default();
        }
        let first = matches!(self.session, Session::Server(_))
            && self.session.common().protocol_version().is_none();
        let http = first && hello::is_http(records);
        let plain = &mut self.plain;
        let (driven, result) = self
            .session
            .drive(records, then, &mut self.out, &mut |bytes| {
                // In order: once something is left over, all that follows it is.
                let taken = match &mut into {
                    Some(into) if plain.is_empty() => into.put(bytes),
                    _ => 0,
                };
                plain.extend_from_slice(&bytes[taken..]);
            });
        self.state.peer_closed |= driven.peer_closed;
        if let Err(error) = result {
            self.state.failed.get_or_insert(error);
            if http {
                self.state.plain_http = true;
                self.out = Buffer::copy_of(PLAIN_HTTP);
            } else if first && self.out.is_empty() {
                // The library has no alert for some of what is wrong with a first message.
                self.out = Buffer::copy_of(DECODE_ERROR);
            }
        }
        driven
    }

    /// Reads from the socket once and drives the TLS state with it. Zero: the peer closed the socket.
    fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        mut into: Option<&mut Buffer>,
    ) -> Poll<io::Result<usize>> {
        let mut records = Buffer::with_size(Size::Large);
        let partial = self.partial.len();
        records.put(&self.partial);
        // As much as the reader has room for (its plaintext is shorter than its records), at least one record, and some more of a
        // message that is longer than a record.
        let spare = records.spare();
        let wanted = into.as_mut().map_or(0, |into| into.spare().len());
        let most = wanted
            .max(LARGEST_RECORD.saturating_sub(partial))
            .max(SOME)
            .min(spare.len());
        if most == 0 {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a TLS handshake message of more than 80 KiB",
            )));
        }
        let mut space = ReadBuf::new(&mut spare[..most]);
        ready!(self.socket.poll_read(cx, &mut space))?;
        let count = space.filled().len();
        if count == 0 {
            return Poll::Ready(Ok(0));
        }
        records.filled(count);
        let driven = self.drive(records.bytes_mut(), &Then::Read, into);
        self.partial.clear();
        let rest = &records.bytes()[driven.consumed..];
        if rest.is_empty() {
            self.partial = Vec::new();
        } else {
            self.partial.reserve_exact(rest.len());
            self.partial.extend_from_slice(rest);
        }
        Poll::Ready(Ok(count))
    }

    /// Sends what is sealed.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match ready!(self.socket.poll_write(cx, self.out.bytes()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.out.advance(count),
            }
        }
        self.out.release_if_empty();
        Poll::Ready(Ok(()))
    }

    /// See [`crate::transport::Transport::poll_read`]. An end without close_notify is an error of the kind `UnexpectedEof`: whoever
    /// knows where a message ends knows whether something is missing (RFC 8446 section 6.1).
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Buffer,
        size: Size,
    ) -> Poll<io::Result<usize>> {
        let before = into.len();
        loop {
            if !self.plain.is_empty() {
                into.reserve(size);
                let count = into.put(&self.plain);
                self.plain.drain(..count);
                if self.plain.is_empty() {
                    self.plain = Vec::new();
                }
                return Poll::Ready(Ok(count));
            }
            if let Some(error) = &self.state.failed {
                let error = HandshakeError::from(error.clone());
                // The alert is sent as far as the socket takes it: the connection is over in any case.
                let _ = self.poll_send(cx);
                return Poll::Ready(Err(error.into()));
            }
            if self.state.peer_closed {
                return Poll::Ready(Ok(0));
            }
            into.reserve(size);
            if into.spare().is_empty() {
                return Poll::Ready(Ok(0));
            }
            let filled = self.poll_fill(cx, Some(into));
            let count = into.len() - before;
            into.release_if_empty();
            match filled {
                Poll::Pending => {
                    // Both wake this task: the peer's bytes, and room for what we have to say.
                    if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(_)) if count > 0 => return Poll::Ready(Ok(count)),
                Poll::Ready(Ok(0)) => {
                    let what = "the peer closed the connection without close_notify";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, what)));
                }
                Poll::Ready(Ok(_)) => {}
            }
        }
    }

    /// See [`crate::transport::Transport::poll_write_vectored`]. What is accepted is sealed, but perhaps not sent yet: [`Stream::poll_flush`] waits for
    /// that.
    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.state.closed || self.state.failed.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        if self.out.len() > JOINED {
            ready!(self.poll_send(cx))?;
        }
        let driven = self.drive_partial(&Then::Seal(slices));
        if self.state.failed.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(driven.sealed)),
        }
    }

    /// Drives the TLS state for the sake of `then`. It wants to see the unfinished record again, whose bytes it may have
    /// taken note of.
    fn drive_partial(&mut self, then: &Then<'_>) -> Driven {
        let mut records = std::mem::take(&mut self.partial);
        let driven = self.drive(&mut records, then, None);
        records.drain(..driven.consumed);
        self.partial = records;
        driven
    }

    /// Waits until all that was written is with the kernel.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        self.socket.poll_flush(cx)
    }

    /// Sends close_notify, then closes the socket for writing. Reading goes on.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.state.closed && self.state.failed.is_none() {
            self.drive_partial(&Then::Close);
            self.state.closed = true;
        }
        ready!(self.poll_send(cx))?;
        self.socket.poll_shutdown(cx)
    }

    /// Ready when a connection that is not in use has become unfit for use. Tickets and KeyUpdate do not make it so.
    pub(crate) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut nothing = Buffer::new();
        self.poll_read(cx, &mut nothing, Size::Small).map(drop)
    }
}
