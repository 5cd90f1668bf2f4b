//! Frames, read.

use bytes::{Buf, BytesMut};

use super::{
    BINARY, CLOSE, CONTINUATION, NORMAL_CLOSURE, PING, PONG, Role, TEXT, WebSocketError, mask,
};

/// The longest payload of a control frame.
const MAX_CONTROL: u64 = 125;

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A part of a message.
    Data {
        /// Its bytes; may be none.
        part: BytesMut,
        /// It is the first part of its message.
        first: bool,
    },
    /// To be answered with a pong of the same payload.
    Ping(BytesMut),
    /// The other side ends the connection, with this code.
    Close(u16),
}

/// Reads frames out of a buffer that the caller fills. Holds no more than what it was given, and of a message only
/// what [`Decoder::event`] has not returned yet.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    buffer: BytesMut,
    state: State,
    /// A message has begun and goes on in the next frame.
    fragmented: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Payload {
        remaining: u64,
        key: Option<[u8; 4]>,
        offset: usize,
        first: bool,
    },
}

struct Head {
    fin: bool,
    opcode: u8,
    length: u64,
    key: Option<[u8; 4]>,
    /// Of the head itself, in bytes.
    size: usize,
}

impl Decoder {
    /// For the end of a connection that `role` is.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            buffer: BytesMut::new(),
            state: State::Head,
            fragmented: false,
        }
    }

    /// Where the bytes that arrive go.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next thing that arrived; `None` once more bytes are needed.
    ///
    /// # Errors
    ///
    /// The other side breaks the protocol. No more can be read from it.
    pub fn event(&mut self) -> Result<Option<Event>, WebSocketError> {
        loop {
            match self.state {
                State::Payload { .. } => return Ok(self.payload()),
                State::Head => {}
            }
            let Some(head) = self.head()? else {
                return Ok(None);
            };
            if head.opcode < CLOSE {
                self.begin(&head)?;
                continue;
            }
            let length = usize::try_from(head.length).unwrap_or(usize::MAX);
            if self.buffer.len() - head.size < length {
                return Ok(None);
            }
            self.buffer.advance(head.size);
            let mut payload = self.buffer.split_to(length);
            if let Some(key) = head.key {
                mask(key, 0, &mut payload);
            }
            match head.opcode {
                CLOSE => return Ok(Some(Event::Close(close_code(&payload)?))),
                PING => return Ok(Some(Event::Ping(payload))),
                PONG => {}
                _ => return Err(WebSocketError("unknown control frame")),
            }
        }
    }

    /// Reads a frame's head, and leaves it in the buffer. `None` where it is not all there.
    fn head(&self) -> Result<Option<Head>, WebSocketError> {
        let &[first, second, ref rest @ ..] = &self.buffer[..] else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(WebSocketError("an extension that was not agreed on"));
        }
        let (fin, opcode) = (first & 0x80 != 0, first & 0xf);
        let masked = second & 0x80 != 0;
        if masked != (self.role == Role::Server) {
            return Err(WebSocketError("clients must mask, servers must not"));
        }
        let (length, extended) = match (second & 0x7f, rest) {
            (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 2),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 8)
            }
            (126 | 127, _) => return Ok(None),
            (length, _) => (u64::from(length), 0),
        };
        if length >> 63 != 0 {
            return Err(WebSocketError("a length that is negative"));
        }
        if opcode >= CLOSE && (!fin || length > MAX_CONTROL) {
            return Err(WebSocketError("a control frame that is long or in parts"));
        }
        let key = match (masked, &rest[extended..]) {
            (false, _) => None,
            (true, &[a, b, c, d, ..]) => Some([a, b, c, d]),
            (true, _) => return Ok(None),
        };
        Ok(Some(Head {
            fin,
            opcode,
            length,
            key,
            size: 2 + extended + if masked { 4 } else { 0 },
        }))
    }

    fn begin(&mut self, head: &Head) -> Result<(), WebSocketError> {
        let first = match head.opcode {
            CONTINUATION if self.fragmented => false,
            TEXT | BINARY if !self.fragmented => true,
            CONTINUATION | TEXT | BINARY => {
                return Err(WebSocketError("parts of messages out of order"));
            }
            _ => return Err(WebSocketError("unknown data frame")),
        };
        self.fragmented = !head.fin;
        self.buffer.advance(head.size);
        self.state = State::Payload {
            remaining: head.length,
            key: head.key,
            offset: 0,
            first,
        };
        Ok(())
    }

    fn payload(&mut self) -> Option<Event> {
        let State::Payload {
            remaining,
            key,
            offset,
            first,
        } = &mut self.state
        else {
            return None;
        };
        if self.buffer.is_empty() && *remaining > 0 {
            return None;
        }
        let length = usize::try_from(*remaining).map_or(self.buffer.len(), |remaining| {
            remaining.min(self.buffer.len())
        });
        let mut part = self.buffer.split_to(length);
        if let Some(key) = *key {
            mask(key, *offset, &mut part);
        }
        *offset = (*offset + length) % 4;
        *remaining -= length as u64;
        let first = std::mem::take(first);
        if *remaining == 0 {
            self.state = State::Head;
        }
        Some(Event::Data { part, first })
    }
}

fn close_code(payload: &[u8]) -> Result<u16, WebSocketError> {
    match *payload {
        [] => Ok(NORMAL_CLOSURE),
        [a, b, ..] => Ok(u16::from_be_bytes([a, b])),
        [_] => Err(WebSocketError("half a close code")),
    }
}
