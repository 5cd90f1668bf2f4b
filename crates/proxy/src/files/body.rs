//! The body of a response from a file.
//!
//! What the kernel has in memory is read at once, on the worker's thread; what it has not is read on another, so that a
//! slow disk holds up one exchange and not all of a worker. No more is sent than the head said, and if the file became shorter
//! meanwhile, the response is cut off, which every client notices.

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags, pread, preadv2};
use tokio::task::JoinHandle;

use crate::buffer::{Buffer, Chunk, Size};
use crate::exchange::BodySource;
use crate::reason::{Failure, Reason};

/// Bytes that are read at once from a disk.
const FROM_DISK: u64 = 256 * 1024;

/// Pieces that are read in a row before the other connections get their turn.
const IN_A_ROW: u8 = 16;

enum Segment {
    Text(Bytes),
    File(Range<u64>),
}

/// Parts of a file, and texts between them.
pub struct FileBody {
    file: Arc<OwnedFd>,
    segments: VecDeque<Segment>,
    reading: Option<JoinHandle<Result<Vec<u8>, Errno>>>,
    in_a_row: u8,
    /// Whether the file system can tell what it has in memory.
    tells: bool,
}

impl FileBody {
    /// A body with nothing in it yet.
    pub fn new(file: OwnedFd) -> Self {
        Self {
            file: Arc::new(file),
            segments: VecDeque::new(),
            reading: None,
            in_a_row: 0,
            tells: true,
        }
    }

    /// Adds a text.
    pub fn push_text(&mut self, text: impl Into<Bytes>) {
        self.segments.push_back(Segment::Text(text.into()));
    }

    /// Adds a part of the file.
    pub fn push_file(&mut self, part: Range<u64>) {
        self.segments.push_back(Segment::File(part));
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        let length = |segment: &Segment| match segment {
            Segment::Text(text) => text.len() as u64,
            Segment::File(part) => part.end.saturating_sub(part.start),
        };
        self.segments.iter().map(length).sum()
    }

    /// A piece from memory. None: the disk has to be asked.
    fn read_cached(&mut self, part: &Range<u64>) -> Result<Option<Buffer>, Errno> {
        if !self.tells {
            return Ok(None);
        }
        let left = part.end - part.start;
        let size = if left > Size::Small.bytes() as u64 {
            Size::Large
        } else {
            Size::Small
        };
        let mut buffer = Buffer::with_size(size);
        let room = buffer.spare();
        let room_bytes = room.len();
        let wanted = usize::try_from(left).map_or(room_bytes, |left| left.min(room_bytes));
        let mut slices = [IoSliceMut::new(&mut room[..wanted])];
        loop {
            let flags = ReadWriteFlags::NOWAIT;
            return match preadv2(&*self.file, &mut slices, part.start, flags) {
                Ok(count) => {
                    buffer.filled(count);
                    Ok(Some(buffer))
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(None),
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    self.tells = false;
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
    }

    fn read_from_disk(&mut self, part: &Range<u64>) {
        let file = Arc::clone(&self.file);
        let start = part.start;
        let wanted = usize::try_from((part.end - start).min(FROM_DISK)).unwrap_or(0);
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; wanted];
            loop {
                match pread(&*file, &mut bytes[..], start) {
                    Ok(count) => {
                        bytes.truncate(count);
                        return Ok(bytes);
                    }
                    Err(Errno::INTR) => continue,
                    Err(error) => return Err(error),
                }
            }
        }));
    }

    /// A piece was read: the part goes on behind it.
    fn took(&mut self, count: usize) -> Result<(), Failure> {
        if count == 0 {
            let detail = "a file became shorter while it was sent";
            return Err(Failure::new(Reason::FileFailed, detail));
        }
        if let Some(Segment::File(part)) = self.segments.front_mut() {
            part.start = part.start.saturating_add(count as u64).min(part.end);
        }
        Ok(())
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Reason::FileFailed,
        format!("a file cannot be read: {error}"),
    )
}

impl BodySource for FileBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                let bytes = read.map_err(failure)?.map_err(failure)?;
                self.took(bytes.len())?;
                return Poll::Ready(Ok(Some(Chunk::Shared(bytes.into()))));
            }
            let part = match self.segments.front() {
                None => return Poll::Ready(Ok(None)),
                Some(Segment::File(part)) if part.start < part.end => part.clone(),
                Some(_) => {
                    match self.segments.pop_front() {
                        Some(Segment::Text(text)) if !text.is_empty() => {
                            return Poll::Ready(Ok(Some(Chunk::Shared(text))));
                        }
                        _ => continue,
                    };
                }
            };
            if self.in_a_row == IN_A_ROW {
                self.in_a_row = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.read_cached(&part).map_err(failure)? {
                Some(buffer) => {
                    self.in_a_row += 1;
                    self.took(buffer.len())?;
                    return Poll::Ready(Ok(Some(Chunk::Pooled(buffer))));
                }
                None => self.read_from_disk(&part),
            }
        }
    }
}

#[cfg(test)]
mod tests;
