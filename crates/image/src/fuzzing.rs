//! The entrances for fuzzers, past the store and its disk writes. Not an interface for programs.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use crate::digest::Algorithm;
use crate::layer::unpack_blob;
use crate::unpack::{Budget, Error, Limits};

/// Unpacks the blob of a layer into an empty directory.
///
/// # Errors
/// As for a layer of an image.
pub fn unpack(blob: &[u8], directory: &Path, limits: Limits) -> Result<(), Error> {
    let io = |source| Error::Io {
        step: "open directory",
        path: directory.display().to_string(),
        source,
    };
    let root = File::open(directory).map_err(io)?;
    let mut budget = Budget::new(limits, limits.bytes);
    unpack_blob(blob, Algorithm::Sha256, root.as_fd(), &mut budget).map(drop)
}
