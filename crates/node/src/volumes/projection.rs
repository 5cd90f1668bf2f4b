//! Files of a ConfigMap, Secret, downward API or projected volume, written so that readers see either all
//! of the old content or all of the new (R19.1).
//!
//! ```text
//! key -> ..data/key
//! ..data -> ..2026_11_20_13_00_00.123456789
//! ..2026_11_20_13_00_00.123456789/key
//! ```
//!
//! An update writes a new time-stamped directory, points a new link at it and renames that over `..data`.
//! All is done relative to an open directory, which may lie in a mount that this process does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, chmodat, fchmod, fchown, mkdirat, openat,
    readlinkat, renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

/// One file of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectedFile {
    pub(crate) bytes: Vec<u8>,
    /// Permission bits.
    pub(crate) mode: u32,
}

/// Files by relative path; validation has refused absolute paths and `..`.
pub(crate) type Payload = BTreeMap<String, ProjectedFile>;

const DATA: &str = "..data";
const DATA_NEW: &str = "..data_tmp";

/// Writes `payload` into `dir`. Content that is already there is not written again.
///
/// `group` shall be able to read the files (`fsGroup`, R19.3), `stamp` is the name of a new directory.
pub(crate) fn write(
    dir: BorrowedFd<'_>,
    payload: &Payload,
    group: Option<u32>,
    stamp: &str,
) -> Result<(), Errno> {
    let mut payload = payload.clone();
    if group.is_some() {
        payload.values_mut().for_each(|file| file.mode |= 0o040);
    }
    let payload = &payload;
    let current = readlinkat(dir, DATA, Vec::new())
        .ok()
        .and_then(|link| link.into_string().ok());
    if let Some(current) = &current
        && same(dir, current, payload)?
    {
        return Ok(());
    }
    let fresh = format!("..{stamp}");
    mkdirat(dir, &*fresh, Mode::from_raw_mode(0o755))?;
    let target = open_dir(dir, &fresh)?;
    fchmod(&target, Mode::from_raw_mode(0o755))?;
    for (path, file) in payload {
        write_file(target.as_fd(), path, file, group)?;
    }
    match unlinkat(dir, DATA_NEW, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error),
    }
    symlinkat(&*fresh, dir, DATA_NEW)?;
    renameat(dir, DATA_NEW, dir, DATA)?;

    let wanted: BTreeSet<&str> = payload.keys().map(|path| first_element(path)).collect();
    for name in &wanted {
        match symlinkat(format!("{DATA}/{name}"), dir, *name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
    for name in entries(dir)? {
        if !name.starts_with("..") && !wanted.contains(name.as_str()) {
            unlinkat(dir, &*name, AtFlags::empty())?;
        }
    }
    match current {
        Some(current) => remove_tree(dir, &current),
        None => Ok(()),
    }
}

fn same(dir: BorrowedFd<'_>, current: &str, payload: &Payload) -> Result<bool, Errno> {
    let current = open_dir(dir, current)?;
    if files_below(current.as_fd(), "")? != payload.keys().cloned().collect() {
        return Ok(false);
    }
    for (path, file) in payload {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut bytes = Vec::new();
        let opened = std::fs::File::from(openat(&current, path.as_str(), flags, Mode::empty())?);
        let mode = opened
            .metadata()
            .map(|meta| std::os::unix::fs::MetadataExt::mode(&meta) & 0o7777);
        let read = std::io::Read::read_to_end(&mut &opened, &mut bytes);
        if read.is_err() || bytes != file.bytes || mode.is_ok_and(|mode| mode != file.mode) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_file(
    dir: BorrowedFd<'_>,
    path: &str,
    file: &ProjectedFile,
    group: Option<u32>,
) -> Result<(), Errno> {
    if let Some((parents, _)) = path.rsplit_once('/') {
        let mut so_far = String::new();
        for element in parents.split('/') {
            so_far = if so_far.is_empty() {
                element.to_owned()
            } else {
                format!("{so_far}/{element}")
            };
            match mkdirat(dir, &*so_far, Mode::from_raw_mode(0o755)) {
                Ok(()) => chmodat(dir, &*so_far, Mode::from_raw_mode(0o755), AtFlags::empty())?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = openat(dir, path, flags, Mode::from_raw_mode(0o600))?;
    if let Some(group) = group {
        fchown(&fd, None, Some(Gid::from_raw(group)))?;
    }
    fchmod(&fd, Mode::from_raw_mode(file.mode))?;
    std::fs::File::from(fd)
        .write_all(&file.bytes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

fn first_element(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn open_dir(dir: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat(dir, path, flags, Mode::empty())
}

fn entries(dir: BorrowedFd<'_>) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}

fn files_below(dir: BorrowedFd<'_>, prefix: &str) -> Result<BTreeSet<String>, Errno> {
    let mut found = BTreeSet::new();
    for name in entries(dir)? {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        if is_dir(dir, &name)? {
            found.extend(files_below(open_dir(dir, &name)?.as_fd(), &path)?);
        } else {
            found.insert(path);
        }
    }
    Ok(found)
}

fn is_dir(dir: BorrowedFd<'_>, name: &str) -> Result<bool, Errno> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn remove_tree(dir: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
    let inner = open_dir(dir, name)?;
    for entry in entries(inner.as_fd())? {
        if is_dir(inner.as_fd(), &entry)? {
            remove_tree(inner.as_fd(), &entry)?;
        } else {
            unlinkat(&inner, &*entry, AtFlags::empty())?;
        }
    }
    unlinkat(dir, name, AtFlags::REMOVEDIR)
}

/// Gives a directory to `fsGroup`: group owner, group access and the set-group-ID bit, as the kubelet does.
pub(crate) fn give_to_group(dir: BorrowedFd<'_>, group: u32) -> Result<(), Errno> {
    fchown(dir, None, Some(Gid::from_raw(group)))?;
    let mode = rustix::fs::fstat(dir)?.st_mode & 0o7777;
    fchmod(dir, Mode::from_raw_mode(mode | 0o2770))
}

#[cfg(test)]
mod tests;
