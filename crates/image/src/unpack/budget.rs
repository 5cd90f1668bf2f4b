//! How much an archive may unpack to.
//!
//! A few kilobytes of gzip can stand for terabytes or for millions of files. Counted are the
//! entries, and the bytes of the unpacked tar stream, which may not exceed what is free on the disk
//! when unpacking begins.

use std::io::{self, Read};

use super::Error;

/// Bounds for one `import` or `load`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of all layers together.
    pub entries: u64,
    /// Bytes of all unpacked layers together; what is free on the disk bounds them as well.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            entries: 4_000_000,
            bytes: u64::MAX,
        }
    }
}

/// Bytes that the names of an archive's directories may take; they are remembered until its end.
const NAMES_MAX: u64 = 256 << 20;

/// What is left of the [`Limits`].
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    entries: u64,
    bytes: u64,
    names: u64,
}

impl Budget {
    pub(crate) fn new(limits: Limits, free: u64) -> Budget {
        let limits = Limits {
            bytes: limits.bytes.min(free),
            ..limits
        };
        Budget {
            limits,
            entries: limits.entries,
            bytes: limits.bytes,
            names: NAMES_MAX,
        }
    }

    /// Counts one entry.
    pub(crate) fn entry(&mut self) -> Result<(), Error> {
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or(Error::TooManyEntries(self.limits.entries))?;
        Ok(())
    }

    /// Counts a name that is kept in memory.
    pub(super) fn remember(&mut self, path: &[u8]) -> Result<(), Error> {
        let cost = path.len() as u64 + 64;
        self.names = self
            .names
            .checked_sub(cost)
            .ok_or(Error::TooManyNames(NAMES_MAX))?;
        Ok(())
    }

    /// Gives back what [`Budget::remember`] took, at the end of a layer.
    pub(crate) fn forget_names(&mut self) {
        self.names = NAMES_MAX;
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn spend(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    pub(crate) fn too_large(&self) -> Error {
        Error::TooLarge(self.limits.bytes)
    }
}

/// A reader that fails once more than `left` bytes come out of it.
pub(crate) struct Bounded<R> {
    inner: R,
    left: u64,
}

/// Marks the error of a [`Bounded`] reader among those of the source.
#[derive(Debug, thiserror::Error)]
#[error("more bytes than allowed")]
struct Exceeded;

impl<R: Read> Bounded<R> {
    pub(crate) fn new(inner: R, left: u64) -> Bounded<R> {
        Bounded { inner, left }
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(Exceeded)),
        }
        Ok(n)
    }
}

/// Whether `error` came from a [`Bounded`] reader.
pub(crate) fn is_exceeded(error: &Error) -> bool {
    let source = match error {
        Error::Archive(archive::Error::Read(source)) => source,
        _ => return false,
    };
    source.get_ref().is_some_and(|inner| inner.is::<Exceeded>())
}
