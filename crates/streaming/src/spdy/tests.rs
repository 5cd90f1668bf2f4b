//! Frames of all kinds, cut at all places, and bytes that are none.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

/// What a decoder makes of bytes that arrive in parts: the bytes of each stream, and all other events.
fn decode(bytes: &[u8], part: usize) -> Result<Vec<String>, SpdyError> {
    let mut decoder = Decoder::default();
    let mut seen: Vec<String> = Vec::new();
    let mut open: Option<(u32, Vec<u8>)> = None;
    for part in bytes.chunks(part.max(1)) {
        decoder.buffer().extend_from_slice(part);
        while let Some(event) = decoder.event()? {
            match event {
                Event::Data { stream, part, fin } => {
                    let (last, mut bytes) = open.take().unwrap_or((stream, Vec::new()));
                    bytes.extend_from_slice(&part);
                    if last == stream && !fin {
                        open = Some((stream, bytes));
                    } else {
                        seen.push(format!("{stream}: {}", String::from_utf8_lossy(&bytes)));
                    }
                }
                Event::SynStream {
                    stream,
                    fin,
                    headers,
                } => {
                    let kind = headers.get("streamtype").unwrap_or("?");
                    seen.push(format!("{stream} opens for {kind}, {fin}"));
                }
                Event::Reset(stream) => seen.push(format!("{stream} is reset")),
                Event::Ping(id) => seen.push(format!("ping {id}")),
            }
        }
        let held = decoder.buffer().len();
        assert!(held <= (16 << 10) + 8 + part.len(), "{held} bytes are held");
    }
    Ok(seen)
}

fn control(kind: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![0x80, 3];
    bytes.extend(kind.to_be_bytes());
    bytes.extend([flags, length[1], length[2], length[3]]);
    bytes.extend(payload);
    bytes
}

fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = stream.to_be_bytes().to_vec();
    bytes.extend([flags, length[1], length[2], length[3]]);
    bytes.extend(payload);
    bytes
}

fn headers(writer: &mut headers::Writer, kind: &str) -> BytesMut {
    let mut block = BytesMut::new();
    writer.write(&[("streamtype", kind)], &mut block);
    block
}

#[test]
fn frames_are_read_however_they_are_cut() {
    let mut writer = headers::Writer::default();
    let head = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let bytes = [
        // SETTINGS, one of them, and WINDOW_UPDATE: passed over.
        control(4, 0, &[0, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 0]),
        control(9, 0, &[0, 0, 0, 1, 0, 1, 0, 0]),
        control(1, 1, &[&head[..], &headers(&mut writer, "error")].concat()),
        control(
            2,
            0,
            &[&[0, 0, 0, 3][..], &headers(&mut writer, "x")].concat(),
        ),
        data(3, 0, b"spdy "),
        data(3, 1, b"and on"),
        control(6, 0, &[0, 0, 0, 5]),
        control(3, 0, &[0, 0, 0, 3, 0, 0, 0, 5]),
        // GOAWAY.
        control(7, 0, &[0, 0, 0, 3, 0, 0, 0, 0]),
    ]
    .concat();
    for part in 1..bytes.len() {
        let seen = decode(&bytes, part).expect("frames");
        let expected = [
            "1 opens for error, true",
            "3: spdy and on",
            "ping 5",
            "3 is reset",
        ];
        assert_eq!(seen, expected, "in parts of {part}");
    }
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    let mut writer = headers::Writer::default();
    let zero = [&[0; 10][..], &headers(&mut writer, "error")].concat();
    let cases = [
        ("data of no stream", data(0, 0, b"x")),
        ("a stream without a number", control(1, 0, &zero)),
        ("a stream cut short", control(1, 0, &[0, 0, 0, 1, 0, 0])),
        (
            "a stream without headers",
            control(1, 0, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        ),
        ("half a ping", control(6, 0, &[0, 0])),
        ("an empty reset", control(3, 0, &[])),
        ("a long control frame", control(6, 0, &[0; 17 << 10])),
        (
            "another version",
            vec![0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1],
        ),
    ];
    for (what, bytes) in cases {
        assert!(decode(&bytes, 64).is_err(), "{what}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        frames in prop::collection::vec((0_u16..11, any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
        part in 1_usize..64,
    ) {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(kind, flags, payload)| match kind {
                0 => data(u32::from(*flags), *flags, payload),
                10 => payload.clone(),
                _ => control(*kind, *flags, payload),
            })
            .collect();
        let _ = decode(&bytes, part);
    }
}
