//! Sockets that appear in a directory.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use crate::error::Error;
use crate::sockets::{Directory, socket_name};

/// Tells of each socket that appears.
#[derive(Debug)]
pub(crate) struct Arrivals {
    directory: Directory,
    inotify: AsyncFd<OwnedFd>,
    seen: VecDeque<String>,
}

impl Arrivals {
    /// Listens from now on. A directory that does not exist yet is made, for its owner only: the first Pod may come later.
    pub(crate) fn of(directory: Directory) -> Result<Self, Error> {
        let inotify = match listen(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory.path)
                .and_then(|()| listen(&directory)),
            other => other,
        };
        Ok(Self {
            inotify: inotify.map_err(|error| directory.unreadable(error))?,
            directory,
            seen: VecDeque::new(),
        })
    }

    /// The name of the next socket.
    pub(crate) async fn next(&mut self) -> Result<String, Error> {
        loop {
            if let Some(name) = self.seen.pop_front() {
                return Ok(name);
            }
            let mut ready = self
                .inotify
                .readable()
                .await
                .map_err(|error| self.directory.unreadable(error))?;
            ready.clear_ready();
            drop(ready);
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let mut buffer = [const { MaybeUninit::uninit() }; 4096];
        let mut reader = inotify::Reader::new(self.inotify.get_ref(), &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(self.directory.unreadable(error.into())),
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                self.seen.extend(self.directory.sockets()?);
            }
            if flags.contains(ReadFlags::IGNORED) {
                let gone = io::Error::new(io::ErrorKind::NotFound, "the directory was removed");
                return Err(self.directory.unreadable(gone));
            }
            if let Some(name) = event.file_name() {
                let name = std::ffi::OsStr::new(name.to_str().unwrap_or_default());
                self.seen.extend(socket_name(name));
            }
        }
    }
}

fn listen(directory: &Directory) -> io::Result<AsyncFd<OwnedFd>> {
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let flags = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
    inotify::add_watch(&inotify, &directory.path, flags)?;
    sys::watch::readable(inotify)
}
