//! The coding `chunked`, read (RFC 9112, 7.1). Strict: lines end in CR LF, sizes are plain hexadecimal digits.

use super::Limits;
use super::parse::{HeadScan, trailers};
use crate::buffer::Buffer;
use crate::message::{Headers, Known};

/// The longest line of a chunk's size, with its extensions.
const SIZE_LINE: usize = 256;
/// How many bytes of extensions a whole body may have: they are dropped, so they are work without use.
const EXTENSIONS: usize = 16 * 1024;

#[derive(Debug)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailers(HeadScan),
    End,
}

/// Takes the data out of chunks.
#[derive(Debug)]
pub(super) struct Decoder {
    state: State,
    extensions: usize,
    trailers: Option<Headers>,
}

/// What a call has found.
#[derive(Debug)]
pub(super) enum Step {
    Data(Buffer),
    /// More bytes have to be read behind those of the input.
    More,
    End,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            state: State::Size,
            extensions: 0,
            trailers: None,
        }
    }

    pub(super) fn take_trailers(&mut self) -> Option<Headers> {
        self.trailers.take()
    }

    /// Takes the next data from the front of `input`.
    ///
    /// # Errors
    /// What is wrong with the coding.
    pub(super) fn next(
        &mut self,
        input: &mut Buffer,
        limits: &Limits,
    ) -> Result<Step, &'static str> {
        loop {
            match &mut self.state {
                State::Size => {
                    let Some(size) = self.take_size(input)? else {
                        return Ok(Step::More);
                    };
                    self.state = match size {
                        0 => State::Trailers(HeadScan::default()),
                        size => State::Data(size),
                    };
                }
                State::Data(left) => {
                    if input.is_empty() {
                        return Ok(Step::More);
                    }
                    let count = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(input.len());
                    *left -= count as u64;
                    if *left == 0 {
                        self.state = State::DataEnd;
                    }
                    return Ok(Step::Data(input.split_to(count)));
                }
                State::DataEnd => {
                    match input.bytes() {
                        [b'\r', b'\n', ..] => input.advance(2),
                        [] | [b'\r'] => return Ok(Step::More),
                        _ => return Err("a chunk is longer than its size says"),
                    }
                    self.state = State::Size;
                }
                State::Trailers(scan) => {
                    let Some(length) = scan.find(input.bytes())? else {
                        let within = input.len() < limits.head_bytes;
                        return if within {
                            Ok(Step::More)
                        } else {
                            Err("trailers are too large")
                        };
                    };
                    if length > limits.head_bytes {
                        return Err("trailers are too large");
                    }
                    if length > 2 {
                        self.trailers = Some(checked(trailers(&input.bytes()[..length], limits)?)?);
                    }
                    input.advance(length);
                    self.state = State::End;
                }
                State::End => return Ok(Step::End),
            }
        }
    }

    /// Takes the line that says how large the next chunk is.
    fn take_size(&mut self, input: &mut Buffer) -> Result<Option<u64>, &'static str> {
        let bytes = input.bytes();
        let within = &bytes[..bytes.len().min(SIZE_LINE)];
        let Some(end) = memchr::memchr(b'\n', within) else {
            let so_far = if bytes.len() < SIZE_LINE {
                Ok(None)
            } else {
                Err("the line of a chunk's size is too long")
            };
            return so_far;
        };
        let Some(line) = bytes[..end].strip_suffix(b"\r") else {
            return Err("the line of a chunk's size ends in LF without CR");
        };
        let digits = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let (size, extension) = line.split_at(digits);
        // 15 digits stay below any overflow, and above any size there will be.
        if !(1..=15).contains(&digits) {
            return Err("the size of a chunk is not a hexadecimal number");
        }
        if !matches!(extension, [] | [b';', ..]) || !crate::message::is_value(extension) {
            return Err("behind the size of a chunk stands something else than an extension");
        }
        self.extensions += extension.len();
        if self.extensions > EXTENSIONS {
            return Err("too many extensions of chunks");
        }
        let value = |byte: &u8| u64::from((*byte as char).to_digit(16).unwrap_or_default());
        let size = size.iter().fold(0, |size, digit| size << 4 | value(digit));
        input.advance(end + 1);
        Ok(Some(size))
    }
}

/// Trailers that others might merge into the head must not be able to frame or route the message (RFC 9110, 6.5.1).
fn checked(trailers: Headers) -> Result<Headers, &'static str> {
    let allowed = |known| matches!(known, Known::Other | Known::Date);
    if trailers.iter().all(|field| allowed(field.known)) {
        Ok(trailers)
    } else {
        Err("a trailer that belongs into the head")
    }
}
