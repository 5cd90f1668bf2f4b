//! Any bytes as an archive that is copied into a directory: no panic, and nothing changes outside of it.
//!
//! Run as root (`cargo fuzz run copy`), with TMPDIR on a tmpfs. The checksums of headers are repaired
//! first, so that the fuzzer gets past them.

#![no_main]

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (inside, outside) = (directory.path().join("inside"), directory.path().join("outside"));
    fs::create_dir(&inside).expect("create the root");
    fs::create_dir(&outside).expect("create its neighbour");
    fs::write(outside.join("canary"), "alive").expect("create the canary");

    let root = fs::File::open(&inside).expect("open the root");
    for path in ["", "new"] {
        let _ = archive::unpack(root.as_fd(), Path::new(path), repaired(bytes).as_slice());
    }

    assert_eq!(fs::read(outside.join("canary")).expect("the canary"), b"alive");
    assert_eq!(fs::read_dir(&outside).expect("the neighbour").count(), 1);
    assert_eq!(fs::read_dir(directory.path()).expect("the directory").count(), 2);
    assert!(fs::symlink_metadata(&inside).expect("the root").is_dir());
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
