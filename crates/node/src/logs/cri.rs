//! Lines of a log file, in the format of the container runtime interface (CRI):
//! `2016-10-06T00:17:09.669794202Z stdout F text`, `P` in place of `F` where the line goes on.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::output::Stream;

/// Bytes of a [`Stamp`].
const STAMP: usize = 30;

/// A time as log files have it: UTC and always nine digits after the point, so that two of them compare as their
/// bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp([u8; STAMP]);

impl Stamp {
    pub(super) fn new(time: Timestamp) -> Self {
        // Years of four digits only; nobody logs before the epoch.
        let time = time.max(Timestamp::UNIX_EPOCH);
        let at = Offset::UTC.to_datetime(time);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |from: usize, to: usize, value: i32| {
            let mut value = value.unsigned_abs();
            for digit in text[from..to].iter_mut().rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, at.year().into());
        put(5, 7, at.month().into());
        put(8, 10, at.day().into());
        put(11, 13, at.hour().into());
        put(14, 16, at.minute().into());
        put(17, 19, at.second().into());
        put(20, 29, at.subsec_nanosecond());
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let stamp: [u8; STAMP] = text.try_into().ok()?;
        (stamp[10] == b'T' && stamp[STAMP - 1] == b'Z').then_some(Self(stamp))
    }
}

/// One line of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// When it was read.
    pub(super) time: Stamp,
    /// Where the container wrote it.
    pub(super) stream: Stream,
    /// Whether the container's line ends with it.
    pub(super) full: bool,
    /// What was written, without the line end.
    pub(super) text: &'a [u8],
}

/// Bytes of a record that are not the container's: time, stream, tag, three spaces, line end.
const FRAME: usize = STAMP + " stdout F \n".len();

impl<'a> Record<'a> {
    /// A piece of output: one line with its end, or a piece of a line without.
    pub(super) fn of(time: Stamp, stream: Stream, piece: &'a [u8]) -> Self {
        let line = piece.strip_suffix(b"\n");
        Self {
            time,
            stream,
            full: line.is_some(),
            text: line.unwrap_or(piece),
        }
    }

    /// Reads a line of a log file, without its end; none where it is not one.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let time = Stamp::parse(line.get(..STAMP)?)?;
        let rest = &line[STAMP..];
        let (stream, rest) = if let Some(rest) = rest.strip_prefix(b" stdout ") {
            (Stream::Stdout, rest)
        } else {
            (Stream::Stderr, rest.strip_prefix(b" stderr ")?)
        };
        let (full, text) = match rest {
            [b'F', b' ', text @ ..] => (true, text),
            [b'P', b' ', text @ ..] => (false, text),
            _ => return None,
        };
        Some(Self {
            time,
            stream,
            full,
            text,
        })
    }

    /// Its length in a file.
    pub(super) fn len(&self) -> usize {
        FRAME + self.text.len()
    }

    /// How much of it the container wrote.
    pub(super) fn written(&self) -> usize {
        self.text.len() + usize::from(self.full)
    }

    /// Appends it as a line of a log file.
    pub(super) fn push_to(&self, file: &mut Vec<u8>) {
        file.reserve(self.len());
        file.extend_from_slice(self.time.as_bytes());
        file.extend_from_slice(match (self.stream, self.full) {
            (Stream::Stdout, true) => b" stdout F ",
            (Stream::Stdout, false) => b" stdout P ",
            (Stream::Stderr, true) => b" stderr F ",
            (Stream::Stderr, false) => b" stderr P ",
        });
        file.extend_from_slice(self.text);
        file.push(b'\n');
    }
}

/// The pieces of a chunk of output: its lines with their ends, the last one perhaps without.
pub(super) fn pieces(mut chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = match memchr::memchr(b'\n', chunk) {
            Some(at) => at + 1,
            None if chunk.is_empty() => return None,
            None => chunk.len(),
        };
        let (piece, rest) = chunk.split_at(end);
        chunk = rest;
        Some(piece)
    })
}

/// A line of our own in the midst of a container's.
pub(super) fn remark(text: &str) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 16);
    let _ = write!(line, "[pillion: {text}]");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp::new(text.parse().expect("a time"))
    }

    #[test]
    fn the_format_is_that_of_the_container_runtime_interface() {
        let time = stamp("2016-10-06T00:17:09.669794202Z");
        let mut file = Vec::new();
        for (stream, chunk) in [
            (Stream::Stdout, &b"The content of the log entry 1\n\n"[..]),
            (Stream::Stderr, b"a\xff\0\r\ngoes on"),
        ] {
            pieces(chunk).for_each(|piece| Record::of(time, stream, piece).push_to(&mut file));
        }
        let expected = b"2016-10-06T00:17:09.669794202Z stdout F The content of the log entry 1
2016-10-06T00:17:09.669794202Z stdout F 
2016-10-06T00:17:09.669794202Z stderr F a\xff\0\r
2016-10-06T00:17:09.669794202Z stderr P goes on
";
        assert_eq!(file, expected);
        let first = file.split(|byte| *byte == b'\n').next().expect("a line");
        let record = Record::parse(first).expect("a record");
        assert_eq!((record.len(), record.written()), (first.len() + 1, 31));
        assert_eq!(record.text, b"The content of the log entry 1");
    }

    #[test]
    fn times_compare_as_their_bytes() {
        let times = [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59.000000001Z",
            "2024-02-29T23:59:59.1Z",
            "2024-03-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
        ];
        let stamps: Vec<Stamp> = times.iter().map(|time| stamp(time)).collect();
        assert!(stamps.is_sorted());
        assert_eq!(stamps[1].as_bytes(), times[1].as_bytes());
        assert_eq!(stamp("-000005-01-01T00:00:00Z"), stamps[0]);
    }

    #[test]
    fn what_is_cut_off_is_no_record() {
        let whole = b"2016-10-06T00:17:09.669794202Z stdout P text";
        assert!(Record::parse(whole).is_some());
        for end in 0..=whole.len() - "text".len() - 1 {
            assert_eq!(Record::parse(&whole[..end]), None, "{end}");
        }
        assert_eq!(
            Record::parse(b"2016-10-06T00:17:09.669794202Z stdin F x"),
            None
        );
    }
}
