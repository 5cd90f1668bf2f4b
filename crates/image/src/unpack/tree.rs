//! The directory a layer is unpacked into, by descriptors: every step is taken from a directory
//! that was reached without following any link.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::attributes;
use super::error::{Error, Step};
use crate::fs::remove_tree;
use archive::shown;

/// An open directory of the layer.
#[derive(Clone)]
pub(super) struct Parent(Rc<OwnedFd>);

impl AsFd for Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

pub(super) struct Tree<'a> {
    root: BorrowedFd<'a>,
    /// The directory used last: archives list the contents of a directory together.
    last: Option<(Vec<u8>, Parent)>,
}

/// Below the root, through nothing but directories of the same file system.
const RESOLVE: ResolveFlags = ResolveFlags::IN_ROOT
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl<'a> Tree<'a> {
    pub(super) fn new(root: BorrowedFd<'a>) -> Result<Tree<'a>, Error> {
        Ok(Tree { root, last: None })
    }

    /// Opens the directory `path` for `entry` in it; creates what is missing of it, and says what.
    pub(super) fn parent(
        &mut self,
        path: &[u8],
        entry: &[u8],
    ) -> Result<(Parent, Vec<Vec<u8>>), Error> {
        if let Some(parent) = self.existing(path)? {
            return Ok((parent, Vec::new()));
        }
        let mut created = Vec::new();
        let mut parent = self
            .open(b"")
            .map_err(|e| Error::io("open directory", path, e))?;
        let mut end = 0;
        for part in path.split(|b| *b == b'/') {
            end += part.len() + usize::from(end > 0);
            let so_far = &path[..end];
            match Self::stat(&parent, part).map_err(|e| e.at(path))? {
                Some(stat) if is_directory(&stat) => {}
                existing => {
                    let hidden = existing.as_ref().is_some_and(is_whiteout);
                    if let Some(stat) = existing.filter(|_| !hidden) {
                        return Err(behind(entry, so_far, &stat));
                    }
                    if hidden {
                        self.remove(&parent, part).map_err(|e| e.at(so_far))?;
                    }
                    rustix::fs::mkdirat(&parent, part, Mode::from(0o755))
                        .map_err(|e| Error::io("create directory", so_far, e))?;
                    let directory = Self::open_child(&parent, part).map_err(|e| e.at(so_far))?;
                    // Whatever the umask of the process is.
                    rustix::fs::fchmod(&directory, Mode::from(0o755))
                        .map_err(|e| Error::io("set the mode of", so_far, e))?;
                    if hidden {
                        attributes::set_opaque(directory.as_fd())
                            .map_err(|e| Error::opaque(so_far, e))?;
                    }
                    created.push(so_far.to_vec());
                }
            }
            parent = Self::open_child(&parent, part).map_err(|e| e.at(so_far))?;
        }
        self.last = Some((path.to_vec(), parent.clone()));
        Ok((parent, created))
    }

    /// Opens the directory `path`; `None` where it does not exist, or is behind something else than
    /// directories.
    pub(super) fn existing(&mut self, path: &[u8]) -> Result<Option<Parent>, Error> {
        if let Some((last, parent)) = &self.last
            && last == path
        {
            return Ok(Some(parent.clone()));
        }
        match self.open(path) {
            Ok(parent) => {
                self.last = Some((path.to_vec(), parent.clone()));
                Ok(Some(parent))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(e) => Err(Error::io("open directory", path, e)),
        }
    }

    /// Opens the directory `base` of `parent`, in which the next entries probably lie.
    pub(super) fn enter(
        &mut self,
        parent: &Parent,
        base: &[u8],
        path: &[u8],
    ) -> Result<Parent, Error> {
        let directory = Self::open_child(parent, base).map_err(|e| e.at(path))?;
        self.last = Some((path.to_vec(), directory.clone()));
        Ok(directory)
    }

    pub(super) fn open_child(parent: &Parent, base: &[u8]) -> Result<Parent, Step> {
        rustix::fs::openat(parent, base, DIRECTORY, Mode::empty())
            .map(|fd| Parent(Rc::new(fd)))
            .map_err(|e| Step::io("open directory", e))
    }

    /// What lies under a name; a symbolic link is itself.
    pub(super) fn stat(parent: &Parent, base: &[u8]) -> Result<Option<Stat>, Step> {
        match rustix::fs::statat(parent, base, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Step::io("look at", e)),
        }
    }

    /// Removes what lies under a name, with all below it.
    pub(super) fn remove(&mut self, parent: &Parent, base: &[u8]) -> Result<(), Step> {
        // The directory that was used last may be among what is removed.
        self.last = None;
        remove_tree(parent.as_fd(), base).map_err(|e| Step::io("replace", e))
    }

    fn open(&self, path: &[u8]) -> rustix::io::Result<Parent> {
        let path: &[u8] = if path.is_empty() { b"." } else { path };
        loop {
            match rustix::fs::openat2(self.root, path, DIRECTORY, Mode::empty(), RESOLVE) {
                // A rename elsewhere on the machine makes the kernel unsure whether the path stayed
                // inside.
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result.map(|fd| Parent(Rc::new(fd))),
            }
        }
    }
}

pub(super) fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// A whiteout in the form of overlayfs. Layers cannot bring one along: device nodes are left out.
pub(super) fn is_whiteout(stat: &Stat) -> bool {
    crate::fs::is_whiteout(stat)
}

fn behind(path: &[u8], obstacle: &[u8], stat: &Stat) -> Error {
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => "a symbolic link",
        _ => "no directory",
    };
    Error::Behind {
        path: shown(path),
        obstacle: shown(obstacle),
        what,
    }
}
