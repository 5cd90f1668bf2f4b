//! Unpacks one layer into an empty directory, in the form overlayfs reads.
//!
//! What an entry means is what it means to containerd, with these differences, each to keep a
//! hostile layer harmless:
//! - no path is followed through a symbolic link, not even one that stays within the layer: such an
//!   entry is an error;
//! - a `..` in the name of an entry or in the target of a hard link is an error; a leading `/` is
//!   dropped;
//! - device nodes are left out, outside of `/dev` with a warning: containers get their own `/dev`,
//!   and layers are mounted `nodev`;
//! - `trusted.overlay.*` and `user.overlay.*` attributes are dropped: they would make overlayfs
//!   show other files;
//! - entries, depth and bytes are bounded by a [`Budget`].
//!
//! As for containerd, a hard link needs its target in the same layer, global PAX headers are
//! ignored, and the entry for the root itself is ignored: the root of a container belongs to its
//! topmost, writable layer.
//!
//! Whiteouts become character devices 0/0, opaque directories get `trusted.overlay.opaque`. Both
//! need root.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use archive::{Archive, Entry, Kind, Time, shown};

mod attributes;
mod budget;
mod error;
mod file;
#[cfg(test)]
mod tests;
mod tree;

pub use budget::Limits;
pub(crate) use budget::{Bounded, Budget, is_exceeded};
pub use error::Error;
pub(crate) use error::hint_for;
use tree::{Parent, Tree};

const WHITEOUT: &[u8] = b".wh.";
const WHITEOUT_META: &[u8] = b".wh..wh.";
const WHITEOUT_OPAQUE: &[u8] = b".wh..wh..opq";
/// The attribute by which overlayfs knows an opaque directory; its value is `y`.
pub(crate) const OPAQUE_XATTR: &str = "trusted.overlay.opaque";
/// Directories within directories that an entry may lie in. Removing and copying a tree hold a
/// descriptor for each.
pub(crate) const DEPTH_MAX: usize = 255;
/// Longest path of an entry in bytes: the kernel's.
const PATH_MAX: usize = 4095;
/// Warnings kept for one layer; the rest is counted.
const WARNINGS_MAX: usize = 20;

/// What came of a layer.
#[derive(Debug, Default)]
pub(crate) struct Unpacked {
    /// Bytes of all files.
    pub(crate) size: u64,
    /// The layer hides all layers below it.
    pub(crate) opaque_root: bool,
    /// Directories that no entry described; they take their attributes from the layers below.
    pub(crate) implied: Vec<Vec<u8>>,
    /// The newest modification time of any entry.
    pub(crate) newest: Time,
    /// What was left out.
    pub(crate) warnings: Vec<String>,
    /// Whether the archive had its end marker.
    pub(crate) has_end_marker: bool,
    pub(crate) entries: u64,
}

/// Unpacks the tar archive `input`, which is not compressed, into the empty directory `root`, and
/// reads `input` to its end.
///
/// On an error `root` holds a part of the layer, to be thrown away by the caller.
pub(crate) fn unpack(
    input: impl Read,
    root: BorrowedFd<'_>,
    budget: &mut Budget,
) -> Result<Unpacked, Error> {
    let mut layer = Layer {
        tree: Tree::new(root)?,
        budget,
        directories: HashMap::new(),
        implied: HashSet::new(),
        unpacked: Unpacked::default(),
        more_warnings: 0,
    };
    let mut archive = Archive::new(input);
    while let Some(entry) = archive.next()? {
        layer.budget.entry()?;
        layer.unpacked.entries += 1;
        layer.entry(&entry, &mut archive)?;
    }
    layer.unpacked.has_end_marker = archive.has_end_marker();
    // What follows the archive belongs to the digest.
    io::copy(&mut archive.into_inner(), &mut io::sink())
        .map_err(|e| Error::from(archive::Error::Read(e)))?;
    layer.finish()
}

struct Layer<'a> {
    tree: Tree<'a>,
    budget: &'a mut Budget,
    /// Times of directories, which are set at the end: what is created in a directory changes its
    /// time.
    directories: HashMap<Vec<u8>, Time>,
    implied: HashSet<Vec<u8>>,
    unpacked: Unpacked,
    more_warnings: u64,
}

impl Layer<'_> {
    fn entry<R: Read>(&mut self, entry: &Entry, archive: &mut Archive<R>) -> Result<(), Error> {
        let path = clean(&entry.path)?;
        let (dir, base) = split(&path);
        if base.is_empty() {
            return Ok(());
        }
        if dir
            .split(|b| *b == b'/')
            .any(|part| part.starts_with(WHITEOUT))
        {
            self.warn(format!(
                "entry {:?} was left out: names in `.wh.` are reserved",
                shown(&path)
            ));
            return Ok(());
        }
        let parent = match self.parent(dir, &path, entry.mtime) {
            // umoci adds a whiteout for each file of a directory that became a link. The link hides
            // them already.
            Err(Error::Behind { .. }) if base.starts_with(WHITEOUT) => return Ok(()),
            parent => parent?,
        };
        if base.starts_with(WHITEOUT) {
            return self.whiteout(&parent, dir, base, &path);
        }
        self.unpacked.newest = self.unpacked.newest.max(entry.mtime);
        match entry.kind {
            Kind::Directory => self.directory(&parent, base, &path, entry),
            Kind::File => {
                self.unpacked.size = self.unpacked.size.saturating_add(entry.size);
                let file = self.create(&parent, base, &path, "create file", |dir, base| {
                    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                    rustix::fs::openat(dir, base, flags | OFlags::CLOEXEC, Mode::from(0o600))
                })?;
                let file = std::fs::File::from(file);
                file::write(&file, archive, entry).map_err(|e| e.at(&path))?;
                self.describe(file.as_fd(), &path, entry)?;
                attributes::set_time(file.as_fd(), entry.mtime)
                    .map_err(|e| Error::io("set the time of", &path, e))
            }
            Kind::Symlink => {
                self.create(&parent, base, &path, "create symbolic link", |dir, base| {
                    rustix::fs::symlinkat(entry.link.as_slice(), dir, base)
                })?;
                self.describe_node(&parent, base, &path, entry)
            }
            Kind::Fifo => {
                self.create(&parent, base, &path, "create FIFO", |dir, base| {
                    rustix::fs::mknodat(dir, base, FileType::Fifo, Mode::from(0o600), 0)
                })?;
                self.describe_node(&parent, base, &path, entry)
            }
            Kind::HardLink => self.hard_link(&parent, base, &path, entry),
            Kind::Device => {
                // Every root file system has some in /dev, and every container gets its own /dev.
                if !path.starts_with(b"dev/") {
                    self.warn(format!("device node {:?} was left out", shown(&path)));
                }
                Ok(())
            }
        }
    }

    fn parent(&mut self, dir: &[u8], entry: &[u8], time: Time) -> Result<Parent, Error> {
        let (parent, created) = self.tree.parent(dir, entry)?;
        for path in created {
            self.budget.remember(&path)?;
            self.directories.insert(path.clone(), time);
            self.implied.insert(path);
        }
        Ok(parent)
    }

    fn directory(
        &mut self,
        parent: &Parent,
        base: &[u8],
        path: &[u8],
        entry: &Entry,
    ) -> Result<(), Error> {
        let mut opaque = false;
        if let Err(e) = rustix::fs::mkdirat(parent, base, Mode::from(0o700)) {
            let existing = match e {
                Errno::EXIST => Tree::stat(parent, base).map_err(|e| e.at(path))?,
                e => return Err(Error::io("create directory", path, e)),
            };
            match existing {
                Some(stat) if tree::is_directory(&stat) => {}
                existing => {
                    // A deleted directory that comes again starts empty: nothing of the lower one
                    // may shine through.
                    opaque = existing.is_some_and(|stat| tree::is_whiteout(&stat));
                    self.tree.remove(parent, base).map_err(|e| e.at(path))?;
                    rustix::fs::mkdirat(parent, base, Mode::from(0o700))
                        .map_err(|e| Error::io("create directory", path, e))?;
                }
            }
        }
        let directory = self.tree.enter(parent, base, path)?;
        self.describe(directory.as_fd(), path, entry)?;
        if opaque {
            attributes::set_opaque(directory.as_fd()).map_err(|e| Error::opaque(path, e))?;
        }
        if self
            .directories
            .insert(path.to_vec(), entry.mtime)
            .is_none()
        {
            self.budget.remember(path)?;
        }
        self.implied.remove(path);
        Ok(())
    }

    /// Creates something under a name, in place of what was there.
    fn create<T>(
        &mut self,
        parent: &Parent,
        base: &[u8],
        path: &[u8],
        step: &'static str,
        make: impl Fn(BorrowedFd<'_>, &[u8]) -> rustix::io::Result<T>,
    ) -> Result<T, Error> {
        match make(parent.as_fd(), base) {
            Err(Errno::EXIST) => {
                self.tree.remove(parent, base).map_err(|e| e.at(path))?;
                make(parent.as_fd(), base)
            }
            result => result,
        }
        .map_err(|e| Error::io(step, path, e))
    }

    /// Makes `path` one more name of a file of this layer. The attributes are those of the first
    /// name: tar writers repeat them, and setting them again would drop file capabilities.
    fn hard_link(
        &mut self,
        parent: &Parent,
        base: &[u8],
        path: &[u8],
        entry: &Entry,
    ) -> Result<(), Error> {
        let target = clean(&entry.link)?;
        let missing = || Error::LinkTarget {
            path: shown(path),
            target: shown(&entry.link),
        };
        let (target_dir, target_base) = split(&target);
        if target_base.is_empty() {
            return Err(missing());
        }
        let target_parent = self.tree.existing(target_dir)?.ok_or_else(missing)?;
        let stat = Tree::stat(&target_parent, target_base).map_err(|e| e.at(path))?;
        let stat = stat.filter(|s| !tree::is_directory(s) && !tree::is_whiteout(s));
        let stat = stat.ok_or_else(missing)?;
        let existing = Tree::stat(parent, base).map_err(|e| e.at(path))?;
        if existing.is_some_and(|e| (e.st_dev, e.st_ino) == (stat.st_dev, stat.st_ino)) {
            return Ok(());
        }
        self.create(parent, base, path, "create hard link", |dir, base| {
            rustix::fs::linkat(&target_parent, target_base, dir, base, AtFlags::empty())
        })
    }

    fn whiteout(
        &mut self,
        parent: &Parent,
        dir: &[u8],
        base: &[u8],
        path: &[u8],
    ) -> Result<(), Error> {
        if base == WHITEOUT_OPAQUE {
            if dir.is_empty() {
                self.unpacked.opaque_root = true;
                return Ok(());
            }
            return attributes::set_opaque(parent.as_fd()).map_err(|e| Error::opaque(dir, e));
        }
        if base.starts_with(WHITEOUT_META) {
            self.warn(format!(
                "{:?} was left out: housekeeping of AUFS",
                shown(path)
            ));
            return Ok(());
        }
        let hidden = &base[WHITEOUT.len()..];
        if matches!(hidden, b"" | b"." | b"..") {
            return Err(Error::Whiteout(shown(path)));
        }
        // A whiteout is about the layers below, wherever in the archive it stands: what this layer
        // holds stays.
        match Tree::stat(parent, hidden).map_err(|e| e.at(path))? {
            Some(stat) if tree::is_directory(&stat) => {
                let directory = Tree::open_child(parent, hidden).map_err(|e| e.at(path))?;
                attributes::set_opaque(directory.as_fd()).map_err(|e| Error::opaque(path, e))
            }
            Some(_) => Ok(()),
            None => {
                let device = rustix::fs::makedev(0, 0);
                let kind = FileType::CharacterDevice;
                rustix::fs::mknodat(parent, hidden, kind, Mode::empty(), device)
                    .map_err(|e| Error::io("create whiteout", path, e))
            }
        }
    }

    /// Sets owner, permissions and extended attributes of a file or directory. In this order: a new
    /// owner takes away setuid bits and capabilities.
    fn describe(&mut self, fd: BorrowedFd<'_>, path: &[u8], entry: &Entry) -> Result<(), Error> {
        let (uid, gid) = attributes::owner(entry).ok_or_else(|| Error::Owner(shown(path)))?;
        rustix::fs::fchown(fd, Some(uid), Some(gid))
            .map_err(|e| Error::io("set the owner of", path, e))?;
        rustix::fs::fchmod(fd, Mode::from_raw_mode(entry.mode))
            .map_err(|e| Error::io("set the mode of", path, e))?;
        for (name, value) in &entry.xattrs {
            if let Some(warning) = attributes::set_xattr(fd, path, name, value) {
                self.warn(warning);
            }
        }
        Ok(())
    }

    /// The same for what cannot be opened: symbolic links, FIFOs.
    fn describe_node(
        &mut self,
        parent: &Parent,
        base: &[u8],
        path: &[u8],
        entry: &Entry,
    ) -> Result<(), Error> {
        let (uid, gid) = attributes::owner(entry).ok_or_else(|| Error::Owner(shown(path)))?;
        let nofollow = AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(parent, base, Some(uid), Some(gid), nofollow)
            .map_err(|e| Error::io("set the owner of", path, e))?;
        if entry.kind == Kind::Fifo {
            // Follows symbolic links, but this name was made a FIFO just now, in a directory that
            // is ours alone.
            rustix::fs::chmodat(
                parent,
                base,
                Mode::from_raw_mode(entry.mode),
                AtFlags::empty(),
            )
            .map_err(|e| Error::io("set the mode of", path, e))?;
        }
        for (name, value) in &entry.xattrs {
            if let Some(warning) = attributes::set_node_xattr(parent, base, path, name, value) {
                self.warn(warning);
            }
        }
        rustix::fs::utimensat(parent, base, &attributes::timestamps(entry.mtime), nofollow)
            .map_err(|e| Error::io("set the time of", path, e))
    }

    fn warn(&mut self, warning: String) {
        if self.unpacked.warnings.len() < WARNINGS_MAX {
            self.unpacked.warnings.push(warning);
        } else {
            self.more_warnings += 1;
        }
    }

    fn finish(mut self) -> Result<Unpacked, Error> {
        self.budget.forget_names();
        for (path, time) in &self.directories {
            // A path that is gone, or no directory any more, was replaced by a later entry.
            let Ok(Some(directory)) = self.tree.existing(path) else {
                continue;
            };
            attributes::set_time(directory.as_fd(), *time)
                .map_err(|e| Error::io("set the time of", path, e))?;
        }
        self.unpacked.implied = self.implied.into_iter().collect();
        // Parents before what they hold.
        self.unpacked.implied.sort();
        if self.more_warnings > 0 {
            let more = format!("and {} more of these", self.more_warnings);
            self.unpacked.warnings.push(more);
        }
        Ok(self.unpacked)
    }
}

/// The directory of a cleaned path, and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(i) => (&path[..i], &path[i + 1..]),
        None => (&[], path),
    }
}

/// The path of an entry relative to the root of the layer, without `.`, doubled or leading slashes;
/// empty for the root itself.
pub(crate) fn clean(path: &[u8]) -> Result<Vec<u8>, Error> {
    let mut cleaned = Vec::with_capacity(path.len());
    let mut depth = 0;
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return Err(Error::Outside(shown(path))),
            part => {
                if !cleaned.is_empty() {
                    cleaned.push(b'/');
                }
                cleaned.extend_from_slice(part);
                depth += 1;
            }
        }
    }
    if depth > DEPTH_MAX || cleaned.len() > PATH_MAX {
        return Err(Error::TooDeep(shown(path)));
    }
    Ok(cleaned)
}
