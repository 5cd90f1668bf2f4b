//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::reference::{InvalidReference, Reference};
use crate::unpack;

/// Why something was not done with the images of this machine. After an error the store is as it
/// was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A step on a file or directory of the store.
    #[error("{step} {}", path.display())]
    Io {
        /// What was to be done.
        step: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// A document that is no JSON, or not of the expected form.
    #[error("{what}: not a valid document")]
    Document {
        /// Which document.
        what: String,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A blob that is not what its name says.
    #[error("{what}: the content is {actual}, not {expected}")]
    DigestMismatch {
        /// The blob or layer.
        what: String,
        /// What it was said to be.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// An index written by a newer version of this program.
    #[error("the image store {} has version {version}, which is not known here", path.display())]
    Version {
        /// The index of the store.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A layer or document of an image is gone from the store.
    #[error("image {image}: {what} is missing from the image store")]
    Incomplete {
        /// The image.
        image: String,
        /// What is missing.
        what: String,
    },
    /// A layer that cannot be unpacked.
    #[error("unpack {what}")]
    Layer {
        /// The layer, or the root file system.
        what: String,
        /// Why.
        #[source]
        source: unpack::Error,
    },
    /// Reading the archive that holds images.
    #[error("read the image archive")]
    Archive(#[source] unpack::Error),
    /// An archive without images.
    #[error("this is no image archive: {0}")]
    NotAnImageArchive(&'static str),
    /// An image archive where a root file system was expected.
    #[error("this is an image archive, not a root file system")]
    NotARootFs,
    /// A document or layer that the archive refers to and does not hold.
    #[error("the archive lacks {0}, which an image in it needs")]
    Missing(String),
    /// No image for this machine.
    #[error("{what}: no image for {host} among those for {found}")]
    Platform {
        /// The index that was searched.
        what: String,
        /// This machine.
        host: String,
        /// What there is.
        found: String,
    },
    /// An image whose documents contradict each other.
    #[error("{what}: {reason}")]
    Invalid {
        /// The document.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name in the archive that is no image reference.
    #[error("image archive")]
    Name(#[from] InvalidReference),
    /// A name for a new image that has a digest: the digest is what the image makes, not what is
    /// wished for.
    #[error("{0} has a digest, and cannot be given to an image")]
    NameWithDigest(Reference),
    /// No such image.
    #[error("no such image: {0}")]
    NotFound(String),
    /// An ID that several images begin with.
    #[error("several images have IDs that begin with {0}")]
    Ambiguous(String),
    /// An image addressed by its ID has several names.
    #[error("image {id} has several names: {names}")]
    SeveralNames {
        /// The ID as given.
        id: String,
        /// Its names.
        names: String,
    },
    /// A container of a Pod runs from the image.
    #[error("image {0} is in use by a running Pod")]
    InUse(String),
    /// The image that is the program itself.
    #[error("image {0} is the running program itself, and always present")]
    Builtin(String),
}

impl Error {
    pub(crate) fn io(
        step: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Error {
        Error::Io {
            step,
            path: path.into(),
            source: source.into(),
        }
    }

    pub(crate) fn document(what: impl Into<String>, source: serde_json::Error) -> Error {
        Error::Document {
            what: what.into(),
            source,
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Invalid {
            what: what.into(),
            reason: reason.into(),
        }
    }

    /// What the person in front of the machine can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Io { source, .. } => unpack::hint_for(source),
            Error::Layer { source, .. } | Error::Archive(source) => source.hint(),
            Error::NotAnImageArchive(_) => {
                Some("a root file system is imported with `pillion image import FILE --tag NAME`")
            }
            Error::NotARootFs => {
                Some("images of `docker save` and the like: `pillion image load FILE`")
            }
            Error::DigestMismatch { .. } | Error::Missing(_) => {
                Some("the archive is damaged or was changed: save it again")
            }
            Error::Incomplete { .. } => Some("load or import the image again"),
            Error::SeveralNames { .. } => Some("remove its names one by one"),
            Error::InUse(_) => Some("stop the Pod first"),
            _ => None,
        }
    }
}
