//! Opens files below a root, and nothing else.
//!
//! `openat2` keeps the promise also while names are changed meanwhile: neither `..` nor a link leads out
//! (`RESOLVE_BENEATH`), and links of `/proc` lead nowhere. With `O_NONBLOCK` a FIFO does not hold up whoever opens it.
//! The root is looked up for each request: it may be made after the proxy started, and a link that is moved to
//! another release counts at once.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

/// Whether the disk may be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Only what the kernel has in memory: on a worker's thread.
    Cached,
    /// As long as it takes.
    Disk,
}

/// Why a file was not opened although it may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk has to be asked.
    Unknown,
    /// It may not be read.
    Denied,
    /// The machine could not.
    Failed(Errno),
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: OwnedFd,
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed: seconds since 1970 and nanoseconds.
    pub modified: (i64, u32),
}

/// A directory.
#[derive(Debug)]
pub struct Root {
    directory: OwnedFd,
    patience: Patience,
}

/// How often a look-up is tried again that was disturbed by somebody who renames.
const ATTEMPTS: usize = 64;

impl Root {
    /// The directory at `path`, links followed. None: there is none.
    ///
    /// # Errors
    /// What stood in the way.
    pub fn open(path: &Path, patience: Patience) -> Result<Option<Self>, Fault> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = open(
            CWD,
            path.as_os_str(),
            flags,
            ResolveFlags::empty(),
            patience,
        )?;
        Ok(opened.map(|directory| Self {
            directory,
            patience,
        }))
    }

    /// The regular file of that name below. None: there is none, or it lies outside.
    ///
    /// # Errors
    /// What stood in the way.
    pub fn file(&self, name: &[u8]) -> Result<Option<Opened>, Fault> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let name = OsStr::from_bytes(name);
        let Some(file) = open(&self.directory, name, flags, beneath, self.patience)? else {
            return Ok(None);
        };
        let facts = fstat(&file).map_err(Fault::Failed)?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        Ok(Some(Opened {
            file,
            size: u64::try_from(facts.st_size).unwrap_or(0),
            modified: (
                facts.st_mtime,
                u32::try_from(facts.st_mtime_nsec).unwrap_or(0),
            ),
        }))
    }
}

fn open(
    directory: impl std::os::fd::AsFd,
    name: &OsStr,
    flags: OFlags,
    mut resolve: ResolveFlags,
    patience: Patience,
) -> Result<Option<OwnedFd>, Fault> {
    if patience == Patience::Cached {
        resolve |= ResolveFlags::CACHED;
    }
    let mut attempts = 0;
    loop {
        return match openat2(directory.as_fd(), name, flags, Mode::empty(), resolve) {
            Ok(file) => Ok(Some(file)),
            // Kernels before 5.12 do not know RESOLVE_CACHED.
            Err(Errno::AGAIN | Errno::INVAL) if patience == Patience::Cached => Err(Fault::Unknown),
            // Something was renamed during a `..`; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) if attempts < ATTEMPTS => {
                attempts += 1;
                continue;
            }
            // XDEV: it leads out. NXIO and NODEV: a socket, or a device that is not there.
            Err(
                Errno::NOENT
                | Errno::NOTDIR
                | Errno::NAMETOOLONG
                | Errno::LOOP
                | Errno::XDEV
                | Errno::NXIO
                | Errno::NODEV,
            ) => Ok(None),
            Err(Errno::ACCESS | Errno::PERM) => Err(Fault::Denied),
            Err(error) => Err(Fault::Failed(error)),
        };
    }
}
