//! From the blob of a layer to an unpacked directory, in one pass: both digests are taken while the
//! entries are written.

use std::io::{BufReader, Read};
use std::os::fd::BorrowedFd;

use crate::compression::{BUFFER, Compression, Decoder, peek};
use crate::digest::{Algorithm, Digest, HashReader};
use crate::unpack::{Bounded, Budget, Error, Unpacked, is_exceeded, unpack};

/// A layer that was unpacked, and what it was made from.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Of the blob as it was given, compressed or not.
    pub(crate) blob: Digest,
    pub(crate) compression: Compression,
    /// Of the tar archive in it.
    pub(crate) diff_id: Digest,
    /// Bytes of the tar archive.
    pub(crate) tar_size: u64,
    pub(crate) blob_size: u64,
    pub(crate) unpacked: Unpacked,
}

/// Unpacks the layer `blob` (a tar archive, perhaps compressed) into the empty directory `root`.
/// The digest of the blob is taken by `algorithm`.
pub(crate) fn unpack_blob(
    blob: impl Read,
    algorithm: Algorithm,
    root: BorrowedFd<'_>,
    budget: &mut Budget,
) -> Result<Layer, Error> {
    let read_error = |e| Error::from(archive::Error::Read(e));
    let (head, blob) = peek(blob).map_err(read_error)?;
    let compression = Compression::of(&head);
    if let Compression::Other(program) = compression {
        return Err(Error::Compression(program));
    }
    // Of a plain archive both digests are one; it is not hashed twice.
    let one_digest = compression == Compression::None && algorithm == Algorithm::Sha256;
    let mut blob = if one_digest {
        HashReader::counting(blob)
    } else {
        HashReader::new(blob, algorithm)
    };

    let decoder = Decoder::new(&mut blob, compression).map_err(read_error)?;
    let allowed = budget.bytes();
    let mut tar = Bounded::new(HashReader::new(decoder, Algorithm::Sha256), allowed);
    let result = unpack(BufReader::with_capacity(BUFFER, &mut tar), root, budget);
    let unpacked = result.map_err(|e| {
        if is_exceeded(&e) {
            budget.too_large()
        } else {
            e
        }
    })?;
    let (diff_id, tar_size) = tar.into_inner().finish().map_err(read_error)?;
    budget.spend(tar_size);
    let diff_id = diff_id.unwrap_or_else(|| Digest::of(b""));
    let (digest, blob_size) = blob.finish().map_err(read_error)?;
    let blob = digest.unwrap_or_else(|| diff_id.clone());
    Ok(Layer {
        blob,
        compression,
        diff_id,
        tar_size,
        blob_size,
        unpacked,
    })
}
