//! An exchange with a backend: one future that polls both directions.

use std::task::{Context, Poll};

use tokio::time::Instant;

use super::decision::{EditResponse, Timeouts};
use super::pump::{Direction, Side};
use super::replay::Replay;
use super::{Downstream, Upstream};
use crate::message::framing::BodyLength;
use crate::message::{Known, RequestHead, ResponseHead, hop, policy};
use crate::reason::{Failure, Reason};

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client has got nothing.
    Waiting,
    /// The head of the response is on its way.
    Responding,
    /// The protocol was changed.
    Tunnel,
}

/// What is to be forwarded, and where it stands.
pub struct Forwarding<'a, D, U> {
    downstream: &'a mut D,
    upstream: &'a mut U,
    request: &'a RequestHead,
    replay: &'a mut Replay,
    edits: Option<&'a dyn EditResponse>,
    timeouts: Timeouts,
    body_timeout: std::time::Duration,
    /// When the whole has to be over.
    ends: Option<Instant>,
    phase: Phase,
    upload: Direction,
    download: Direction,
    status: u16,
}

/// How a forwarded exchange went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The status of the response that the client got; 0 if none.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the response's body.
    pub sent: u64,
}

impl<'a, D: Downstream, U: Upstream> Forwarding<'a, D, U> {
    /// Queues the request. `started` is when the exchange began; `body_timeout` is for the pieces of the request's body.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is another thing, and this is called in one place"
    )]
    pub fn new(
        downstream: &'a mut D,
        upstream: &'a mut U,
        request: &'a RequestHead,
        length: BodyLength,
        replay: &'a mut Replay,
        edits: Option<&'a dyn EditResponse>,
        timeouts: Timeouts,
        body_timeout: std::time::Duration,
        started: Instant,
    ) -> Self {
        upstream.send_head(request, length);
        Self {
            downstream,
            upstream,
            request,
            replay,
            edits,
            timeouts,
            body_timeout,
            ends: timeouts
                .request
                .and_then(|limit| started.checked_add(limit)),
            phase: Phase::Waiting,
            upload: Direction::new(),
            download: Direction::new(),
            status: 0,
        }
    }

    /// Whether the client has got nothing yet, so that another answer can be made.
    pub fn is_unanswered(&self) -> bool {
        self.phase == Phase::Waiting
    }

    /// What was moved so far.
    pub fn moved(&self) -> Moved {
        Moved {
            status: self.status,
            received: self.upload.bytes(),
            sent: self.download.bytes(),
        }
    }

    /// Drives it to its end: the response is complete, or both directions of a tunnel are.
    ///
    /// # Errors
    /// Why it failed. The client has got nothing if [`is_unanswered`](Self::is_unanswered), else a part.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut moved = false;
        let before = self.phase;
        self.poll_upload(cx, &mut moved)?;
        if self.phase == Phase::Waiting {
            self.poll_head(cx)?;
            if self.phase == Phase::Tunnel {
                self.poll_upload(cx, &mut moved)?;
            }
        }
        if self.phase != Phase::Waiting && self.poll_download(cx, &mut moved)? {
            return Poll::Ready(Ok(()));
        }
        self.poll_deadline(cx, moved || self.phase != before)
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), Failure> {
        if self.upload.is_done() {
            return Ok(());
        }
        let mut body = self.replay.of(self.downstream);
        match self.upload.poll(cx, &mut body, self.upstream, moved) {
            Poll::Ready(Err((Side::Source, failure))) => Err(failure),
            // It may have answered before it closed: 413 in the middle of an upload.
            Poll::Ready(Err((Side::Sink, _))) => {
                self.upload.give_up();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes heads from the backend up to that of the response.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while self.phase == Phase::Waiting {
            match self.upstream.poll_head(cx) {
                Poll::Ready(head) => self.take_head(head?)?,
                Poll::Pending => {
                    if self.downstream.poll_closed(cx).is_ready() {
                        let detail = "the client closed while the backend was waited for";
                        return Err(Failure::new(Reason::ClientClosed, detail));
                    }
                    // What was said in between, 100 and 103.
                    let _ = self.downstream.poll_flush(cx)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn take_head(&mut self, mut head: ResponseHead) -> Result<(), Failure> {
        policy::check_response(&head, self.request)?;
        hop::strip_response(&mut head);
        if head.status() < 200 && head.status() != 101 {
            self.downstream.send_informational(&head);
            return Ok(());
        }
        if let Some(edits) = self.edits {
            edits.edit(&mut head);
        }
        self.status = head.status();
        self.phase = Phase::Responding;
        let accepted = self.request.method() == "CONNECT" && (200..300).contains(&head.status());
        if accepted {
            // They say nothing there, and must not be sent (RFC 9110, 8.6).
            head.headers_mut().remove_known(Known::ContentLength);
        }
        self.downstream
            .send_head(&head, self.upstream.body_length());
        if accepted || head.status() == 101 {
            self.phase = Phase::Tunnel;
            self.upload = Direction::new();
            self.downstream.start_tunnel();
            self.upstream.start_tunnel();
        }
        Ok(())
    }

    /// True when the exchange is complete.
    fn poll_download(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<bool, Failure> {
        if !self.download.is_done() {
            match self
                .download
                .poll(cx, self.upstream, self.downstream, moved)
            {
                Poll::Ready(Err((_, failure))) => return Err(failure),
                Poll::Ready(Ok(())) => {}
                Poll::Pending => return Ok(false),
            }
        }
        Ok(self.phase == Phase::Responding || self.upload.is_done())
    }

    /// Nothing more can be done now: waits, for as long as there is patience.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, moved: bool) -> Poll<Result<(), Failure>> {
        let (patience, reason) = match self.phase {
            Phase::Waiting if !self.upload.is_done() => match self.upload.waits_for() {
                Side::Source => (Some(self.body_timeout), Reason::BodyTimeout),
                Side::Sink => (self.timeouts.response, Reason::BackendTimeout),
            },
            Phase::Waiting => (self.timeouts.response, Reason::BackendTimeout),
            Phase::Responding => match self.download.waits_for() {
                Side::Source => (self.timeouts.idle, Reason::IdleTimeout),
                Side::Sink => (self.timeouts.idle, Reason::ClientTimeout),
            },
            Phase::Tunnel => (self.timeouts.tunnel_idle, Reason::IdleTimeout),
        };
        let deadline = self.downstream.deadline();
        if moved || !deadline.is_set() {
            deadline.set(patience);
            if let Some(ends) = self.ends.filter(|_| self.phase != Phase::Tunnel) {
                deadline.set_at(deadline.at().map_or(ends, |at| at.min(ends)));
            }
        }
        if deadline.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let over =
            self.phase != Phase::Tunnel && self.ends.is_some_and(|ends| Instant::now() >= ends);
        let reason = if over { Reason::BackendTimeout } else { reason };
        Poll::Ready(Err(Failure::new(
            reason,
            reason.meaning().trim_end_matches('.'),
        )))
    }
}
