//! Where the sockets are, and how to reach one.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags};
use tokio::net::UnixStream;

use crate::error::Error;
use crate::query::PodName;

/// What the names of sockets end with.
pub(crate) const SUFFIX: &str = ".sock";

/// A directory that holds sockets (`<run>`), or symlinks to them (`<run>/pods`).
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
}

/// Name of the symlink to the socket of a Pod's owner.
pub(crate) fn link_name(pod: &PodName) -> String {
    let name = manifest::file_name::of_pod(&pod.namespace, &pod.name);
    format!("{name}{SUFFIX}")
}

impl Directory {
    /// The names of all sockets, sorted. A directory that does not exist has none.
    pub(crate) fn sockets(&self) -> Result<Vec<String>, Error> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(error))?;
            names.extend(socket_name(&entry.file_name()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Connects to a socket. `None` is a socket without an owner, or none at all.
    ///
    /// The path goes through the descriptor of the directory: `sockaddr_un` holds 108 bytes and paths may be longer.
    pub(crate) async fn connect(&self, name: &str) -> Result<Option<UnixStream>, Error> {
        let directory = match self.open() {
            Ok(directory) => directory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable(error)),
        };
        let short = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
        loop {
            let error = match UnixStream::connect(&short).await {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) => error,
            };
            return match error.kind() {
                // Refused: nobody listens any more. Reset: who listened is dying at this moment.
                io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset => Ok(None),
                io::ErrorKind::PermissionDenied => Err(Error::Permission {
                    path: self.path.join(name),
                }),
                // The kernel does not tell when a full queue of connections has room again.
                io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                _ => Err(Error::Connect {
                    path: self.path.join(name),
                    source: error,
                }),
            };
        }
    }

    fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(CWD, &self.path, flags, Mode::empty())?)
    }

    pub(crate) fn unreadable(&self, error: io::Error) -> Error {
        unreadable(&self.path, error)
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Permission { path },
        _ => Error::Directory {
            path,
            source: error,
        },
    }
}

/// The name, if it is one of a socket.
pub(crate) fn socket_name(name: &OsStr) -> Option<String> {
    name.to_str()
        .filter(|name| name.ends_with(SUFFIX))
        .map(str::to_owned)
}
