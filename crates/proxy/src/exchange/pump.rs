//! Moves a body from one side to the other, no faster than the slower one.

use std::task::{Context, Poll, ready};

use super::{BodySink, BodySource};
use crate::reason::Failure;

/// Whom a direction waits for, or which side failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the body comes from.
    Source,
    /// Where it goes to.
    Sink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Moving,
    /// The end is queued, and has to be written.
    Ending,
    Done,
}

/// One direction of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Direction {
    state: State,
    waits_for: Side,
    bytes: u64,
}

impl Direction {
    /// A body that is to be moved.
    pub const fn new() -> Self {
        Self {
            state: State::Moving,
            waits_for: Side::Source,
            bytes: 0,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whom it waits for, when the last poll was pending.
    pub fn waits_for(&self) -> Side {
        self.waits_for
    }

    /// Bytes moved.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Nothing more is moved.
    pub fn give_up(&mut self) {
        self.state = State::Done;
    }

    /// Moves what can be moved now. `moved` becomes true when something was. What is queued is written when the source has
    /// nothing more for the moment, so that what came together leaves together.
    ///
    /// # Errors
    /// Which side failed, and why.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl BodySource + ?Sized),
        sink: &mut (impl BodySink + ?Sized),
        moved: &mut bool,
    ) -> Poll<Result<(), (Side, Failure)>> {
        let of_sink = |failure| (Side::Sink, failure);
        while self.state == State::Moving {
            self.waits_for = Side::Sink;
            ready!(sink.poll_ready(cx)).map_err(of_sink)?;
            self.waits_for = Side::Source;
            match source.poll_chunk(cx) {
                Poll::Ready(Ok(Some(chunk))) => {
                    self.bytes += chunk.len() as u64;
                    *moved = true;
                    sink.send_chunk(chunk);
                }
                Poll::Ready(Ok(None)) => {
                    *moved = true;
                    sink.send_end(source.take_trailers());
                    self.state = State::Ending;
                }
                Poll::Ready(Err(failure)) => return Poll::Ready(Err((Side::Source, failure))),
                Poll::Pending => {
                    if sink.poll_flush(cx).map_err(of_sink)?.is_pending() {
                        self.waits_for = Side::Sink;
                    }
                    return Poll::Pending;
                }
            }
        }
        if self.state == State::Ending {
            self.waits_for = Side::Sink;
            ready!(sink.poll_flush(cx)).map_err(of_sink)?;
            *moved = true;
            self.state = State::Done;
        }
        Poll::Ready(Ok(()))
    }
}

impl Default for Direction {
    fn default() -> Self {
        Self::new()
    }
}
