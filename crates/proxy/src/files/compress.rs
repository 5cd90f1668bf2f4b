//! Compression on the fly.

use std::io::{self, Write};
use std::task::{Context, Poll};

use flate2::write::GzEncoder;

use crate::buffer::Chunk;
use crate::config::document::ContentCoding;
use crate::exchange::BodySource;
use crate::reason::{Failure, Reason};

use super::body::FileBody;

/// Effort: what each library calls moderate, one below it for gzip, where the step costs much and saves little.
const GZIP_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 3;

/// zstd's window, as a power of two: what RFC 9659 lets a server expect of clients is 23; 1 MiB is enough for texts, and is
/// what a response may cost in memory.
const ZSTD_WINDOW: u32 = 20;

/// Compressed bytes that are worth being sent.
const ENOUGH: usize = 8 * 1024;

/// Pieces that are compressed in a row before the other connections get their turn: some 4 ms.
const IN_A_ROW: u8 = 2;

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

/// A body that is compressed while it is sent.
pub struct Compressed {
    source: FileBody,
    /// None once everything was compressed.
    encoder: Option<Encoder>,
    in_a_row: u8,
}

impl Compressed {
    /// Compresses a body.
    ///
    /// # Errors
    /// [`Reason::FileFailed`]: a coding that is not made here, or no memory for its encoder.
    pub fn new(source: FileBody, coding: ContentCoding) -> Result<Self, Failure> {
        let encoder = match coding {
            ContentCoding::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Encoder::Gzip(GzEncoder::new(Vec::new(), level))
            }
            ContentCoding::Zstd => zstd_encoder(source.length()).map_err(failure)?,
            ContentCoding::Br => return Err(failure("br is not made on the fly")),
        };
        Ok(Self {
            source,
            encoder: Some(encoder),
            in_a_row: 0,
        })
    }

    /// Compresses the last of it.
    fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        match self.encoder.take() {
            Some(Encoder::Gzip(encoder)) => encoder.finish().map_err(failure),
            Some(Encoder::Zstd(encoder)) => encoder.finish().map_err(failure),
            None => Ok(Vec::new()),
        }
    }
}

fn zstd_encoder(length: u64) -> io::Result<Encoder> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.set_pledged_src_size(Some(length))?;
    encoder.window_log(ZSTD_WINDOW)?;
    Ok(Encoder::Zstd(encoder))
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Reason::FileFailed,
        format!("a file cannot be compressed: {error}"),
    )
}

impl Encoder {
    /// Compresses a piece, and gives what has come out so far if that is enough.
    fn add(&mut self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let out = match self {
            Encoder::Gzip(encoder) => {
                encoder.write_all(bytes)?;
                encoder.get_mut()
            }
            Encoder::Zstd(encoder) => {
                encoder.write_all(bytes)?;
                encoder.get_mut()
            }
        };
        Ok((out.len() >= ENOUGH).then(|| std::mem::take(out)))
    }
}

impl BodySource for Compressed {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Failure>> {
        while let Some(encoder) = &mut self.encoder {
            if self.in_a_row == IN_A_ROW {
                self.in_a_row = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let out = match self.source.poll_chunk(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Ready(Ok(Some(piece))) => {
                    self.in_a_row += 1;
                    encoder.add(piece.bytes()).map_err(failure)?
                }
                Poll::Ready(Ok(None)) => Some(self.finish()?),
            };
            if let Some(out) = out.filter(|out| !out.is_empty()) {
                return Poll::Ready(Ok(Some(Chunk::Shared(out.into()))));
            }
        }
        Poll::Ready(Ok(None))
    }
}
