//! Paths inside a container, resolved so that no symbolic link leads out of it.
//!
//! Everything goes through `openat2`, which keeps its promise also while another container renames things in a shared
//! volume. Paths are never built, checked and then used.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, readlinkat};
use rustix::io::Errno;

/// As many links as the kernel would follow.
const MAX_LINKS: usize = 40;

/// What to create where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
}

/// Opens `path` with `root` as its root: absolute links and `..` stay inside.
pub(super) fn open_in_root(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    open(root, path, ResolveFlags::IN_ROOT)
}

/// Opens `path` beneath `base`; a path or link that leads out is `EXDEV`.
pub(super) fn open_beneath(base: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    open(base, path, ResolveFlags::BENEATH)
}

/// Opens a path that has no link in it at all, for what must be where it says: `/proc`, `/dev`, `/sys`.
pub(super) fn open_plain(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    open(
        root,
        path,
        ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS,
    )
}

fn open(base: BorrowedFd<'_>, path: &Path, how: ResolveFlags) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    loop {
        match openat2(
            base,
            path,
            flags,
            Mode::empty(),
            how | ResolveFlags::NO_MAGICLINKS,
        ) {
            // Something was renamed during a `..`; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

/// Opens `path` in `root` and creates what is missing, its last component as `kind` says, directories before it.
///
/// A dangling link creates what it points to, inside the root, as runc does: images have `/etc/resolv.conf` point to a
/// file that only a running systemd would make.
pub(super) fn open_or_create(root: BorrowedFd<'_>, path: &Path, kind: Kind) -> io::Result<OwnedFd> {
    create_path(
        root,
        path,
        kind,
        Mode::from_raw_mode(0o755),
        open_in_root,
        true,
    )
}

/// Opens the directory or file `path` beneath `base`; what is missing becomes directories of `mode`. A dangling link is an
/// error here.
pub(super) fn open_or_create_beneath(
    base: BorrowedFd<'_>,
    path: &Path,
    mode: Mode,
) -> io::Result<OwnedFd> {
    create_path(base, path, Kind::Directory, mode, open_beneath, false)
}

fn create_path(
    root: BorrowedFd<'_>,
    path: &Path,
    kind: Kind,
    mode: Mode,
    open: fn(BorrowedFd<'_>, &Path) -> io::Result<OwnedFd>,
    follow_dangling: bool,
) -> io::Result<OwnedFd> {
    match open(root, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    // Walk down from the root; `done` is what exists so far, `rest` what is still to come, in reverse.
    let mut done = PathBuf::new();
    let mut rest: Vec<PathBuf> = names(path);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        let next = done.join(&name);
        match open(root, &next) {
            Ok(_) => {
                done = next;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let parent = open(root, &done)?;
        if let Ok(target) = readlinkat(&parent, &name, Vec::new()) {
            links += 1;
            if links > MAX_LINKS {
                return Err(Errno::LOOP.into());
            }
            if !follow_dangling {
                return Err(io::ErrorKind::NotFound.into());
            }
            let target = PathBuf::from(OsStr::from_bytes(target.as_bytes()));
            if target.is_absolute() {
                done = PathBuf::new();
            }
            rest.extend(names(&target));
            continue;
        }
        create(
            parent.as_fd(),
            &name,
            if rest.is_empty() {
                kind
            } else {
                Kind::Directory
            },
            mode,
        )?;
        done = next;
    }
    open(root, &done)
}

/// The components of `path` in reverse. `..` stays one: `openat2` resolves it, with links before it already followed.
fn names(path: &Path) -> Vec<PathBuf> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(PathBuf::from(name)),
            Component::ParentDir => Some(PathBuf::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

fn create(parent: BorrowedFd<'_>, name: &Path, kind: Kind, mode: Mode) -> io::Result<()> {
    let made = match kind {
        Kind::Directory => mkdirat(parent, name, mode),
        Kind::File => openat(
            parent,
            name,
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )
        .map(drop),
    };
    match made {
        // Another container was faster; what it made is opened like anything else.
        Err(Errno::EXIST) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
