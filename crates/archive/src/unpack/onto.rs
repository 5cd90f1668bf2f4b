//! What was copied out of a container, for whoever asked for it.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::{Names, Target, UnpackError, Unpacker, at};
use crate::read::{Archive, Kind, shown};

/// Unpacks an archive of one file or one directory, as [`pack`](crate::pack) makes it, to `path` of this machine, as
/// `kubectl cp` does: what is in the directory comes to lie in `path`; a file becomes `path`, or comes to lie in it if that is a
/// directory. What is missing of the way there is made.
///
/// `path` is whatever it names, links followed. Of what the archive holds, nothing leads out of it: see [`unpack`](super::unpack).
///
/// # Errors
/// As of [`unpack`](super::unpack); an archive that begins with a file and does not end with it.
pub fn unpack_onto(path: &Path, archive: impl Read) -> Result<Vec<String>, UnpackError> {
    let mut archive = Archive::new(archive);
    let Some(first) = archive.next()? else {
        return Err(archive.truncated().into());
    };
    let directory = first.kind == Kind::Directory;
    let own_name = Path::new(OsStr::from_bytes(&first.path)).file_name();
    let (root, name) = match (directory, path.is_dir(), path.file_name()) {
        (true, ..) => (path, None),
        (false, false, Some(name)) => (path.parent().unwrap_or(Path::new("")), Some(name)),
        (false, ..) => (path, own_name),
    };
    let root = match root.as_os_str().is_empty() {
        true => Path::new("."),
        false => root,
    };
    fs::create_dir_all(root).map_err(|error| at("create", root, error))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = openat(CWD, root, flags, Mode::empty());
    let opened = opened.map_err(|errno| at("open", root, errno.into()))?;
    let target = Target {
        base: PathBuf::new(),
        names: Names::Renamed(name.map(PathBuf::from).unwrap_or_default(), None),
    };
    let mut unpacker = Unpacker::new(opened.as_fd(), target);
    unpacker.entry(&first, &mut archive)?;
    if directory {
        return unpacker.rest(&mut archive);
    }
    // A link might be the first, and the next go through it.
    match archive.next()? {
        None => unpacker.end(&archive),
        Some(second) => Err(UnpackError::SeveralRoots {
            path: path.display().to_string(),
            first: shown(&first.path),
            second: shown(&second.path),
        }),
    }
}

#[cfg(test)]
mod tests;
