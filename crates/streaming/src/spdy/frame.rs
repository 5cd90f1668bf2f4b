//! Frames, written.

use bytes::{BufMut, Bytes, BytesMut};

use super::headers;
use crate::outgoing::Packet;

/// The version that control frames name: 3.1 differs from 3 in flow control only.
pub(super) const VERSION: u16 = 3;

/// Types of control frames.
pub(super) const SYN_STREAM: u16 = 1;
pub(super) const SYN_REPLY: u16 = 2;
pub(super) const RST_STREAM: u16 = 3;
pub(super) const PING: u16 = 6;
pub(super) const HEADERS: u16 = 8;

/// The flag of the last frame of one direction of a stream.
pub(super) const FIN: u8 = 1;

/// Why a stream is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResetStatus {
    Refused = 3,
    Cancel = 5,
}

/// A part of a stream; with `fin` the last one.
pub(crate) fn data(stream: u32, payload: Bytes, fin: bool) -> Packet {
    let mut head = [0; 8];
    head[..4].copy_from_slice(&stream.to_be_bytes());
    // Payloads are far below the 16 MiB that fit.
    head[4..].copy_from_slice(&(payload.len() as u32).to_be_bytes());
    head[4] = if fin { FIN } else { 0 };
    Packet::new(&head, payload)
}

/// Opens a stream; with `fin` one that the opener sends nothing on.
pub(super) fn syn_stream(
    stream: u32,
    block: &mut headers::Writer,
    headers: &[(&str, &str)],
    fin: bool,
) -> Packet {
    let mut payload = BytesMut::new();
    payload.put_u32(stream);
    // Associated with no other stream, of the highest priority, with no certificate.
    payload.put_u32(0);
    payload.put_u16(0);
    block.write(headers, &mut payload);
    control(SYN_STREAM, if fin { FIN } else { 0 }, payload)
}

/// Accepts a stream.
pub(super) fn syn_reply(stream: u32, block: &mut headers::Writer) -> Packet {
    let mut payload = BytesMut::new();
    payload.put_u32(stream);
    block.write(&[], &mut payload);
    control(SYN_REPLY, 0, payload)
}

/// Cuts a stream off, in both directions.
pub(super) fn rst_stream(stream: u32, status: ResetStatus) -> Packet {
    let mut payload = BytesMut::with_capacity(8);
    payload.put_u32(stream);
    payload.put_u32(status as u32);
    control(RST_STREAM, 0, payload)
}

/// A ping, or the answer to one.
pub(super) fn ping(id: u32) -> Packet {
    control(PING, 0, BytesMut::from(&id.to_be_bytes()[..]))
}

fn control(kind: u16, flags: u8, payload: BytesMut) -> Packet {
    let mut head = [0; 8];
    head[..2].copy_from_slice(&(0x8000 | VERSION).to_be_bytes());
    head[2..4].copy_from_slice(&kind.to_be_bytes());
    head[4..].copy_from_slice(&(payload.len() as u32).to_be_bytes());
    head[4] = flags;
    Packet::new(&head, payload.freeze())
}
