//! Reading a log: across its files, from where the wanted lines begin, and on to what is written meanwhile.
//!
//! What is here blocks; [`LogStream`](super::LogStream) lets it run where that may be.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::backward::seek_tail;
use super::cri::{self, Record, Stamp};
use super::files::{LogFiles, Segment};
use super::run_log::{Progress, RunLog};
use crate::output::Stream;

/// Bytes that are read at once, and about as many that are given out at once.
const BLOCK: usize = 64 << 10;

/// Which part of a log is wanted, and how it is to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) tail_lines: Option<u64>,
    pub(super) since: Option<Stamp>,
    pub(super) timestamps: bool,
    pub(super) limit_bytes: Option<u64>,
    pub(super) stream: Option<Stream>,
}

/// Where a log is.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// This process writes it, or did so.
    Own(Arc<RunLog>),
    /// An earlier process wrote it.
    Files(LogFiles),
}

/// What comes after what has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// There is more.
    More,
    /// There may be more later.
    Wait,
    /// Nothing.
    End,
}

/// A place in a log.
#[derive(Debug)]
pub(super) struct Cursor {
    source: Source,
    /// What has been opened, the first of them being read.
    segments: VecDeque<Segment>,
    /// Number of the file that comes after those.
    next: u64,
    /// The beginning of a record whose end has not been read.
    rest: Vec<u8>,
    filter: Filter,
}

impl Cursor {
    /// Opens a log where the wanted part begins; tells how far the log is.
    pub(super) fn open(source: Source, wanted: &Wanted) -> io::Result<(Self, Progress)> {
        let (mut segments, progress) = match &source {
            Source::Own(log) => log.segments(0),
            Source::Files(files) => {
                let segments = files.open()?;
                let number = segments.last().map_or(0, |last| last.number);
                let progress = Progress {
                    number,
                    length: u64::MAX,
                    ended: true,
                };
                (segments, progress)
            }
        };
        let next = segments.last().map_or(0, |last| last.number + 1);
        if let Some(lines) = wanted.tail_lines {
            seek_tail(&mut segments, progress, lines, wanted.stream)?;
        }
        let cursor = Self {
            source,
            segments: segments.into(),
            next,
            rest: Vec::new(),
            filter: Filter::new(wanted),
        };
        Ok((cursor, progress))
    }

    /// Reads on, up to `progress`.
    pub(super) fn read(&mut self, progress: Progress) -> io::Result<(Vec<u8>, Then)> {
        let mut out = Vec::new();
        while !self.filter.is_satisfied() {
            let Some(segment) = self.segments.front_mut() else {
                if self.next <= progress.number && self.go_on(&mut out) {
                    continue;
                }
                return Ok(self.all_read(out, progress));
            };
            let is_written = segment.number >= progress.number;
            let end = if is_written {
                progress.length
            } else {
                u64::MAX
            };
            if read_block(segment, end, &mut self.rest)? {
                self.filter.take_lines(&mut self.rest, &mut out);
                if out.len() >= BLOCK {
                    return Ok((out, Then::More));
                }
            } else if is_written {
                return Ok(self.all_read(out, progress));
            } else {
                self.filter.take_cut_line(&mut self.rest, &mut out);
                self.segments.pop_front();
            }
        }
        Ok((out, Then::End))
    }

    fn all_read(&mut self, mut out: Vec<u8>, progress: Progress) -> (Vec<u8>, Then) {
        if !progress.ended {
            return (out, Then::Wait);
        }
        self.filter.take_cut_line(&mut self.rest, &mut out);
        (out, Then::End)
    }

    /// Takes up what has been begun since; whether there is any.
    fn go_on(&mut self, out: &mut Vec<u8>) -> bool {
        let Source::Own(log) = &self.source else {
            return false;
        };
        let (segments, _) = log.segments(self.next);
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return false;
        };
        if first.number > self.next {
            let missed = first.number - self.next;
            self.filter.remark(
                &format!("{missed} log files were removed before they were read here"),
                out,
            );
        }
        self.next = last.number + 1;
        self.segments.extend(segments);
        true
    }
}

/// Appends the next bytes of a file; whether there are any before `end`.
fn read_block(segment: &mut Segment, end: u64, to: &mut Vec<u8>) -> io::Result<bool> {
    let room = end.saturating_sub(segment.at).min(BLOCK as u64);
    let before = to.len();
    to.resize(before + usize::try_from(room).unwrap_or(BLOCK), 0);
    let read = loop {
        match segment.file.read_at(&mut to[before..], segment.at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    to.truncate(before + *read.as_ref().unwrap_or(&0));
    let read = read?;
    segment.at += read as u64;
    Ok(read > 0)
}

/// From the records of a log to the bytes that were asked for.
#[derive(Debug)]
struct Filter {
    since: Option<Stamp>,
    stream: Option<Stream>,
    timestamps: bool,
    /// How many bytes may follow.
    left: Option<u64>,
    at_line_start: bool,
}

impl Filter {
    fn new(wanted: &Wanted) -> Self {
        Self {
            since: wanted.since,
            stream: wanted.stream,
            timestamps: wanted.timestamps,
            left: wanted.limit_bytes,
            at_line_start: true,
        }
    }

    /// Whether all that was asked for has been given.
    fn is_satisfied(&self) -> bool {
        self.left == Some(0)
    }

    /// Takes the whole lines away from `from`.
    fn take_lines(&mut self, from: &mut Vec<u8>, out: &mut Vec<u8>) {
        let Some(end) = memchr::memrchr(b'\n', from) else {
            return;
        };
        for line in cri::pieces(&from[..=end]) {
            if let Some(record) = line.strip_suffix(b"\n").and_then(Record::parse) {
                self.push(&record, out);
            }
        }
        from.drain(..=end);
    }

    /// Takes what is left of a line whose writer died over it.
    fn take_cut_line(&mut self, from: &mut Vec<u8>, out: &mut Vec<u8>) {
        if let Some(record) = Record::parse(from) {
            self.push(
                &Record {
                    full: false,
                    ..record
                },
                out,
            );
        }
        from.clear();
    }

    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        if self.stream.is_some_and(|stream| stream != record.stream) {
            return;
        }
        if self.since.is_none_or(|since| record.time >= since) {
            let before = out.len();
            if self.timestamps && self.at_line_start {
                out.extend_from_slice(record.time.as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(record.text);
            if record.full {
                out.push(b'\n');
            }
            self.limit(before, out);
        }
        self.at_line_start = record.full;
    }

    /// A line of our own.
    fn remark(&mut self, text: &str, out: &mut Vec<u8>) {
        let before = out.len();
        if !std::mem::replace(&mut self.at_line_start, true) {
            out.push(b'\n');
        }
        out.extend_from_slice(&cri::remark(text));
        out.push(b'\n');
        self.limit(before, out);
    }

    /// Cuts what is too much of what has come since `before`.
    fn limit(&mut self, before: usize, out: &mut Vec<u8>) {
        if let Some(left) = &mut self.left {
            let allowed = usize::try_from(*left).unwrap_or(usize::MAX);
            out.truncate(before.saturating_add(allowed));
            *left -= (out.len() - before) as u64;
        }
    }
}
