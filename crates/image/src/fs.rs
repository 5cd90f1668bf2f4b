//! Trees of files by descriptors: removing and looking at them without following a link.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::path::Arg;

/// Opens the directory `name` of `parent` itself, not what a link leads to.
pub(crate) fn open_directory(
    parent: BorrowedFd<'_>,
    name: impl Arg,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// A whiteout in the form of overlayfs: a character device 0/0.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Removes what lies under a name, with all below it. Nothing there is fine.
pub(crate) fn remove_tree(parent: BorrowedFd<'_>, name: impl Arg + Copy) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // Linux says EISDIR for a directory; POSIX says EPERM.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(e) => return Err(e),
    }
    let directory = match open_directory(parent, name) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(()),
        Err(e) => return Err(e),
    };
    for_each(directory.as_fd(), |child| {
        remove_tree(directory.as_fd(), child)
    })?;
    match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

/// Calls `visit` for each name in a directory. All names are read first: so the visitor may change
/// the directory, and walking a deep tree holds one descriptor less for each level.
pub(crate) fn for_each<E: From<Errno>>(
    directory: BorrowedFd<'_>,
    mut visit: impl FnMut(&CStr) -> Result<(), E>,
) -> Result<(), E> {
    for name in names(directory)? {
        visit(&name)?;
    }
    Ok(())
}

fn names(directory: BorrowedFd<'_>) -> rustix::io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}
