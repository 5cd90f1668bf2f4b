//! Any bytes as the blob of a layer: no panic, and nothing changes outside of its directory.
//!
//! Run as root (`cargo fuzz run layer`), with TMPDIR on a tmpfs. The checksums of headers are repaired
//! first, so that the fuzzer gets past them.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (layer, outside) = (directory.path().join("layer"), directory.path().join("outside"));
    fs::create_dir(&layer).expect("create the layer");
    fs::create_dir(&outside).expect("create its neighbour");
    fs::write(outside.join("canary"), "alive").expect("create the canary");

    let limits = image::Limits { entries: 1000, bytes: 1 << 20 };
    let _ = image::fuzzing::unpack(&repaired(bytes), &layer, limits);

    assert_eq!(fs::read(outside.join("canary")).expect("the canary"), b"alive");
    assert_eq!(fs::read_dir(&outside).expect("the neighbour").count(), 1);
    assert_eq!(fs::read_dir(directory.path()).expect("the directory").count(), 2);
    assert!(fs::symlink_metadata(&layer).expect("the layer").is_dir());
});

/// Writes a good checksum into each block that has the magic of a header.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] != *b"ustar" {
            continue;
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes
}
