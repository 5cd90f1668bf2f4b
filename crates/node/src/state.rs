//! Which Pods have a living owner, and clearing away after those that have none.
//!
//! A Pod's directory carries a lock file. The process that runs the Pod holds a lock on it (flock), which
//! the kernel lets go with the process, however it died. Whoever then gets the lock may clear: kill what is
//! left in the Pod's cgroup, remove the cgroup and the directory. Nothing else of a Pod needs clearing: its
//! namespaces, mounts, links and addresses live and die with its processes and file descriptors.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::paths::{Paths, PodPaths};

/// Something on disk could not be made or cleared.
#[derive(Debug, thiserror::Error)]
#[error("{step} {path}")]
pub struct StateError {
    step: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl StateError {
    pub(crate) fn new(step: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self {
            step,
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// The lock of a Pod's directory; whoever has it owns the Pod.
#[derive(Debug)]
pub struct Ownership {
    _lock: OwnedFd,
}

/// Held while a Pod's directory gets its lock, and while orphans are looked for: without it a directory that is
/// just being claimed would look like one whose owner has died.
fn hold_register(pods: &Path) -> Result<Ownership, StateError> {
    fs::create_dir_all(pods).map_err(|error| StateError::new("create", pods, error))?;
    // A directory can be locked as well as a file.
    let register = File::open(pods).map_err(|error| StateError::new("open", pods, error))?;
    flock(&register, FlockOperation::LockExclusive)
        .map_err(|error| StateError::new("lock", pods, error))?;
    Ok(Ownership {
        _lock: register.into(),
    })
}

/// Makes a Pod's directory and takes its lock.
pub(crate) fn claim(paths: &PodPaths) -> Result<Ownership, StateError> {
    let _register = paths.dir.parent().map(hold_register).transpose()?;
    fs::create_dir_all(&paths.dir)
        .map_err(|error| StateError::new("create Pod directory", &paths.dir, error))?;
    let path = paths.lock();
    let lock =
        File::create(&path).map_err(|error| StateError::new("create Pod lock", &path, error))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| StateError::new("lock Pod", &path, error))?;
    Ok(Ownership { _lock: lock.into() })
}

/// A Pod whose owner is gone; dropped, it is anybody's again.
#[derive(Debug)]
pub struct Orphan {
    /// UID of the Pod.
    pub uid: String,
    /// Its directory.
    pub paths: PodPaths,
    _ownership: Ownership,
}

/// The Pods of this root that nobody owns any more.
pub fn orphans(paths: &Paths) -> Result<Vec<Orphan>, StateError> {
    let dir = paths.pods();
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let _register = hold_register(&dir)?;
    let entries = fs::read_dir(&dir).map_err(|error| StateError::new("list Pods", &dir, error))?;
    let mut orphans = Vec::new();
    for entry in entries.flatten() {
        let Some(uid) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        let pod = paths.pod(&uid);
        // Without a lock file its owner died before it was made.
        let path = pod.lock();
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.map_err(|error| StateError::new("open Pod lock", &path, error))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            orphans.push(Orphan {
                uid,
                paths: pod,
                _ownership: Ownership { _lock: lock.into() },
            });
        }
    }
    Ok(orphans)
}

/// Removes a Pod's directory. What is already gone is no error.
pub(crate) fn remove_dir(path: &Path) -> Result<(), StateError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StateError::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_without_owner_is_an_orphan() {
        let root = tempfile::tempdir().expect("tempdir");
        let paths = Paths::new(Some(root.path()));
        let kept = claim(&paths.pod("kept")).expect("claim");
        let left = claim(&paths.pod("left")).expect("claim");
        assert!(orphans(&paths).expect("list").is_empty());
        drop(left);
        let found = orphans(&paths).expect("list");
        assert_eq!(
            found
                .iter()
                .map(|orphan| orphan.uid.as_str())
                .collect::<Vec<_>>(),
            ["left"]
        );
        assert!(
            claim(&paths.pod("left")).is_err(),
            "an orphan being cleared is owned"
        );
        drop((kept, found));
    }

    #[test]
    fn no_pods_directory_means_no_orphans() {
        let root = tempfile::tempdir().expect("tempdir");
        assert!(
            orphans(&Paths::new(Some(root.path())))
                .expect("list")
                .is_empty()
        );
        assert!(remove_dir(&root.path().join("nope")).is_ok());
    }
}
