//! Frames of all kinds, cut at all places, and bytes that are none.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

/// What a decoder makes of bytes that arrive in parts: messages, pings and the close code.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    messages: Vec<Vec<u8>>,
    pings: Vec<Vec<u8>>,
    close: Option<u16>,
}

fn decode(role: Role, bytes: &[u8], part: usize) -> Result<Seen, WebSocketError> {
    let mut decoder = Decoder::new(role);
    let mut seen = Seen::default();
    for part in bytes.chunks(part.max(1)) {
        decoder.buffer().extend_from_slice(part);
        while let Some(event) = decoder.event()? {
            match event {
                Event::Data { part, first: true } => seen.messages.push(part.to_vec()),
                Event::Data { part, first: false } => {
                    let message = seen.messages.last_mut().expect("a message goes on");
                    message.extend_from_slice(&part);
                }
                Event::Ping(payload) => seen.pings.push(payload.to_vec()),
                Event::Close(code) => seen.close = Some(code),
            }
        }
        let held = decoder.buffer().len();
        assert!(held <= part.len() + 139, "{held} bytes are held");
    }
    Ok(seen)
}

fn encoded(role: Role, opcode: u8, first: &[u8], rest: &[u8]) -> Vec<u8> {
    let (head, rest) = encode(role, opcode, first, Bytes::copy_from_slice(rest));
    [&head[..], &rest[..]].concat()
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..9), prop::collection::vec(any::<u8>(), 0..70_000)), 0..4),
        part in 1_usize..9_000,
        client: bool,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let mut bytes = Vec::new();
        let mut expected = Seen::default();
        for (first, rest) in &messages {
            bytes.extend(encoded(role, BINARY, first, rest));
            bytes.extend(encoded(role, PING, &[], &first[..]));
            expected.messages.push([&first[..], &rest[..]].concat());
            expected.pings.push(first.clone());
        }
        bytes.extend(encoded(role, CLOSE, &[], &[0x03, 0xe8]));
        expected.close = Some(1000);
        prop_assert_eq!(decode(other(role), &bytes, part).expect("frames"), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), part in 1_usize..64) {
        for role in [Role::Client, Role::Server] {
            let _ = decode(role, &bytes, part);
        }
    }
}

#[test]
fn a_message_in_parts_is_one_with_pings_in_between() {
    // "Hel", a ping, "lo", as the specification has it (section 5.7), from a server.
    let bytes = [
        &[0x01, 0x03, 0x48, 0x65, 0x6c][..],
        &[0x89, 0x00],
        &[0x80, 0x02, 0x6c, 0x6f],
    ]
    .concat();
    let seen = decode(Role::Client, &bytes, 1).expect("frames");
    assert_eq!(seen.messages, [b"Hello"]);
    assert_eq!(seen.pings, [b""]);
}

#[test]
fn a_masked_frame_is_read_as_the_specification_shows() {
    let bytes = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    for part in 1..=bytes.len() {
        let seen = decode(Role::Server, &bytes, part).expect("frames");
        assert_eq!(seen.messages, [b"Hello"]);
    }
}

#[test]
fn a_part_of_a_long_message_is_passed_on_at_once() {
    let mut decoder = Decoder::new(Role::Client);
    // A message of 4 EiB.
    let head = [0x82, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0];
    decoder.buffer().extend_from_slice(&head);
    decoder.buffer().extend_from_slice(b"abc");
    let event = decoder.event().expect("frames");
    let part = BytesMut::from(&b"abc"[..]);
    assert_eq!(event, Some(Event::Data { part, first: true }));
    assert!(decoder.buffer().is_empty());
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    let cases: &[(&str, &[u8])] = &[
        ("masked by a server", &[0x82, 0x80, 0, 0, 0, 0]),
        ("an extension", &[0xc2, 0x00]),
        ("an unknown opcode", &[0x83, 0x00]),
        ("an unknown control opcode", &[0x8b, 0x00]),
        ("a part of no message", &[0x80, 0x00]),
        ("a message in a message", &[0x02, 0x00, 0x82, 0x00]),
        ("a ping in parts", &[0x09, 0x00]),
        ("a long ping", &[0x89, 0x7e, 0, 126]),
        (
            "a negative length",
            &[0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ),
        ("half a close code", &[0x88, 0x01, 0x03]),
    ];
    for (what, bytes) in cases {
        assert!(decode(Role::Client, bytes, 64).is_err(), "{what}");
    }
    assert!(decode(Role::Server, &[0x82, 0x00], 64).is_err(), "unmasked");
}
