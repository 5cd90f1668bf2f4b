//! Layers as plain directories: merging them where there is no overlayfs, and completing one from
//! those below it.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

use crate::fs::{for_each, is_whiteout, open_directory, remove_tree};
use crate::store::Error;
use crate::unpack::OPAQUE_XATTR;
use archive::shown;

mod data;
#[cfg(test)]
mod tests;

/// Copies the merged view of `layers`, bottom to top, into the directory `dest`, which is created
/// and must be empty if it exists: for machines without overlayfs.
///
/// Owners, modes, times, extended attributes, hard links within a layer and holes are kept; data is
/// shared (reflink) where the file system can.
///
/// # Errors
/// Where a file cannot be read or written; `dest` then holds a part of the image.
pub fn materialize<P: AsRef<Path>>(layers: &[P], dest: &Path) -> Result<(), Error> {
    match std::fs::create_dir(dest) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Error::io("create directory", dest, e));
        }
        _ => {}
    }
    for layer in layers {
        copy(layer.as_ref(), dest, Way::Merge)?;
    }
    Ok(())
}

/// Copies a layer as it is, with whiteouts and marks of overlayfs, into the existing directory
/// `dest`.
pub(crate) fn clone(layer: &Path, dest: &Path) -> Result<(), Error> {
    copy(layer, dest, Way::Clone)
}

/// Gives directories of `layer` that no entry described the attributes they have in the layers
/// `below` it, bottom to top.
pub(crate) fn complete(layer: &Path, implied: &[Vec<u8>], below: &[&Path]) -> Result<(), Error> {
    if implied.is_empty() || below.is_empty() {
        return Ok(());
    }
    let fail = |step| move |e: Errno| Error::io(step, layer, e);
    let own = open_directory(CWD, layer).map_err(fail("open layer"))?;
    for path in implied {
        let Found::Directory(directory, false) =
            look_up(own.as_fd(), path).map_err(fail("look at layer"))?
        else {
            continue;
        };
        for lower in below.iter().rev() {
            let lower_fd =
                open_directory(CWD, *lower).map_err(|e| Error::io("open layer", *lower, e))?;
            match look_up(lower_fd.as_fd(), path).map_err(fail("look at layer"))? {
                Found::Directory(source, _) => {
                    copy_attributes(source.as_fd(), directory.as_fd(), Way::Merge)
                        .map_err(fail("complete layer"))?;
                    break;
                }
                Found::Hidden => break,
                Found::Nothing => {}
            }
        }
    }
    Ok(())
}

enum Found {
    /// And whether it, or a directory above it, hides what is below in other layers.
    Directory(OwnedFd, bool),
    /// Nothing, and the layers below are hidden.
    Hidden,
    Nothing,
}

/// Finds the directory `path` in a layer, without following links.
fn look_up(root: BorrowedFd<'_>, path: &[u8]) -> rustix::io::Result<Found> {
    let mut directory = open_directory(root, c".")?;
    let mut opaque = false;
    for part in path.split(|b| *b == b'/') {
        directory = match open_directory(directory.as_fd(), part) {
            Ok(directory) => directory,
            Err(Errno::NOENT) if !opaque => return Ok(Found::Nothing),
            // A whiteout, a link or a file: nothing below it is seen.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Found::Hidden),
            Err(e) => return Err(e),
        };
        opaque |= is_opaque(directory.as_fd())?;
    }
    Ok(Found::Directory(directory, opaque))
}

fn is_opaque(directory: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let mut value = [0u8; 8];
    match rustix::fs::fgetxattr(directory, OPAQUE_XATTR, &mut value) {
        Ok(length) => Ok(value.get(..length) == Some(b"y")),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(e) => Err(e),
    }
}

/// How a layer is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it is.
    Clone,
    /// Over the layers below it.
    Merge,
}

struct Copier {
    mode: Way,
    /// The first name of each file with several, in the destination: its directory and name.
    links: HashMap<(u64, u64), Vec<u8>>,
    dest: OwnedFd,
    /// Where the copy is, relative to the root.
    path: Vec<u8>,
}

fn copy(layer: &Path, dest: &Path, mode: Way) -> Result<(), Error> {
    let source = open_directory(CWD, layer).map_err(|e| Error::io("open layer", layer, e))?;
    let target = open_directory(CWD, dest).map_err(|e| Error::io("open directory", dest, e))?;
    let root = open_directory(CWD, dest).map_err(|e| Error::io("open directory", dest, e))?;
    let mut copier = Copier {
        mode,
        links: HashMap::new(),
        dest: root,
        path: Vec::new(),
    };
    let result = copier.directory(source.as_fd(), target.as_fd());
    result.map_err(|e| Error::io("copy layer to", dest.join(shown(&copier.path)), e))
}

impl Copier {
    fn directory(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
    ) -> rustix::io::Result<()> {
        if self.mode == Way::Merge && is_opaque(source)? {
            for_each(target, |name| remove_tree(target, name))?;
        }
        for_each(source, |name| {
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.entry(source, target, name)?;
            // Kept on an error, for its message.
            self.path.truncate(length);
            Ok::<(), Errno>(())
        })?;
        copy_attributes(source, target, self.mode)
    }

    fn entry(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &std::ffi::CStr,
    ) -> rustix::io::Result<()> {
        let stat = rustix::fs::statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if self.mode == Way::Merge && is_whiteout(&stat) {
            return remove_tree(target, name);
        }
        if kind == FileType::Directory {
            let child = open_directory(source, name)?;
            if let Err(e) = rustix::fs::mkdirat(target, name, Mode::from(0o700)) {
                if e != Errno::EXIST {
                    return Err(e);
                }
                let existing = rustix::fs::statat(target, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if FileType::from_raw_mode(existing.st_mode) != FileType::Directory {
                    remove_tree(target, name)?;
                    rustix::fs::mkdirat(target, name, Mode::from(0o700))?;
                }
            }
            let target = open_directory(target, name)?;
            return self.directory(child.as_fd(), target.as_fd());
        }

        remove_tree(target, name)?;
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
                return rustix::fs::linkat(&self.dest, &first[..], target, name, AtFlags::empty());
            }
            self.links
                .insert((stat.st_dev, stat.st_ino), self.path.clone());
        }
        match kind {
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let from = File::from(rustix::fs::openat(source, name, flags, Mode::empty())?);
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let to = rustix::fs::openat(target, name, flags, Mode::from(0o600))?;
                let to = File::from(to);
                data::copy(&from, &to, stat.st_size as u64)?;
                copy_attributes(from.as_fd(), to.as_fd(), self.mode)
            }
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(source, name, Vec::new())?;
                rustix::fs::symlinkat(link.as_c_str(), target, name)?;
                copy_node_attributes(&stat, target, name)
            }
            FileType::Fifo | FileType::CharacterDevice => {
                let mode = Mode::from_raw_mode(stat.st_mode);
                rustix::fs::mknodat(target, name, kind, mode, stat.st_rdev)?;
                if kind == FileType::Fifo {
                    rustix::fs::chmodat(target, name, mode, AtFlags::empty())?;
                }
                copy_node_attributes(&stat, target, name)
            }
            // Layers hold nothing else.
            _ => Ok(()),
        }
    }
}

fn copy_node_attributes(
    stat: &Stat,
    target: BorrowedFd<'_>,
    name: &std::ffi::CStr,
) -> rustix::io::Result<()> {
    let (uid, gid) = owner(stat);
    rustix::fs::chownat(
        target,
        name,
        Some(uid),
        Some(gid),
        AtFlags::SYMLINK_NOFOLLOW,
    )?;
    rustix::fs::utimensat(target, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)
}

fn copy_attributes(
    source: BorrowedFd<'_>,
    target: BorrowedFd<'_>,
    mode: Way,
) -> rustix::io::Result<()> {
    let stat = rustix::fs::fstat(source)?;
    let (uid, gid) = owner(&stat);
    rustix::fs::fchown(target, Some(uid), Some(gid))?;
    rustix::fs::fchmod(target, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let length = match rustix::fs::flistxattr_query(source) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => 0,
        Err(e) => return Err(e),
    };
    let mut names = vec![0u8; length];
    if length > 0 {
        rustix::fs::flistxattr(source, &mut names[..])?;
    }
    for name in names.split(|b| *b == 0).filter(|name| !name.is_empty()) {
        if mode == Way::Merge && name.starts_with(b"trusted.overlay.") {
            continue;
        }
        let length = rustix::fs::fgetxattr_query(source, name)?;
        let mut value = vec![0u8; length];
        if length > 0 {
            rustix::fs::fgetxattr(source, name, &mut value[..])?;
        }
        match rustix::fs::fsetxattr(target, name, &value, XattrFlags::empty()) {
            // The destination may be a file system without attributes; whiteouts and opaque marks
            // cannot be done without.
            Err(Errno::OPNOTSUPP | Errno::PERM) if mode == Way::Merge => {}
            result => result?,
        }
    }
    rustix::fs::futimens(target, &times(&stat))
}

fn owner(stat: &Stat) -> (Uid, Gid) {
    (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid))
}

fn times(stat: &Stat) -> Timestamps {
    let mtime = Timespec {
        tv_sec: stat.st_mtime as _,
        tv_nsec: stat.st_mtime_nsec as _,
    };
    Timestamps {
        last_access: mtime,
        last_modification: mtime,
    }
}
