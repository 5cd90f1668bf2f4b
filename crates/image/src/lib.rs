//! Images: references, the content-addressed store, unpacking, import and load.
//!
//! Everything here blocks: call it on a thread that may. Archives are hostile until read: what is
//! unpacked stays within its directory, is bounded in entries and bytes, and counts only once its
//! digests are verified. An error leaves the store as it was.
//!
//! What this crate does not do: registries (they will add blobs and a manifest as `load` does),
//! building images, and mounting layers, which is the place of the container crate.

mod builtin;
mod compression;
mod digest;
mod documents;
mod fs;
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod import;
mod layer;
mod load;
mod merge;
mod reference;
mod store;
#[cfg(test)]
mod testing;
mod unpack;

pub use digest::{Digest, InvalidDigest};
pub use image::{Image, ImageConfig};
pub use import::ImportOptions;
pub use load::Loaded;
pub use merge::materialize;
pub use reference::{InvalidReference, Reference};
pub use store::collect::{Freed, Removed};
pub use store::{Error, Selector, Store, Summary};
pub use unpack::{Error as UnpackError, Limits};
