//! WebSocket (RFC 6455), as far as Kubernetes uses it: binary messages of any length, which are passed on in parts as
//! they arrive and never held as a whole.

mod decoder;
mod encoder;
pub(crate) mod handshake;

pub use decoder::{Decoder, Event};
pub(crate) use encoder::encode;

/// Opcodes of frames.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// Codes of close frames.
pub(crate) const NORMAL_CLOSURE: u16 = 1000;
pub(crate) const PROTOCOL_ERROR: u16 = 1002;

/// Which end of the connection one is. Clients mask what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asked for the connection.
    Client,
    /// Was asked.
    Server,
}

/// Bytes that are no WebSocket.
#[derive(Debug, thiserror::Error)]
#[error("WebSocket: {0}")]
pub struct WebSocketError(&'static str);

/// Masks or unmasks a payload, of which `offset` bytes came before.
fn mask(key: [u8; 4], offset: usize, payload: &mut [u8]) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let word = u64::from_ne_bytes([
        key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3],
    ]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests;
