//! Frames, read.

use bytes::{Buf, BytesMut};

use super::frame::{FIN, HEADERS, PING, RST_STREAM, SYN_REPLY, SYN_STREAM, VERSION};
use super::{Headers, SpdyError, headers};

/// The longest control frame. Those of Kubernetes are a hundred bytes.
const MAX_CONTROL: usize = 16 << 10;
/// A frame's head, in bytes.
const HEAD: usize = 8;
/// A stream's number has 31 bits.
const STREAM: u32 = 0x7fff_ffff;

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A stream is opened.
    SynStream {
        /// Its number.
        stream: u32,
        /// Whoever opened it sends nothing on it.
        fin: bool,
        /// What it is for.
        headers: Headers,
    },
    /// A part of a stream, if only an empty one.
    Data {
        /// Its number.
        stream: u32,
        /// Its bytes.
        part: BytesMut,
        /// It is the last part.
        fin: bool,
    },
    /// A stream is cut off.
    Reset(u32),
    /// To be answered with the same number.
    Ping(u32),
}

/// Reads frames out of a buffer that the caller fills. Holds no more than what it was given, and of a frame of data
/// only what [`Decoder::event`] has not returned yet.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    /// The frame of data whose payload is at hand.
    data: Option<Data>,
    headers: headers::Reader,
}

#[derive(Clone, Copy, Debug)]
struct Data {
    stream: u32,
    remaining: usize,
    fin: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            data: None,
            headers: headers::Reader::new(),
        }
    }
}

impl Decoder {
    /// Where the bytes that arrive go.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next thing that arrived; `None` once more bytes are needed.
    ///
    /// # Errors
    ///
    /// The other side breaks the protocol, or a limit. No more can be read from it.
    pub fn event(&mut self) -> Result<Option<Event>, SpdyError> {
        loop {
            if let Some(data) = self.data {
                return Ok(self.part(data));
            }
            let &[a, b, c, d, flags, high, middle, low, ..] = &self.buffer[..] else {
                return Ok(None);
            };
            let first = u32::from_be_bytes([a, b, c, d]);
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            if a & 0x80 == 0 {
                if first == 0 {
                    return Err(SpdyError("data of stream 0"));
                }
                self.buffer.advance(HEAD);
                self.data = Some(Data {
                    stream: first,
                    remaining: length,
                    fin: flags & FIN != 0,
                });
                continue;
            }
            if u16::from_be_bytes([a & 0x7f, b]) != VERSION {
                return Err(SpdyError("another version"));
            }
            if length > MAX_CONTROL {
                return Err(SpdyError("a control frame that is too long"));
            }
            if self.buffer.len() < HEAD + length {
                return Ok(None);
            }
            self.buffer.advance(HEAD);
            let payload = self.buffer.split_to(length);
            let kind = u16::from_be_bytes([c, d]);
            if let Some(event) = self.control(kind, flags & FIN != 0, &payload)? {
                return Ok(Some(event));
            }
        }
    }

    fn part(&mut self, data: Data) -> Option<Event> {
        let Data {
            stream,
            remaining,
            fin,
        } = data;
        if self.buffer.is_empty() && remaining > 0 {
            return None;
        }
        let part = self.buffer.split_to(remaining.min(self.buffer.len()));
        let remaining = remaining - part.len();
        self.data = (remaining > 0).then_some(Data { remaining, ..data });
        Some(Event::Data {
            stream,
            part,
            fin: fin && remaining == 0,
        })
    }

    fn control(
        &mut self,
        kind: u16,
        fin: bool,
        mut payload: &[u8],
    ) -> Result<Option<Event>, SpdyError> {
        let payload = &mut payload;
        Ok(Some(match kind {
            SYN_STREAM => {
                let stream = stream(payload)?;
                // The stream it belongs to, a priority and a certificate: nothing of it is used.
                let block = payload.get(6..).ok_or(CUT_SHORT)?;
                Event::SynStream {
                    stream,
                    fin,
                    headers: self.headers.read(block)?,
                }
            }
            // Their headers are read, since all headers are one zlib stream, and not minded.
            SYN_REPLY | HEADERS => {
                let stream = stream(payload)?;
                self.headers.read(payload)?;
                Event::Data {
                    stream,
                    part: BytesMut::new(),
                    fin,
                }
            }
            RST_STREAM => Event::Reset(stream(payload)?),
            PING => Event::Ping(payload.try_get_u32().map_err(|_| CUT_SHORT)?),
            // GOAWAY, which the end of the connection follows; SETTINGS and WINDOW_UPDATE, which are about flow control;
            // and what may be passed over by the specification.
            _ => return Ok(None),
        }))
    }
}

const CUT_SHORT: SpdyError = SpdyError("a control frame that is cut short");

fn stream(payload: &mut &[u8]) -> Result<u32, SpdyError> {
    match payload.try_get_u32().map_err(|_| CUT_SHORT)? & STREAM {
        0 => Err(SpdyError("a control frame of stream 0")),
        stream => Ok(stream),
    }
}
