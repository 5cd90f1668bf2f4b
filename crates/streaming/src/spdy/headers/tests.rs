//! Blocks from other compressors, and hostile ones.

use flate2::{Compress, Compression, FlushCompress};

use super::*;

fn plain(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    block.put_u32(headers.len() as u32);
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        block.put_u32(text.len() as u32);
        block.put_slice(text.as_bytes());
    }
    block
}

/// A peer that compresses for good, with the dictionary.
struct Peer(Compress);

impl Peer {
    fn new() -> Self {
        let mut compress = Compress::new(Compression::best(), true);
        compress.set_dictionary(DICTIONARY).expect("dictionary");
        Self(compress)
    }

    fn block(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut block = Vec::with_capacity(plain.len() + 1024);
        self.0
            .compress_vec(plain, &mut block, FlushCompress::Sync)
            .expect("compress");
        block
    }
}

#[test]
fn the_dictionary_is_that_of_the_specification() {
    let (low, high) = DICTIONARY
        .iter()
        .fold((1_u32, 0_u32), |(low, high), &byte| {
            let low = (low + u32::from(byte)) % 65521;
            (low, (high + low) % 65521)
        });
    // Its Adler-32, which each zlib stream that uses it begins with.
    assert_eq!(high << 16 | low, 0xe3c6_a7c2);
}

#[test]
fn compressed_blocks_of_one_stream_are_read_in_turn() {
    let (mut peer, mut reader) = (Peer::new(), Reader::new());
    for request in 0..40 {
        let request = request.to_string();
        let block = [
            ("streamtype", "data"),
            ("port", "8080"),
            ("requestid", &*request),
        ];
        let headers = reader.read(&peer.block(&plain(&block))).expect("headers");
        assert_eq!(headers.get("streamtype"), Some("data"));
        assert_eq!(headers.get("requestid"), Some(&*request));
    }
}

#[test]
fn blocks_that_we_write_are_read() {
    let (mut writer, mut reader) = (Writer::default(), Reader::new());
    let long = "x".repeat(9000);
    for value in ["", "error", &long, "data"] {
        let mut block = BytesMut::new();
        writer.write(&[("streamtype", value)], &mut block);
        let headers = reader.read(&block).expect("headers");
        assert_eq!(headers.get("streamtype"), Some(value));
    }
}

#[test]
fn names_are_in_lower_case() {
    let headers = Reader::new().read(&Peer::new().block(&plain(&[("streamType", "error")])));
    assert_eq!(headers.expect("headers").get("streamtype"), Some("error"));
}

#[test]
fn a_block_that_expands_without_end_is_refused() {
    let value = "a".repeat(10 << 20);
    let block = Peer::new().block(&plain(&[("streamtype", &value)]));
    assert!(block.len() < 16 << 10, "{}", block.len());
    let error = Reader::new().read(&block).expect_err("too much");
    assert_eq!(error.to_string(), "SPDY: too many headers");
}

#[test]
fn hostile_blocks_are_refused() {
    let many = vec![("a", "b"); 65];
    let cases: &[(&str, Vec<u8>)] = &[
        ("too many", plain(&many)),
        ("a count without headers", vec![0, 0, 0, 1]),
        (
            "a length beyond the end",
            vec![0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        ),
        (
            "no text",
            [&[0, 0, 0, 1, 0, 0, 0, 1, 0xff][..], &[0, 0, 0, 0]].concat(),
        ),
        ("more than headers", [&plain(&[])[..], &[0]].concat()),
        ("nothing", Vec::new()),
    ];
    for (what, block) in cases {
        let read = Reader::new().read(&Peer::new().block(block));
        assert!(read.is_err(), "{what}: {read:?}");
    }
    for (what, block) in [
        ("no zlib", &b"nonsense"[..]),
        ("no deflate", &[0x78, 0x01, 0x07, 0xff][..]),
        (
            "the end of a stream",
            &[0x78, 0x01, 0x03, 0x00, 0, 0, 0, 1][..],
        ),
        ("another dictionary", &[0x78, 0xbb, 1, 2, 3, 4][..]),
        ("empty", &[][..]),
    ] {
        let read = Reader::new().read(block);
        assert!(read.is_err(), "{what}: {read:?}");
    }
}
