//! Where layers are unpacked before they are part of the store.
//!
//! Each `import` or `load` has a directory of its own below `tmp`, locked as long as its process
//! lives. A directory whose lock is free belonged to a process that was killed, and is removed by
//! whoever opens the store next.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation};

use super::Error;
use super::files::{create_private_directory, try_lock};
use crate::fs::remove_tree;

/// The tree of a layer within its directory; beside it lies `layer.json`.
pub(super) const TREE: &str = "fs";

/// A directory that is removed with all it holds when this value is dropped.
pub(crate) struct Staging {
    path: PathBuf,
    next: u32,
    _lock: OwnedFd,
}

impl Staging {
    /// Creates the directory. The lock of the store must be held: otherwise [`sweep`] could come
    /// between its creation and its locking.
    pub(super) fn create(tmp: &Path) -> Result<Staging, Error> {
        let pid = std::process::id();
        for n in 0.. {
            let path = tmp.join(format!("{pid}-{n}"));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    let lock = try_lock(&path, FlockOperation::NonBlockingLockExclusive)
                        .map_err(|e| Error::io("lock", &path, e))?;
                    let Some(lock) = lock else { continue };
                    return Ok(Staging {
                        path,
                        next: 0,
                        _lock: lock,
                    });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("create directory", path, e)),
            }
        }
        let full = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(Error::io("create directory in", tmp, full))
    }

    /// Creates a directory for one layer; gives it and its open, empty `fs`.
    pub(crate) fn layer(&mut self) -> Result<(PathBuf, File), Error> {
        let path = self.path.join(self.next.to_string());
        self.next += 1;
        let tree = path.join(TREE);
        let create = || {
            create_private_directory(&path)?;
            std::fs::create_dir(&tree)?;
            let tree = File::open(&tree)?;
            // The root of every container is readable for all, whatever the umask of this process.
            rustix::fs::fchmod(&tree, rustix::fs::Mode::from(0o755))?;
            Ok(tree)
        };
        let tree = create().map_err(|e: io::Error| Error::io("create directory", &path, e))?;
        Ok((path, tree))
    }

    /// Removes a layer that is not needed.
    pub(crate) fn discard(&self, layer: &Path) {
        // What cannot be removed now is removed with the whole directory.
        let _ = remove_tree(CWD, layer);
    }

    /// Moves something out of the store, to be removed with this directory.
    pub(super) fn take(&mut self, path: &Path) -> io::Result<()> {
        let target = self.path.join(self.next.to_string());
        self.next += 1;
        std::fs::rename(path, target)
    }

    /// Writes everything to the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let sync = || Ok(rustix::fs::syncfs(File::open(&self.path)?)?);
        sync().map_err(|e: io::Error| Error::io("write to the disk", &self.path, e))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Once the lock is free, the next `sweep` removes what is left.
        let _ = remove_tree(CWD, &self.path);
    }
}

/// Removes the directories of dead processes. The lock of the store must be held.
pub(super) fn sweep(tmp: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(tmp)? {
        let path = entry?.path();
        let lock = match try_lock(&path, FlockOperation::NonBlockingLockExclusive) {
            Ok(Some(lock)) => lock,
            Ok(None) => continue,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        remove_tree(CWD, &path)?;
        drop(lock);
    }
    Ok(())
}
