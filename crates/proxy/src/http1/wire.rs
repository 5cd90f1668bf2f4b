//! What both ends of HTTP/1 do on a connection: read and write framed bodies.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll, ready};

use super::Limits;
use super::chunked::{Decoder, Step};
use super::encode::{self, Writer};
use crate::buffer::{Buffer, Chunk, Size};
use crate::message::Headers;
use crate::message::framing::Framing;
use crate::output::Output;
use crate::transport::Transport;

/// How the body behind the last head is read.
#[derive(Debug)]
pub(super) enum Reader {
    /// There is none, or it is complete.
    Done,
    /// So many bytes are still to come.
    Length(u64),
    /// Chunks.
    Chunked(Decoder),
    /// All until the connection ends.
    UntilClose,
}

impl From<Framing> for Reader {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Reader::Done,
            Framing::Length(length) => Reader::Length(length),
            Framing::Chunked => Reader::Chunked(Decoder::new()),
            Framing::UntilClose => Reader::UntilClose,
        }
    }
}

/// Why a body could not be read to its end.
#[derive(Debug)]
pub(super) enum BodyError {
    Io(io::Error),
    /// The connection ended before the body.
    Ended,
    Malformed(&'static str),
}

pub(super) struct Wire {
    pub(super) transport: Transport,
    /// Read and not yet used.
    pub(super) input: Buffer,
    pub(super) output: Output,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) trailers: Option<Headers>,
    /// The other side sends nothing more.
    pub(super) ended: bool,
    /// What the next read of unknown length asks for: large while reads fill what they were given.
    size: Size,
    /// This direction is closed once all is written.
    closing: bool,
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Wire {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            input: Buffer::new(),
            output: Output::default(),
            reader: Reader::Done,
            writer: Writer::Done,
            trailers: None,
            ended: false,
            size: Size::Small,
            closing: false,
        }
    }

    /// Reads behind the input, which holds less than a large buffer. Zero: the other side has ended.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let large = self.input.len() >= Size::Small.bytes()
            || matches!(self.reader, Reader::Length(left) if left > Size::Small.bytes() as u64);
        let size = if large { Size::Large } else { self.size };
        let count = ready!(self.transport.poll_read(cx, &mut self.input, size))?;
        self.ended |= count == 0;
        self.size = match count {
            _ if self.input.spare().is_empty() => Size::Large,
            few if few <= Size::Small.bytes() / 2 => Size::Small,
            _ => self.size,
        };
        Poll::Ready(Ok(count))
    }

    /// The next piece of the body.
    pub(super) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
    ) -> Poll<Result<Option<Chunk>, BodyError>> {
        loop {
            match &mut self.reader {
                Reader::Done => return Poll::Ready(Ok(None)),
                Reader::Length(left) if !self.input.is_empty() => {
                    let count = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(self.input.len());
                    *left -= count as u64;
                    if *left == 0 {
                        self.reader = Reader::Done;
                    }
                    return Poll::Ready(Ok(Some(Chunk::Pooled(self.input.split_to(count)))));
                }
                Reader::UntilClose if !self.input.is_empty() => {
                    return Poll::Ready(Ok(Some(Chunk::Pooled(std::mem::take(&mut self.input)))));
                }
                Reader::Chunked(decoder) => match decoder.next(&mut self.input, limits) {
                    Ok(Step::Data(data)) => return Poll::Ready(Ok(Some(Chunk::Pooled(data)))),
                    Ok(Step::More) => {}
                    Ok(Step::End) => {
                        self.trailers = decoder.take_trailers();
                        self.reader = Reader::Done;
                        self.input.release_if_empty();
                        return Poll::Ready(Ok(None));
                    }
                    Err(what) => return Poll::Ready(Err(BodyError::Malformed(what))),
                },
                Reader::Length(_) | Reader::UntilClose => {}
            }
            let count = if self.ended {
                0
            } else {
                ready!(self.poll_fill(cx)).map_err(BodyError::Io)?
            };
            if count == 0 {
                if !matches!(self.reader, Reader::UntilClose) {
                    return Poll::Ready(Err(BodyError::Ended));
                }
                self.reader = Reader::Done;
            }
        }
    }

    /// Queues what `write` makes, and gives what it gives.
    pub(super) fn put_with<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let given = write(scratch);
            self.output.put(scratch);
            given
        })
    }

    pub(super) fn send_chunk(&mut self, chunk: Chunk) {
        match &mut self.writer {
            // A body where none may be is left out: HEAD, 304.
            Writer::Done => {}
            Writer::Raw => self.output.push(chunk),
            Writer::Length(left) => {
                // Never more than was said, or it would be read as the next message.
                let within = chunk.len() as u64 <= *left;
                *left = left.saturating_sub(chunk.len() as u64);
                if within {
                    self.output.push(chunk);
                } else {
                    *left = u64::MAX;
                }
            }
            Writer::Chunked => {
                self.put_with(|line| encode::chunk_size(line, chunk.len()));
                self.output.push(chunk);
                self.output.put(b"\r\n");
            }
        }
    }

    /// Queues the end of the body. False: less, or more, was sent than had been said.
    pub(super) fn send_end(&mut self, trailers: Option<&Headers>) -> bool {
        let complete = matches!(
            self.writer,
            Writer::Done | Writer::Length(0) | Writer::Raw | Writer::Chunked
        );
        if self.writer == Writer::Chunked {
            self.put_with(|lines| encode::last_chunk(lines, trailers));
        }
        if complete {
            self.writer = Writer::Done;
        }
        complete
    }

    /// Bytes without frame in both directions from here on.
    pub(super) fn start_tunnel(&mut self) {
        self.reader = Reader::UntilClose;
        self.writer = Writer::Raw;
    }

    /// Closes this direction once all is written.
    pub(super) fn close_after_flush(&mut self) {
        self.closing = true;
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.output.poll_flush(cx, &mut self.transport))?;
        if self.closing {
            ready!(self.transport.poll_shutdown(cx))?;
            self.closing = false;
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_drain(cx, &mut self.transport)
    }

    /// Whether both messages of an exchange are complete.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.reader, Reader::Done)
            && self.writer == Writer::Done
            && self.output.is_empty()
            && !self.ended
    }
}
