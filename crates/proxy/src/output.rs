//! What is to be written: small pieces gathered in pooled buffers, large ones passed as they are.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use crate::buffer::{Buffer, Chunk, Size};
use crate::transport::Transport;

/// Pieces up to this size are copied behind what is queued: cheaper than one more element of a vectored write.
const COPIED: usize = 4 * 1024;
/// How much may be queued before no more is taken.
const ENOUGH: usize = 64 * 1024;
/// Elements of one vectored write.
const SLICES: usize = 16;

#[derive(Default)]
pub(crate) struct Output {
    queue: VecDeque<Chunk>,
    queued: usize,
}

impl Output {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether enough is queued, so that it should be written before more is made.
    pub(crate) fn is_full(&self) -> bool {
        self.queued >= ENOUGH
    }

    /// Appends a copy of `bytes`.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) {
        self.queued += bytes.len();
        while !bytes.is_empty() {
            let count = match self.queue.back_mut() {
                Some(Chunk::Pooled(buffer)) => buffer.put(bytes),
                _ => 0,
            };
            bytes = &bytes[count..];
            if count == 0 {
                self.queue
                    .push_back(Chunk::Pooled(Buffer::with_size(Size::Small)));
            }
        }
    }

    /// Appends `chunk`, without a copy if it is large.
    pub(crate) fn push(&mut self, chunk: Chunk) {
        if chunk.len() <= COPIED {
            self.put(chunk.bytes());
        } else {
            self.queued += chunk.len();
            self.queue.push_back(chunk);
        }
    }

    /// Writes once.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
    ) -> Poll<io::Result<()>> {
        let count = if let [one] = self.queue.make_contiguous() {
            ready!(transport.poll_write_vectored(cx, &[IoSlice::new(one.bytes())]))?
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, chunk) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(chunk.bytes());
                used += 1;
            }
            ready!(transport.poll_write_vectored(cx, &slices[..used]))?
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.queued -= count.min(self.queued);
        let mut left = count;
        while let Some(first) = self.queue.front_mut() {
            let taken = left.min(first.len());
            first.advance(taken);
            left -= taken;
            if !first.is_empty() {
                break;
            }
            self.queue.pop_front();
        }
        Poll::Ready(Ok(()))
    }

    /// Writes until less than enough is queued.
    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
    ) -> Poll<io::Result<()>> {
        while self.is_full() {
            ready!(self.poll_write(cx, transport))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes all of it.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        transport: &mut Transport,
    ) -> Poll<io::Result<()>> {
        while !self.queue.is_empty() {
            ready!(self.poll_write(cx, transport))?;
        }
        transport.poll_flush(cx)
    }
}
