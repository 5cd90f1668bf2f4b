//! Tells compressed streams from plain ones by their first bytes, never by what a media type
//! claims, and decompresses them.

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use archive::BLOCK;

/// How much is read at once from the source, and decompressed at once.
pub(crate) const BUFFER: usize = 128 * 1024;

/// A stream whose first bytes have been looked at, and are read again.
pub(crate) type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    /// Known by its first bytes, and not supported: the name of the program that decompresses it.
    Other(&'static str),
}

/// A decompressing reader.
pub(crate) enum Decoder<R: Read> {
    None(BufReader<R>),
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<R>>>),
}

impl Compression {
    /// Of a stream that begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, 8, ..] => Compression::Gzip,
            // A frame, or a skippable frame, which may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Other("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => {
                Compression::Other("bzip2")
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Compression::Other("lz4"),
            [b'P', b'K', 3, 4, ..] => Compression::Other("unzip"),
            _ => Compression::None,
        }
    }
}

impl<R: Read> Decoder<R> {
    /// A reader of what `input`, compressed so, holds. What is not supported is passed on as it is.
    pub(crate) fn new(input: R, compression: Compression) -> io::Result<Decoder<R>> {
        let input = BufReader::with_capacity(BUFFER, input);
        Ok(match compression {
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(input))),
            Compression::Zstd => Decoder::Zstd(Box::new(zstd::Decoder::with_buffer(input)?)),
            Compression::None | Compression::Other(_) => Decoder::None(input),
        })
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::None(input) => input.read(buf),
            Decoder::Gzip(input) => input.read(buf),
            Decoder::Zstd(input) => input.read(buf),
        }
    }
}

/// Looks at the first bytes of `input`, at most one block of a tar archive.
pub(crate) fn peek<R: Read>(mut input: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::with_capacity(BLOCK);
    input.by_ref().take(BLOCK as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}
