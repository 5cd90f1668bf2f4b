//! The request's body, kept while it may have to be sent again.

use std::task::{Context, Poll, ready};

use super::BodySource;
use crate::buffer::{Buffer, Chunk};
use crate::message::Headers;
use crate::reason::Failure;

/// How much of a body is kept. A longer one cannot be sent again.
const KEPT: usize = 64 * 1024;

/// What was read of the body, for a second connection.
#[derive(Debug, Default)]
pub struct Replay {
    kept: Vec<u8>,
    /// How much of it was sent on this connection already.
    sent: usize,
    keeping: bool,
    lost: bool,
}

impl Replay {
    /// Keeps what is read from here on.
    pub fn keep(&mut self) {
        self.keeping = true;
    }

    /// Begins again. False: some of the body is gone.
    pub fn rewind(&mut self) -> bool {
        self.sent = 0;
        !self.lost
    }

    /// The body, from `source` and what was kept of it.
    pub fn of<'a, S: BodySource>(&'a mut self, source: &'a mut S) -> Replayed<'a, S> {
        Replayed {
            replay: self,
            source,
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        if !self.keeping || self.kept.len() + bytes.len() > KEPT {
            self.lost = true;
            (self.kept, self.sent) = (Vec::new(), 0);
        }
        if !self.lost {
            self.kept.extend_from_slice(bytes);
            self.sent = self.kept.len();
        }
    }
}

/// See [`Replay::of`].
pub struct Replayed<'a, S> {
    replay: &'a mut Replay,
    source: &'a mut S,
}

impl<S: BodySource> BodySource for Replayed<'_, S> {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        let again = &self.replay.kept[self.replay.sent..];
        if !again.is_empty() {
            let copy = Buffer::copy_of(again);
            self.replay.sent += copy.len();
            return Poll::Ready(Ok(Some(Chunk::Pooled(copy))));
        }
        let chunk = ready!(self.source.poll_chunk(cx));
        if let Ok(Some(chunk)) = &chunk {
            self.replay.read(chunk.bytes());
        }
        Poll::Ready(chunk)
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        let trailers = self.source.take_trailers();
        // They are not kept.
        self.replay.lost |= trailers.is_some();
        trailers
    }
}
