//! Network namespaces by file descriptor: who is who, and a netlink socket inside one.
//!
//! A socket keeps the namespace it was opened in. So a thread that lives for two system calls enters the Pod's namespace
//! and opens the socket there; no other thread of the program ever changes its namespace.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

use netlink::NETLINK_ROUTE;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use netlink::{Netlink, NetlinkError};

/// Identity of a namespace: device and inode of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(namespace: impl AsFd) -> io::Result<Self> {
        let stat = rustix::fs::fstat(namespace)?;
        Ok(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        })
    }

    /// The calling thread's namespace.
    pub(crate) fn current() -> io::Result<Self> {
        Self::of(File::open("/proc/thread-self/ns/net")?)
    }
}

/// An rtnetlink socket inside `namespace`.
pub(crate) fn open_route_socket(
    namespace: BorrowedFd<'_>,
) -> io::Result<Result<Netlink, NetlinkError>> {
    thread::scope(|scope| {
        let opener = thread::Builder::new()
            .name("netns".to_owned())
            .spawn_scoped(scope, || {
                move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
                Ok(Netlink::open(NETLINK_ROUTE))
            })?;
        opener
            .join()
            .map_err(|_| io::Error::other("the thread that enters the namespace died"))?
    })
}
