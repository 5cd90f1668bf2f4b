//! Frames, written.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Role, mask};

/// Writes a frame that is a message of its own: its head, with the first bytes of its payload, and the rest of it.
pub(crate) fn encode(role: Role, opcode: u8, first: &[u8], rest: Bytes) -> (Bytes, Bytes) {
    let mut head = BytesMut::with_capacity(14 + first.len());
    let length = first.len() + rest.len();
    let masked = if role == Role::Client { 0x80 } else { 0 };
    head.put_u8(0x80 | opcode);
    match length {
        0..126 => head.put_u8(masked | length as u8),
        126..0x1_0000 => {
            head.put_u8(masked | 126);
            head.put_u16(length as u16);
        }
        _ => {
            head.put_u8(masked | 127);
            head.put_u64(length as u64);
        }
    }
    if role == Role::Server {
        head.put_slice(first);
        return (head.freeze(), rest);
    }
    let key = random();
    head.put_slice(&key);
    let start = head.len();
    head.put_slice(first);
    mask(key, 0, &mut head[start..]);
    let mut rest = rest
        .try_into_mut()
        .unwrap_or_else(|rest| BytesMut::from(&rest[..]));
    mask(key, first.len(), &mut rest);
    (head.freeze(), rest.freeze())
}

/// Random bytes, from the kernel.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Up to 256 bytes always come whole. They protect caches in between, and there are none at a local socket: a
    // kernel without them is no reason to fail.
    let _ = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    bytes
}
