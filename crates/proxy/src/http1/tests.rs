//! However bytes are cut, they mean the same; and whatever they are, reading them ends.

use proptest::prelude::*;

use super::Limits;
use super::chunked::{Decoder, Step};
use super::parse::{self, HeadScan};
use crate::buffer::{Buffer, Size};

/// What a decoder makes of `bytes` that arrive in pieces of `sizes`: the data, whether it ended, and what is left.
fn decode(bytes: &[u8], sizes: &[usize]) -> Result<(Vec<u8>, bool, Vec<u8>), &'static str> {
    let (mut decoder, mut input, mut data) = (Decoder::new(), Buffer::new(), Vec::new());
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    loop {
        match decoder.next(&mut input, &Limits::default())? {
            Step::Data(piece) => data.extend_from_slice(piece.bytes()),
            Step::End => {
                let left = [input.bytes(), rest].concat();
                return Ok((data, true, left));
            }
            Step::More if rest.is_empty() => return Ok((data, false, Vec::new())),
            Step::More => {
                let count = sizes
                    .next()
                    .map_or(1, |size| (*size).max(1))
                    .min(rest.len());
                input.reserve(Size::Small);
                let count = input.put(&rest[..count]);
                rest = &rest[count..];
            }
        }
    }
}

proptest! {
    #[test]
    fn chunks_are_the_same_however_they_are_cut(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8),
        sizes in prop::collection::vec(1_usize..50, 1..8),
        after in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut coded = Vec::new();
        for chunk in &chunks {
            coded.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(b"0\r\nSum: 1\r\n\r\n");
        let body = chunks.concat();
        for cut in [&sizes[..], &[10_000]] {
            let bytes = [&coded[..], &after].concat();
            prop_assert_eq!(decode(&bytes, cut), Ok((body.clone(), true, after.clone())));
        }
        for length in 0..coded.len() {
            let begun = decode(&coded[..length], &sizes);
            prop_assert!(matches!(&begun, Ok((_, false, _))), "{:?}", begun);
        }
    }

    #[test]
    fn nothing_that_comes_in_place_of_chunks_does_harm(
        bytes in prop::collection::vec(prop::sample::select(&b"0123aF;=\r\n\r\n x\0\xff"[..]), 0..80),
        sizes in prop::collection::vec(1_usize..9, 1..8),
    ) {
        // Cut or whole, it is taken or refused alike.
        let (cut, whole) = (decode(&bytes, &sizes), decode(&bytes, &[1_000]));
        prop_assert_eq!(cut.is_ok(), whole.is_ok());
        if let (Ok(cut), Ok(whole)) = (cut, whole) {
            prop_assert_eq!(cut, whole);
        }
    }

    #[test]
    fn nothing_that_comes_in_place_of_a_head_does_harm(
        start in prop::sample::select(&["GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", ""][..]),
        bytes in prop::collection::vec(prop::sample::select(&b"aT:, \t\r\n\r\n\r\n\0\xff"[..]), 0..80),
    ) {
        let whole = [start.as_bytes(), &bytes, b"\r\n\r\n"].concat();
        let mut scan = HeadScan::default();
        let all = HeadScan::default().find(&whole);
        let by_bytes = (0..=whole.len()).find_map(|length| scan.find(&whole[..length]).transpose());
        prop_assert_eq!(&by_bytes.transpose(), &all);
        if let Ok(Some(length)) = all {
            let head = &whole[..length];
            for fields in [
                parse::request(head, &Limits::default()).ok().map(|head| head.headers().clone()),
                parse::response(head).ok().map(|head| head.headers().clone()),
            ] {
                for field in fields.iter().flat_map(|fields| fields.iter()) {
                    prop_assert!(crate::message::is_token(field.name));
                    prop_assert!(crate::message::is_value(field.value));
                }
            }
        }
    }
}
