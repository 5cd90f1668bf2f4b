//! What can go wrong while a layer is unpacked.

use std::io;

use rustix::io::Errno;

use super::{DEPTH_MAX, PATH_MAX};
use archive::shown;

/// Why a layer was not unpacked. Names of entries are escaped: they come from the archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is damaged, cut short, or could not be read.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// A name or link target with `..`.
    #[error("entry {0:?} leads out of the layer")]
    Outside(String),
    /// An entry below something that is not a directory of the layer.
    #[error("entry {path:?} lies behind {obstacle:?}, which is {what}")]
    Behind {
        /// The entry.
        path: String,
        /// What is in its way.
        obstacle: String,
        /// What that is.
        what: &'static str,
    },
    /// A hard link whose target is not a file of this layer.
    #[error("hard link {path:?}: there is no file {target:?} in the same layer")]
    LinkTarget {
        /// The link.
        path: String,
        /// Its target as written.
        target: String,
    },
    /// A whiteout that names nothing.
    #[error("whiteout {0:?} hides nothing")]
    Whiteout(String),
    /// An owner beyond 32 bits.
    #[error("entry {0:?}: the owner is out of range")]
    Owner(String),
    /// A path that no program could open.
    #[error(
        "entry {0:?} lies more than {DEPTH_MAX} directories deep or is longer than {PATH_MAX} bytes"
    )]
    TooDeep(String),
    /// The archive has more entries than [`Limits::entries`](super::Limits).
    #[error("the archive has more than {0} entries")]
    TooManyEntries(u64),
    /// The names of the directories would not fit into memory.
    #[error("the names of the archive's directories take more than {0} bytes")]
    TooManyNames(u64),
    /// Unpacked, the archive is larger than what is free on the disk, or than
    /// [`Limits::bytes`](super::Limits).
    #[error("unpacked, the archive takes more than the {0} bytes that are free")]
    TooLarge(u64),
    /// The kernel refused a step.
    #[error("{step} {path:?}")]
    Io {
        /// What was to be done.
        step: &'static str,
        /// To which entry.
        path: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The archive ends between two entries, without the blocks that mark its end.
    #[error("the archive has no end marker: it is cut short")]
    NoEnd,
    /// Compressed in a way that is not supported; the name of the program that decompresses it.
    #[error("the archive is compressed, or packed, in a format that is read by `{0}` only")]
    Compression(&'static str),
}

impl Error {
    pub(super) fn io(step: &'static str, path: &[u8], source: impl Into<io::Error>) -> Error {
        Error::Io {
            step,
            path: shown(path),
            source: source.into(),
        }
    }

    pub(super) fn opaque(path: &[u8], source: Errno) -> Error {
        Error::io("mark as opaque", path, source)
    }

    /// Whether this machine is at fault (disk full, no permission), not the archive.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self,
            Error::Io { .. }
                | Error::TooLarge(_)
                | Error::TooManyEntries(_)
                | Error::TooManyNames(_)
        )
    }

    /// What the person in front of the machine can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Io { source, .. } => hint_for(source),
            Error::TooLarge(_) => Some(FREE_SPACE),
            Error::NoEnd | Error::Archive(archive::Error::Truncated(_)) => {
                Some("the download or copy may have been interrupted: get the archive again")
            }
            Error::Compression("xz") => {
                Some("decompress it first, and read it from standard input: xz -dc FILE | ...")
            }
            Error::Compression(_) => {
                Some("decompress it first; gzip and zstd are read as they are")
            }
            _ => None,
        }
    }
}

const FREE_SPACE: &str =
    "free some space on the disk of the image store, or remove images with `pillion image prune`";

/// What to do about an error of the kernel while writing to the store.
pub(crate) fn hint_for(error: &io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::NOSPC | Errno::DQUOT => Some(FREE_SPACE),
        Errno::ROFS => Some(
            "the image store lies on a read-only file system: put it elsewhere with --root DIR or \
             PILLION_ROOT",
        ),
        Errno::PERM | Errno::ACCESS => Some("pillion must run as root to store images"),
        Errno::OPNOTSUPP => Some(
            "the file system of the image store lacks extended attributes: put the store on ext4, \
             xfs or btrfs with --root DIR",
        ),
        _ => None,
    }
}

/// A failed step, before it is known which entry it was for.
pub(super) struct Step {
    step: &'static str,
    cause: Cause,
}

enum Cause {
    Kernel(io::Error),
    Archive(archive::Error),
}

impl Step {
    pub(super) fn io(step: &'static str, source: impl Into<io::Error>) -> Step {
        Step {
            step,
            cause: Cause::Kernel(source.into()),
        }
    }

    pub(super) fn archive(error: archive::Error) -> Step {
        Step {
            step: "read",
            cause: Cause::Archive(error),
        }
    }

    pub(super) fn at(self, path: &[u8]) -> Error {
        match self.cause {
            Cause::Kernel(source) => Error::io(self.step, path, source),
            Cause::Archive(error) => Error::Archive(error),
        }
    }
}
