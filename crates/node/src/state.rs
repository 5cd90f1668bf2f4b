//! Which Pods have a living owner, and clearing away after those that have none.
//!
//! A Pod's directory carries a lock file. The process that runs the Pod holds a lock on it (flock), which
//! the kernel lets go with the process, however it died. Whoever then gets the lock may clear: kill what is
//! left in the Pod's cgroup, remove the cgroup and the directory. Nothing else of a Pod needs clearing: its
//! namespaces, mounts, links and addresses live and die with its processes and file descriptors.
//!
//! A Pod's name is a symlink to its directory; it counts for as long as that Pod has an owner or is detached.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sys::handover::Outgoing;

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
        let source = source.into();
        let source = match full_hint(&source) {
            "" => source,
            hint => io::Error::new(source.kind(), format!("{source}{hint}")),
        };
        Self {
            step,
            path: path.to_owned(),
            source,
        }
    }
}

/// What to do about a full disk; nothing for another error.
pub(crate) fn full_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (hint: free some space, or put the state on another disk with --root)"
        }
        _ => "",
    }
}

/// The lock of a Pod's directory; whoever has it owns the Pod.
#[derive(Debug)]
pub struct Ownership {
    lock: OwnedFd,
}

impl Ownership {
    /// Sends the lock on into the next program of this process, which never lets go of it.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<i32> {
        outgoing.add(&self.lock)
    }
}

impl From<OwnedFd> for Ownership {
    fn from(lock: OwnedFd) -> Self {
        Self { lock }
    }
}

impl From<Ownership> for OwnedFd {
    fn from(ownership: Ownership) -> Self {
        ownership.lock
    }
}

/// Held while a Pod's directory gets its lock, and while orphans are looked for: without it a directory that is
/// just being claimed would look like one whose owner has died.
pub(crate) fn hold_register(pods: &Path) -> Result<Ownership, StateError> {
    fs::create_dir_all(pods).map_err(|error| StateError::new("create", pods, error))?;
    // A directory can be locked as well as a file.
    let register = File::open(pods).map_err(|error| StateError::new("open", pods, error))?;
    flock(&register, FlockOperation::LockExclusive)
        .map_err(|error| StateError::new("lock", pods, error))?;
    Ok(Ownership {
        lock: register.into(),
    })
}

/// A Pod could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another Pod has the name.
    #[error(
        "pods \"{name}\" already exists (hint: end it with `pillion delete pod {name}`; or keep two apart with --root)"
    )]
    Taken {
        /// The Pod's name.
        name: String,
    },
    /// On disk.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Makes a Pod's directory and what `fill` puts into it, takes its lock and its name; all of it or nothing.
pub(crate) fn claim(
    paths: &Paths,
    uid: &str,
    namespace: &str,
    name: &str,
    fill: impl FnOnce(&PodPaths) -> Result<(), StateError>,
) -> Result<Ownership, ClaimError> {
    let _register = hold_register(&paths.pods())?;
    let link = paths.name(namespace, name);
    if let Some(holder) = uid_behind(&link)
        && holder != uid
        && is_taken(&paths.pod(&holder))
    {
        return Err(ClaimError::Taken { name: name.into() });
    }
    let pod = paths.pod(uid);
    let ownership = take_new(&pod).inspect_err(|_| {
        // One with something in it is another's.
        let _ = fs::remove_dir(&pod.dir);
    })?;
    let filled = fill(&pod).and_then(|()| {
        let names = paths.names();
        fs::create_dir_all(&names).map_err(|error| StateError::new("create", &names, error))?;
        replace_link(&Path::new("../pods").join(uid), &link)
            .map_err(|error| StateError::new("name the Pod by", &link, error))
    });
    filled.inspect_err(|_| {
        let _ = remove_dir(&pod.dir);
    })?;
    Ok(ownership)
}

/// Makes a Pod's directory and takes its lock.
fn take_new(pod: &PodPaths) -> Result<Ownership, StateError> {
    fs::create_dir_all(&pod.dir)
        .map_err(|error| StateError::new("create Pod directory", &pod.dir, error))?;
    let path = pod.lock();
    let lock =
        File::create(&path).map_err(|error| StateError::new("create Pod lock", &path, error))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| StateError::new("lock Pod", &path, error))?;
    Ok(Ownership { lock: lock.into() })
}

/// UID of the Pod that has a name.
pub(crate) fn holder(paths: &Paths, namespace: &str, name: &str) -> Option<String> {
    let _register = hold_register(&paths.pods()).ok()?;
    uid_behind(&paths.name(namespace, name)).filter(|uid| is_taken(&paths.pod(uid)))
}

/// The lock of a Pod that has no owner.
pub(crate) fn take(pod: &PodPaths) -> Result<Option<Ownership>, StateError> {
    let path = pod.lock();
    let lock = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| StateError::new("open Pod lock", &path, error))?,
    };
    let taken = flock(&lock, FlockOperation::NonBlockingLockExclusive);
    Ok(taken.is_ok().then(|| Ownership { lock: lock.into() }))
}

fn uid_behind(link: &Path) -> Option<String> {
    let target = fs::read_link(link).ok()?;
    Some(target.file_name()?.to_str()?.to_owned())
}

/// Whether somebody runs the Pod of this directory, or the next command will.
fn is_taken(pod: &PodPaths) -> bool {
    if pod.detached().exists() {
        return true;
    }
    // Opened, not made: without a directory there is no Pod.
    File::open(pod.lock())
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared).is_err())
}

/// Makes a symlink, whatever stood in its place.
pub(crate) fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    let mut temporary = link.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    std::os::unix::fs::symlink(target, &temporary)?;
    fs::rename(&temporary, link).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Gives a Pod's name back, if it has it still.
pub(crate) fn release_name(paths: &Paths, uid: &str, namespace: &str, name: &str) {
    let link = paths.name(namespace, name);
    if let Ok(_register) = hold_register(&paths.pods())
        && uid_behind(&link).as_deref() == Some(uid)
    {
        let _ = fs::remove_file(&link);
    }
}

/// Removes the names of Pods that are no more.
pub(crate) fn prune_names(paths: &Paths) -> Result<(), StateError> {
    let _register = hold_register(&paths.pods())?;
    for entry in fs::read_dir(paths.names()).into_iter().flatten().flatten() {
        // What is behind it is gone: `exists` follows.
        if !entry.path().exists() {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// A Pod whose owner is gone; dropped, it is anybody's again.
#[derive(Debug)]
pub struct Orphan {
    /// UID of the Pod.
    pub uid: String,
    /// Its directory.
    pub paths: PodPaths,
    /// Its lock.
    pub ownership: Ownership,
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
        // A link is followed nowhere, and a file is nobody's Pod.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let pod = paths.pod(&uid);
        // Without a lock file its owner died before it was made.
        let path = pod.lock();
        let lock = File::options().create(true).append(true).open(&path);
        let lock = match lock {
            // It went meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(|error| StateError::new("open Pod lock", &path, error))?,
        };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            orphans.push(Orphan {
                uid,
                paths: pod,
                ownership: Ownership { lock: lock.into() },
            });
        }
    }
    Ok(orphans)
}

/// UIDs of the detached Pods that there are.
pub(crate) fn detached(paths: &Paths) -> Vec<String> {
    let entries = fs::read_dir(paths.pods()).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().to_str().map(str::to_owned))
        .filter(|uid| paths.pod(uid).detached().exists())
        .collect()
}

/// Removes the directory of a Pod that is ours, its lock last: a directory without one looks like nobody's to whoever looks
/// for orphans, and would be made anew under our hands.
pub(crate) fn remove_pod(paths: &Paths, pod: &PodPaths) -> Result<(), StateError> {
    let lock = pod.lock();
    for entry in fs::read_dir(&pod.dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path == lock {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_dir(&path)?;
            continue;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StateError::new("remove", &path, error));
            }
            _ => {}
        }
    }
    let _register = hold_register(&paths.pods())?;
    remove_dir(&pod.dir)
}

/// Removes a directory. What is already gone is no error.
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
        let kept = claim(&paths, "kept", "default", "a", |_| Ok(())).expect("claim");
        let left = claim(&paths, "left", "default", "b", |_| Ok(())).expect("claim");
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
            claim(&paths, "left", "default", "b", |_| Ok(())).is_err(),
            "an orphan being cleared is owned"
        );
        drop((kept, found));
    }

    #[test]
    fn a_name_is_taken_while_its_pod_lives_or_is_detached() {
        let root = tempfile::tempdir().expect("tempdir");
        let paths = Paths::new(Some(root.path()));
        let first = claim(&paths, "1", "default", "web", |_| Ok(())).expect("claim");
        let second = claim(&paths, "2", "default", "web", |_| Ok(())).expect_err("taken");
        assert!(
            second
                .to_string()
                .starts_with("pods \"web\" already exists")
        );
        claim(&paths, "3", "other", "web", |_| Ok(())).expect("another namespace");
        drop(first);
        let second = claim(&paths, "2", "default", "web", |_| Ok(())).expect("its owner is gone");
        release_name(&paths, "1", "default", "web");
        assert!(paths.name("default", "web").exists(), "it is not theirs");
        fs::write(paths.pod("2").detached(), "").expect("write");
        drop(second);
        claim(&paths, "4", "default", "web", |_| Ok(())).expect_err("detached");
        remove_dir(&paths.pod("2").dir).expect("remove");
        prune_names(&paths).expect("prune");
        assert!(fs::symlink_metadata(paths.name("default", "web")).is_err());
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
