//! Header blocks: names and values, compressed with one zlib stream over all blocks of a connection's direction.

use bytes::{Buf, BufMut, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};

use super::SpdyError;

/// What the zlib stream starts from, as the specification of SPDY/3 lists it.
const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");
/// The most that one block may hold, in bytes. Those of Kubernetes hold a hundred.
const LIMIT: usize = 16 << 10;
/// How many headers a block may hold.
const MAX_HEADERS: u32 = 64;

/// The headers of a stream; names are in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of a header, whose name is in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads blocks, in the order they come.
#[derive(Debug)]
pub(super) struct Reader(Decompress);

impl Reader {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    pub(super) fn read(&mut self, block: &[u8]) -> Result<Headers, SpdyError> {
        parse(&self.decompress(block)?)
    }

    fn decompress(&mut self, mut block: &[u8]) -> Result<Vec<u8>, SpdyError> {
        let mut out = Vec::with_capacity(512);
        loop {
            let before = (self.0.total_in(), self.0.total_out());
            let result = self
                .0
                .decompress_vec(block, &mut out, FlushDecompress::Sync);
            block = usize::try_from(self.0.total_in() - before.0)
                .ok()
                .and_then(|read| block.get(read..))
                .unwrap_or_default();
            let stuck = before == (self.0.total_in(), self.0.total_out());
            match result {
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0
                        .set_dictionary(DICTIONARY)
                        .map_err(|_| SpdyError("headers of another dictionary"))?;
                    continue;
                }
                Err(_) => return Err(SpdyError("headers that are no zlib")),
                Ok(Status::StreamEnd) => return Err(SpdyError("headers that end for good")),
                Ok(Status::Ok | Status::BufError) => {}
            }
            if out.len() < out.capacity() && (block.is_empty() || stuck) {
                return if block.is_empty() {
                    Ok(out)
                } else {
                    Err(SpdyError("headers that are no zlib"))
                };
            }
            if out.len() >= LIMIT {
                return Err(SpdyError("too many headers"));
            }
            out.reserve(out.capacity());
        }
    }
}

fn parse(mut block: &[u8]) -> Result<Headers, SpdyError> {
    let count = number(&mut block)?;
    if count > MAX_HEADERS {
        return Err(SpdyError("too many headers"));
    }
    let mut headers = Headers::default();
    for _ in 0..count {
        let name = text(&mut block)?.to_ascii_lowercase();
        let value = text(&mut block)?.to_owned();
        headers.0.push((name, value));
    }
    if block.is_empty() {
        Ok(headers)
    } else {
        Err(SpdyError("more than the headers"))
    }
}

fn number(block: &mut &[u8]) -> Result<u32, SpdyError> {
    block
        .try_get_u32()
        .map_err(|_| SpdyError("headers that are cut short"))
}

fn text<'a>(block: &mut &'a [u8]) -> Result<&'a str, SpdyError> {
    let length = usize::try_from(number(block)?).unwrap_or(usize::MAX);
    let (text, rest) = block
        .split_at_checked(length)
        .ok_or(SpdyError("headers that are cut short"))?;
    *block = rest;
    str::from_utf8(text).map_err(|_| SpdyError("headers that are no text"))
}

/// Writes blocks, in the order they go.
///
/// They are a few dozen bytes, so they go as they are, in zlib's stored form, which keeps a compressor of a quarter of
/// a megabyte out of each connection.
#[derive(Debug, Default)]
pub(super) struct Writer {
    begun: bool,
}

impl Writer {
    pub(super) fn write(&mut self, headers: &[(&str, &str)], to: &mut BytesMut) {
        if !std::mem::replace(&mut self.begun, true) {
            // Deflate with a window of 32 KiB, without a dictionary.
            to.put_slice(&[0x78, 0x01]);
        }
        let mut block = Vec::new();
        block.put_u32(headers.len() as u32);
        for (name, value) in headers {
            for text in [name, value] {
                block.put_u32(text.len() as u32);
                block.put_slice(text.as_bytes());
            }
        }
        stored(&block, to);
        // An empty one tells the reader that it has all.
        stored(&[], to);
    }
}

/// One stored block, of at most 64 KiB.
fn stored(block: &[u8], to: &mut BytesMut) {
    let length = block.len() as u16;
    to.put_u8(0);
    to.put_u16_le(length);
    to.put_u16_le(!length);
    to.put_slice(block);
}

#[cfg(test)]
mod tests;
