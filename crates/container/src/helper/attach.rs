//! Attaching mounts inside the new root, and their attributes.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, mount_change, mount_remount, move_mount,
};
use rustix::process::fchdir;
use sys::mount::{Attributes, Propagation, set_attributes};

use super::overlay::new_mount;
use crate::error::{At, StartError, Step};

/// Attaches the detached mount `tree` on what `target` is open on.
pub(super) fn attach(tree: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let empty = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree, c"", target, c"", empty)?)
}

/// Attributes of attached mounts, by `mount_setattr`, and before Linux 5.12 by `mount(2)` through descriptor numbers in the
/// container's own `/proc`. That older way changes single mounts only.
pub(super) struct Attributer<'a> {
    /// A procfs of our PID namespace, attached or not.
    pub(super) proc: BorrowedFd<'a>,
}

impl Attributer<'_> {
    pub(super) fn set(
        &self,
        mount: BorrowedFd<'_>,
        attributes: Attributes,
        propagation: Option<Propagation>,
        recursive: bool,
    ) -> io::Result<()> {
        match set_attributes(mount, attributes, propagation, recursive) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOSYS.raw_os_error()) => {
                self.by_mount(mount, attributes, propagation, recursive)
            }
            other => other,
        }
    }

    fn by_mount(
        &self,
        mount: BorrowedFd<'_>,
        attributes: Attributes,
        propagation: Option<Propagation>,
        recursive: bool,
    ) -> io::Result<()> {
        fchdir(self.proc)?;
        let name = format!("self/fd/{}", mount.as_raw_fd());
        if !attributes.is_empty() {
            let mut flags = MountFlags::BIND;
            for (attribute, flag) in [
                (Attributes::READ_ONLY, MountFlags::RDONLY),
                (Attributes::NO_SUID, MountFlags::NOSUID),
                (Attributes::NO_DEV, MountFlags::NODEV),
                (Attributes::NO_EXEC, MountFlags::NOEXEC),
            ] {
                flags.set(
                    flag,
                    attributes.contains(attribute) || has(mount, attribute)?,
                );
            }
            mount_remount(&name, flags, c"")?;
        }
        if let Some(propagation) = propagation {
            let mut flags = match propagation {
                Propagation::Private => MountPropagationFlags::PRIVATE,
                Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
                Propagation::Shared => MountPropagationFlags::SHARED,
            };
            flags.set(MountPropagationFlags::REC, recursive);
            mount_change(&name, flags)?;
        }
        Ok(())
    }
}

/// A remount replaces all flags, so those the mount already has must be said again.
fn has(mount: BorrowedFd<'_>, attribute: Attributes) -> io::Result<bool> {
    use rustix::fs::StatVfsMountFlags as F;
    let flags = rustix::fs::fstatvfs(mount)?.f_flag;
    Ok(match attribute {
        Attributes::READ_ONLY => flags.contains(F::RDONLY),
        Attributes::NO_SUID => flags.contains(F::NOSUID),
        Attributes::NO_DEV => flags.contains(F::NODEV),
        _ => flags.contains(F::NOEXEC),
    })
}

/// containerd's masked paths beneath `/proc`: what tells of, or reaches, the machine.
const MASKED_PROC: [&str; 10] = [
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
    "timer_stats",
];
/// And beneath `/sys`.
const MASKED_SYS: [&str; 2] = ["firmware", "devices/virtual/powercap"];
/// containerd's read-only paths beneath `/proc`.
const READ_ONLY_PROC: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Masks and write-protects what a container without privileges must not reach. `proc` and `sys` are the mounts that were
/// just made, not paths: nothing in the image or a volume can stand in for them (CVE-2025-31133). `null` is a device node
/// of ours.
pub(super) fn protect(
    proc: BorrowedFd<'_>,
    sys: Option<BorrowedFd<'_>>,
    null: BorrowedFd<'_>,
    attributer: &Attributer<'_>,
) -> Result<(), StartError> {
    let mut empty: Option<OwnedFd> = None;
    let masked = MASKED_PROC.iter().map(|path| (Some(proc), *path));
    for (base, path) in masked.chain(MASKED_SYS.iter().map(|path| (sys, *path))) {
        let Some(base) = base else { continue };
        mask(base, path, null, &mut empty).at(Step::Mount, || format!("mask {path}"))?;
    }
    for path in READ_ONLY_PROC {
        let protect = || -> io::Result<()> {
            let Some(target) = existing(proc, path)? else {
                return Ok(());
            };
            let tree = super::sources::Source::copy_of(target.as_fd())?.tree;
            attach(tree.as_fd(), target.as_fd())?;
            attributer.set(tree.as_fd(), Attributes::READ_ONLY, None, true)
        };
        protect().at(Step::Mount, || format!("make /proc/{path} read-only"))?;
    }
    Ok(())
}

fn mask(
    base: BorrowedFd<'_>,
    path: &str,
    null: BorrowedFd<'_>,
    empty: &mut Option<OwnedFd>,
) -> io::Result<()> {
    let Some(target) = existing(base, path)? else {
        return Ok(());
    };
    let stat = rustix::fs::fstat(&target)?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::Directory {
        return attach(
            super::sources::Source::copy_of(null)?.tree.as_fd(),
            target.as_fd(),
        );
    }
    // One empty file system serves all directories.
    let tree = match empty {
        Some(first) => super::sources::Source::copy_of(first.as_fd())?.tree,
        None => {
            use rustix::mount::MountAttrFlags as A;
            let attributes = A::MOUNT_ATTR_RDONLY
                | A::MOUNT_ATTR_NOSUID
                | A::MOUNT_ATTR_NODEV
                | A::MOUNT_ATTR_NOEXEC;
            new_mount(
                "tmpfs",
                &[("nr_blocks", "1"), ("nr_inodes", "1"), ("mode", "0555")],
                attributes,
            )?
        }
    };
    attach(tree.as_fd(), target.as_fd())?;
    empty.get_or_insert(tree);
    Ok(())
}

fn existing(base: BorrowedFd<'_>, path: &str) -> io::Result<Option<OwnedFd>> {
    match super::resolve::open_plain(base, path.as_ref()) {
        Ok(fd) => Ok(Some(fd)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
