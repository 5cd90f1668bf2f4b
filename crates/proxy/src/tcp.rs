//! Bytes between a client and a backend, whatever they mean.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::backend::Backend;
use crate::buffer::{Buffer, Chunk, Size};
use crate::deadline::Deadline;
use crate::exchange::pump::{Direction, Side};
use crate::exchange::{BodySink, BodySource};
use crate::message::Headers;
use crate::output::Output;
use crate::reason::{Failure, Reason};
use crate::transport::Transport;

#[cfg(test)]
mod tests;

/// How a connection went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piped {
    /// Bytes from the client.
    pub received: u64,
    /// Bytes to the client.
    pub sent: u64,
    /// Why it ended otherwise than by both sides closing.
    pub failure: Option<Failure>,
}

/// Passes bytes between `client` and a new connection to `backend` until both have closed, or none has moved for
/// `idle`. When one side closes its direction, the other is told so and may go on; when one resets, so does the other.
pub async fn serve(mut client: Transport, backend: &Rc<Backend>, idle: Option<Duration>) -> Piped {
    let facts = client.facts().clone();
    // The client's bytes wait in the kernel in the meantime, and so does its end.
    let mut channel = match backend.channel(&facts).await {
        Ok(channel) => channel,
        Err(failure) => {
            client.reset_on_close();
            return Piped {
                failure: Some(failure),
                ..Piped::default()
            };
        }
    };
    let mut near = Raw::new(&mut client);
    let mut far = Raw::new(&mut channel.transport);
    far.output.put(&channel.preface);
    let mut pipe = Pipe {
        up: Direction::new(),
        down: Direction::new(),
        idle,
        deadline: Deadline::new(),
    };
    let failure = poll_fn(|cx| pipe.poll(cx, &mut near, &mut far)).await.err();
    if failure.is_some() {
        near.transport.reset_on_close();
        far.transport.reset_on_close();
    }
    Piped {
        received: pipe.up.bytes(),
        sent: pipe.down.bytes(),
        failure,
    }
}

struct Pipe {
    up: Direction,
    down: Direction,
    idle: Option<Duration>,
    deadline: Deadline,
}

impl Pipe {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        near: &mut Raw<'_>,
        far: &mut Raw<'_>,
    ) -> Poll<Result<(), Failure>> {
        let mut moved = false;
        let up = self
            .up
            .poll(cx, near, far, &mut moved)
            .map_err(|(side, failure)| of_side(side == Side::Source, failure))?;
        let down = self
            .down
            .poll(cx, far, near, &mut moved)
            .map_err(|(side, failure)| of_side(side == Side::Sink, failure))?;
        if up.is_ready() && down.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if moved || !self.deadline.is_set() {
            self.deadline.set(self.idle);
        }
        ready!(self.deadline.poll(cx));
        let detail = format!(
            "no byte in either direction for {:?}",
            self.idle.unwrap_or_default()
        );
        Poll::Ready(Err(Failure::new(Reason::IdleTimeout, detail)))
    }
}

fn of_side(client: bool, failure: Failure) -> Failure {
    let reason = if client {
        Reason::ClientClosed
    } else {
        Reason::TruncatedResponse
    };
    Failure { reason, ..failure }
}

/// A transport as the source of one direction and the sink of the other.
struct Raw<'a> {
    transport: &'a mut Transport,
    output: Output,
    size: Size,
    closing: bool,
}

impl<'a> Raw<'a> {
    fn new(transport: &'a mut Transport) -> Self {
        Self {
            transport,
            output: Output::default(),
            size: Size::Small,
            closing: false,
        }
    }
}

fn failure(error: &io::Error) -> Failure {
    Failure::new(Reason::Internal, error.to_string())
}

impl BodySource for Raw<'_> {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        let mut buffer = Buffer::new();
        let count = ready!(self.transport.poll_read(cx, &mut buffer, self.size));
        let count = count.map_err(|error| failure(&error))?;
        self.size = match count {
            _ if buffer.spare().is_empty() => Size::Large,
            few if few <= Size::Small.bytes() / 2 => Size::Small,
            _ => self.size,
        };
        Poll::Ready(Ok((count > 0).then_some(Chunk::Pooled(buffer))))
    }
}

impl BodySink for Raw<'_> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.output
            .poll_drain(cx, self.transport)
            .map_err(|error| failure(&error))
    }

    fn send_chunk(&mut self, chunk: Chunk) {
        self.output.push(chunk);
    }

    fn send_end(&mut self, _: Option<Headers>) {
        self.closing = true;
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        ready!(self.output.poll_flush(cx, self.transport)).map_err(|error| failure(&error))?;
        if self.closing {
            // Who has closed already is told nothing new.
            let _ = ready!(self.transport.poll_shutdown(cx));
            self.closing = false;
        }
        Poll::Ready(Ok(()))
    }
}
