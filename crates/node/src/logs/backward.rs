//! The last lines of a log, found from its end without reading the rest.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::cri::Record;
use super::files::Segment;
use super::run_log::Progress;
use crate::output::Stream;

/// Bytes that are read at once.
const BLOCK: u64 = 64 << 10;

/// Leaves only the segments that hold the last `lines` lines of what `stream` (or both) wrote, the first of them to be
/// read from where those begin. Lines are those of the container: one that was recorded in pieces is one, and one
/// that has no end yet counts.
pub(super) fn seek_tail(
    segments: &mut Vec<Segment>,
    progress: Progress,
    lines: u64,
    stream: Option<Stream>,
) -> io::Result<()> {
    let mut left = lines;
    let mut is_last = true;
    for at in (0..segments.len()).rev() {
        let segment = &mut segments[at];
        let mut end = segment.file.metadata()?.len();
        if segment.number == progress.number {
            end = end.min(progress.length);
        }
        let mut lines = Backward::new(&segment.file, end);
        let begin = loop {
            let Some(line) = lines.next()? else {
                break None;
            };
            let record = Record::parse(line.text);
            let Some(record) = record.filter(|record| stream.is_none_or(|s| s == record.stream))
            else {
                continue;
            };
            let ends_a_line = record.full && !line.is_cut;
            if ends_a_line || std::mem::take(&mut is_last) {
                if left == 0 {
                    break Some(line.end);
                }
                left -= 1;
            }
            is_last = false;
        };
        if let Some(begin) = begin {
            segment.at = begin;
            segments.drain(..at);
            return Ok(());
        }
    }
    Ok(())
}

/// The lines of a file, the last one first.
struct Backward<'a> {
    file: &'a File,
    /// The file from `start` on; what lies before `end` has not been given out.
    buffer: Vec<u8>,
    start: u64,
    end: usize,
}

struct Line<'a> {
    /// Without its line end.
    text: &'a [u8],
    /// Where it ends in the file, its line end included.
    end: u64,
    /// It has no line end.
    is_cut: bool,
}

impl<'a> Backward<'a> {
    fn new(file: &'a File, end: u64) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            start: end,
            end: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let unread = &self.buffer[..self.end];
            let text_end = self.end - usize::from(unread.ends_with(b"\n"));
            let begin = match memchr::memrchr(b'\n', &unread[..text_end]) {
                Some(at) => at + 1,
                None if self.start > 0 => {
                    self.load()?;
                    continue;
                }
                None if unread.is_empty() => return Ok(None),
                None => 0,
            };
            let end = std::mem::replace(&mut self.end, begin);
            return Ok(Some(Line {
                text: &self.buffer[begin..text_end],
                end: self.start + end as u64,
                is_cut: text_end == end,
            }));
        }
    }

    /// Reads the block before.
    fn load(&mut self) -> io::Result<()> {
        let size = self.start.min(BLOCK);
        self.start -= size;
        let mut buffer = vec![0; usize::try_from(size).unwrap_or_default()];
        self.file.read_exact_at(&mut buffer, self.start)?;
        self.buffer.truncate(self.end);
        buffer.append(&mut self.buffer);
        self.end = buffer.len();
        self.buffer = buffer;
        Ok(())
    }
}
