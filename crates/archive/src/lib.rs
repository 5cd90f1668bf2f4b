//! Tar archives: read safely, made of a directory tree, unpacked into one.
//!
//! [`Archive`] reads what is hostile until read. [`pack`] and [`unpack`] copy between a tree and a stream: of a container or of
//! this machine, as [`root`](unpack) says, which nothing that is read or written leaves. Everything here blocks and needs
//! little memory whatever the archive holds.
//!
//! What this crate does not do: layers of images with their owners, whiteouts and digests (that is `image`).

mod pack;
mod path;
mod read;
mod skipped;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod unpack;

pub use pack::{PackError, pack};
pub use read::{Archive, BLOCK, Chunk, Entry, Error, Kind, Time, looks_like_tar, shown};
pub use unpack::{UnpackError, unpack, unpack_onto};
