//! Owners, times and extended attributes.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::{Gid, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::OPAQUE_XATTR;
use super::tree::Parent;
use archive::{Entry, Time, shown};

/// The owner of an entry; `None` beyond 32 bits. The last number is none: for the kernel it means
/// "leave as it is".
pub(super) fn owner(entry: &Entry) -> Option<(Uid, Gid)> {
    let id = |id: i64| u32::try_from(id).ok().filter(|id| *id != u32::MAX);
    Some((Uid::from_raw(id(entry.uid)?), Gid::from_raw(id(entry.gid)?)))
}

/// Modification time, and the access time alike: archives rarely have one, and nobody wants "now".
pub(super) fn timestamps(time: Time) -> Timestamps {
    let time = Timespec {
        tv_sec: time.seconds,
        tv_nsec: i64::from(time.nanos) as _,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

pub(super) fn set_time(fd: BorrowedFd<'_>, time: Time) -> rustix::io::Result<()> {
    rustix::fs::futimens(fd, &timestamps(time))
}

pub(super) fn set_opaque(directory: BorrowedFd<'_>) -> rustix::io::Result<()> {
    rustix::fs::fsetxattr(directory, OPAQUE_XATTR, b"y", XattrFlags::empty())
}

/// Sets an attribute of an open file; gives a warning where that is not possible.
pub(super) fn set_xattr(
    fd: BorrowedFd<'_>,
    path: &[u8],
    name: &[u8],
    value: &[u8],
) -> Option<String> {
    set(path, name, || {
        rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty())
    })
}

/// The same for what cannot be opened, by way of its open parent.
pub(super) fn set_node_xattr(
    parent: &Parent,
    base: &[u8],
    path: &[u8],
    name: &[u8],
    value: &[u8],
) -> Option<String> {
    let mut node = format!("/proc/self/fd/{}/", parent.as_fd().as_raw_fd()).into_bytes();
    node.extend_from_slice(base);
    set(path, name, || {
        rustix::fs::lsetxattr(&node, name, value, XattrFlags::empty())
    })
}

fn set(path: &[u8], name: &[u8], set: impl Fn() -> rustix::io::Result<()>) -> Option<String> {
    let (shown_path, shown_name) = (shown(path), shown(name));
    if name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.") {
        return Some(format!(
            "attribute {shown_name:?} of {shown_path:?} was dropped: it belongs to overlayfs"
        ));
    }
    let error = if name.contains(&0) {
        Errno::INVAL
    } else {
        set().err()?
    };
    Some(format!(
        "attribute {shown_name:?} of {shown_path:?} was dropped: {error}"
    ))
}
