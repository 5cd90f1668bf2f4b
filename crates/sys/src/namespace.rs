//! Leaving namespaces. Joining is safe and stays with `rustix::thread::move_into_*`.

use std::io;

use rustix::thread::UnshareFlags;

/// Gives the calling thread new namespaces of these kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unshare {
    /// Cgroup namespace, rooted at the cgroup the caller is in now.
    pub cgroup: bool,
    /// System V IPC and POSIX message queues.
    pub ipc: bool,
    /// Mounts, copied.
    pub mount: bool,
    /// Network stack.
    pub network: bool,
    /// Host name.
    pub uts: bool,
}

/// Unshares what `what` names.
///
/// # Errors
/// `EPERM` without CAP_SYS_ADMIN, `ENOSPC` over `/proc/sys/user/max_*_namespaces`.
pub fn unshare(what: Unshare) -> io::Result<()> {
    let mut flags = UnshareFlags::empty();
    flags.set(UnshareFlags::NEWCGROUP, what.cgroup);
    flags.set(UnshareFlags::NEWIPC, what.ipc);
    flags.set(UnshareFlags::NEWNS, what.mount);
    flags.set(UnshareFlags::NEWNET, what.network);
    flags.set(UnshareFlags::NEWUTS, what.uts);
    // SAFETY: the hazard is CLONE_FILES, which this function cannot pass.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    Ok(())
}
