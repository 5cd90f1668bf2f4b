//! The Unix socket at which a process answers for its Pods, and the links by which they are found.
//!
//! Who may talk to it is what the file system says: the directory is 0700, the socket 0600.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sys::handover::{Incoming, Outgoing};

use crate::paths::Paths;
use crate::state::{self, StateError};

/// A listening socket; removed with its links when dropped.
#[derive(Debug)]
pub struct Endpoint {
    listener: UnixListener,
    paths: Paths,
    file: String,
    links: Mutex<HashSet<PathBuf>>,
}

impl Endpoint {
    /// Listens at `<run>/<id>.sock`.
    ///
    /// The socket appears under its name only once it listens, so a socket that refuses is one whose process is gone.
    ///
    /// # Errors
    /// When the directory or the socket cannot be made.
    pub fn open(paths: &Paths, id: &str) -> Result<Self, StateError> {
        for dir in [&paths.run, &paths.pod_sockets()] {
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)));
            made.map_err(|error| StateError::new("create", dir, error))?;
        }
        let file = format!("{id}.sock");
        // Between its making and its listening a socket looks dead.
        let _register = state::hold_register(&paths.pods())?;
        let listener = listen(&paths.run, &file)
            .map_err(|error| StateError::new("listen at", &paths.run.join(&file), error))?;
        Ok(Self {
            listener,
            paths: paths.clone(),
            file,
            links: Mutex::default(),
        })
    }

    /// Goes on listening at a socket that the program before has sent along, see [`Endpoint::hand_over`].
    ///
    /// # Errors
    /// It did not come along.
    pub(crate) fn take_over(
        paths: &Paths,
        id: &str,
        socket: i32,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        Ok(Self {
            listener: incoming.claim(socket)?.into(),
            paths: paths.clone(),
            file: format!("{id}.sock"),
            links: Mutex::default(),
        })
    }

    /// Sends the socket on into the next program of this process; whoever connects meanwhile waits for that.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<i32> {
        outgoing.add(&self.listener)
    }

    /// The socket, not blocking, for an asynchronous runtime.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn listener(&self) -> io::Result<UnixListener> {
        let listener = self.listener.try_clone()?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Makes a Pod of this process findable by its name.
    ///
    /// # Errors
    /// When the link cannot be made.
    pub fn link(&self, namespace: &str, name: &str) -> Result<(), StateError> {
        let link = self.paths.pod_socket(namespace, name);
        state::replace_link(&Path::new("..").join(&self.file), &link)
            .map_err(|error| StateError::new("link", &link, error))?;
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(link);
        Ok(())
    }

    /// A Pod of this process is no more.
    pub fn unlink(&self, namespace: &str, name: &str) {
        let link = self.paths.pod_socket(namespace, name);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.remove(&link) {
            self.remove(&link);
        }
    }

    /// Removes a link, unless another process has it by now.
    fn remove(&self, link: &Path) {
        remove_link(link, &self.file);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let links = std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner));
        links.iter().for_each(|link| self.remove(link));
        let _ = fs::remove_file(self.paths.run.join(&self.file));
    }
}

/// Removes the link of a Pod that is given up, which an owner that was killed has left.
pub(crate) fn forget(paths: &Paths, uid: &str, namespace: &str, name: &str) {
    let link = paths.pod_socket(namespace, name);
    remove_link(&link, &format!("{uid}.sock"));
}

fn remove_link(link: &Path, file: &str) {
    if fs::read_link(link).is_ok_and(|target| target.ends_with(file)) {
        let _ = fs::remove_file(link);
    }
}

fn listen(dir: &Path, file: &str) -> io::Result<UnixListener> {
    let temporary = format!(".{file}.new");
    let handle: OwnedFd = File::open(dir)?.into();
    let within = short(&handle).join(&temporary);
    let _ = fs::remove_file(&within);
    let listener = UnixListener::bind(&within)?;
    fs::set_permissions(&within, Permissions::from_mode(0o600))?;
    fs::rename(dir.join(temporary), dir.join(file))?;
    Ok(listener)
}

/// A socket's address has room for 107 bytes of path, however deep its directory is: this is a short name for that.
fn short(dir: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", dir.as_raw_fd()).into()
}

/// Whether a process listens at `<run>/<id>.sock`.
pub(crate) fn answers(paths: &Paths, id: &str) -> bool {
    let connected = File::open(&paths.run).and_then(|dir| {
        let dir = OwnedFd::from(dir);
        UnixStream::connect(short(&dir).join(format!("{id}.sock")))
    });
    connected.is_ok()
}

/// Removes sockets whose processes are gone, and links that lead nowhere.
///
/// Whether a socket is dead is seen by connecting, which wakes its process. One that leads to a Pod with a name has an
/// owner, unless Pods were found that have lost theirs (`all`).
pub(crate) fn clear_dead(paths: &Paths, all: bool) {
    let (Ok(handle), Ok(_register)) = (
        File::open(&paths.run).map(OwnedFd::from),
        state::hold_register(&paths.pods()),
    ) else {
        return;
    };
    let links = fs::read_dir(paths.pod_sockets()).into_iter().flatten();
    let targets = links
        .flatten()
        .filter(|link| has_name(paths, &link.file_name()))
        .filter_map(|link| fs::read_link(link.path()).ok());
    let owned: HashSet<OsString> = targets
        .filter_map(|target| target.file_name().map(OsStr::to_owned))
        .filter(|_| !all)
        .collect();
    for entry in fs::read_dir(&paths.run).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if owned.contains(&name) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let refused = UnixStream::connect(short(&handle).join(&name))
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if refused {
            let _ = fs::remove_file(entry.path());
        }
    }
    let links = fs::read_dir(paths.pod_sockets());
    for entry in links.into_iter().flatten().flatten() {
        // `exists` follows the link.
        if !entry.path().exists() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a Pod has the name that a link says. Whoever clears away after a Pod begins with its name, and may be killed
/// before it comes to the link.
fn has_name(paths: &Paths, link: &OsStr) -> bool {
    let name = Path::new(link).with_extension("");
    paths.names().join(name).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_and_goes_with_its_process() {
        let root = tempfile::tempdir().expect("tempdir");
        let deep = root.path().join("a".repeat(100)).join("b".repeat(100));
        let paths = Paths::new(Some(&deep));
        let endpoint = Endpoint::open(&paths, "one").expect("listen");
        endpoint.link("default", "web").expect("link");
        let mode = |path: &Path| fs::metadata(path).expect("stat").permissions().mode() & 0o777;
        assert_eq!(mode(&paths.run), 0o700);
        assert_eq!(mode(&paths.run.join("one.sock")), 0o600);
        let link = paths.pod_socket("default", "web");
        assert!(link.exists());
        clear_dead(&paths, true);
        assert!(link.exists(), "it lives");

        // Another Pod of the name is given up: the link is not its.
        forget(&paths, "other", "default", "web");
        assert!(link.is_symlink());
        // Another process takes the Pod's name over: its link stays.
        let other = Endpoint::open(&paths, "two").expect("listen");
        other.link("default", "web").expect("link");
        drop(endpoint);
        assert!(link.exists());
        assert!(!paths.run.join("one.sock").exists());
        other.unlink("default", "web");
        assert!(fs::symlink_metadata(&link).is_err());
    }

    #[test]
    fn what_a_killed_process_leaves_is_cleared() {
        let root = tempfile::tempdir().expect("tempdir");
        let paths = Paths::new(Some(root.path()));
        let endpoint = Endpoint::open(&paths, "dead").expect("listen");
        endpoint.link("default", "web").expect("link");
        // As the kernel leaves it: the listener closed, the files there.
        let kept = paths.run.join("dead.sock");
        let copy = root.path().join("copy");
        fs::hard_link(&kept, &copy).expect("keep the file");
        drop(endpoint);
        fs::rename(&copy, &kept).expect("put it back");
        state::replace_link(
            Path::new("../dead.sock"),
            &paths.pod_socket("default", "web"),
        )
        .expect("link");
        // No Pod has the name any more: whoever cleared it away was killed before it came to these.
        clear_dead(&paths, false);
        assert!(fs::symlink_metadata(&kept).is_err());
        assert!(fs::symlink_metadata(paths.pod_socket("default", "web")).is_err());
    }
}
