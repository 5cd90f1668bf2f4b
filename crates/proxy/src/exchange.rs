//! One request and its response: the traits of the two sides, and what carries bytes between them.
//!
//! Both sides are polled, and monomorphised over the protocols: a side is one value that reads and writes, so one future
//! can drive an exchange without tasks, locks or halves. Writing is by queue: `send_*` never waits and never calls the
//! kernel; [`BodySink::poll_ready`] holds back when enough is queued; [`BodySink::poll_flush`] writes. So a head and the first bytes of its body
//! leave in one write.

pub mod answer;
pub mod decision;
pub mod forward;
pub mod pump;
pub mod replay;
pub mod run;

use std::task::{Context, Poll};

use crate::buffer::Chunk;
use crate::deadline::Deadline;
use crate::message::framing::BodyLength;
use crate::message::{Headers, RequestHead, ResponseHead};
use crate::reason::Failure;

/// Where a body comes from.
pub trait BodySource {
    /// The next piece, not empty; None at the end, and from then on.
    ///
    /// # Errors
    /// Why there will be no more although the body did not end.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>>;

    /// What followed the body. To be asked once, after its end.
    fn take_trailers(&mut self) -> Option<Headers> {
        None
    }
}

/// Where a body goes to.
pub trait BodySink {
    /// Ready when another piece may be queued. Writes when too much is.
    ///
    /// # Errors
    /// Why nothing more can be written.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>>;

    /// Queues a piece of the body. Only after [`poll_ready`](Self::poll_ready) was ready.
    fn send_chunk(&mut self, chunk: Chunk);

    /// Queues the end of the body. In a tunnel: closes this direction.
    fn send_end(&mut self, trailers: Option<Headers>);

    /// Writes what is queued. Ready when nothing is.
    ///
    /// # Errors
    /// Why nothing more can be written.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>>;
}

/// The side of the client, for one exchange: the source is the request's body, the sink the response's.
pub trait Downstream: BodySource + BodySink {
    /// Queues a response of the 1xx class other than 101. Left out where the client cannot take it.
    fn send_informational(&mut self, head: &ResponseHead);

    /// Queues the head of the response. `length` is that of the body that is going to be sent. Fields about the
    /// connection and the framing are made to fit: those of `head` need not be right.
    fn send_head(&mut self, head: &ResponseHead, length: BodyLength);

    /// From here on both bodies are bytes without frame: after a 101, or a 2xx to CONNECT, was sent.
    fn start_tunnel(&mut self);

    /// The timer of the exchange: one that outlives it where exchanges follow each other, since timers are dear to make.
    fn deadline(&mut self) -> &mut Deadline;

    /// Ready when the client went away, to be asked while the backend is waited for.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The request is suspect: no other is to be taken from its connection, where a connection has an order of requests.
    fn distrust(&mut self) {}

    /// The response cannot be completed: the client must see that it is cut off.
    fn abort(&mut self);
}

/// The side of the backend, for one exchange: the sink is the request's body, the source the response's.
pub trait Upstream: BodySource + BodySink {
    /// Queues the head of the request, without hop-by-hop fields; `length` is that of the body that is going to be sent.
    fn send_head(&mut self, head: &RequestHead, length: BodyLength);

    /// The next head: any number of the 1xx class, then that of the response, still with its hop-by-hop fields.
    ///
    /// # Errors
    /// [`Reason::BackendClosed`](crate::reason::Reason::BackendClosed) when the connection ended before any byte of a response, so that
    /// the request may be sent again where that is safe; others when what came is not a response.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Failure>>;

    /// What is known of the body behind the head of the response.
    fn body_length(&self) -> BodyLength;

    /// As [`Downstream::start_tunnel`].
    fn start_tunnel(&mut self);
}
