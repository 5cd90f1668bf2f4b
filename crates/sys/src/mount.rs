//! `mount_setattr`: attributes and propagation of a mount by its descriptor (Linux 5.12).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Attributes to set or clear on a mount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes(u64);

impl Attributes {
    /// No attribute.
    pub const NONE: Self = Self(0);
    /// Read-only.
    pub const READ_ONLY: Self = Self(libc::MOUNT_ATTR_RDONLY);
    /// Set-user-id bits have no effect.
    pub const NO_SUID: Self = Self(libc::MOUNT_ATTR_NOSUID);
    /// Device nodes cannot be opened.
    pub const NO_DEV: Self = Self(libc::MOUNT_ATTR_NODEV);
    /// Programs cannot be run.
    pub const NO_EXEC: Self = Self(libc::MOUNT_ATTR_NOEXEC);

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every attribute of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Attributes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How mounts made later travel between this mount and its copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Not at all.
    Private,
    /// From the original into this one.
    Slave,
    /// Both ways.
    Shared,
}

/// Sets `set` and the propagation on the mount whose root `mount` is, with everything beneath when `recursive`.
///
/// # Errors
/// `ENOSYS` before Linux 5.12, `EINVAL` when the descriptor is not the root of a mount, `EPERM` for a locked attribute.
pub fn set_attributes(
    mount: BorrowedFd<'_>,
    set: Attributes,
    propagation: Option<Propagation>,
    recursive: bool,
) -> io::Result<()> {
    let attr = libc::mount_attr {
        attr_set: set.0,
        attr_clr: 0,
        propagation: match propagation {
            None => 0,
            Some(Propagation::Private) => libc::MS_PRIVATE,
            Some(Propagation::Slave) => libc::MS_SLAVE,
            Some(Propagation::Shared) => libc::MS_SHARED,
        },
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty nul-terminated string and `attr` a whole `mount_attr` of the size passed.
    super::check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn refuses_what_is_no_mount_root() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let file = std::fs::File::open(dir.path()).expect("open");
        let error = set_attributes(file.as_fd(), Attributes::NO_DEV, None, false)
            .expect_err("a plain directory");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
