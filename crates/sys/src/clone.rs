//! `clone3`: a new process with namespaces and, on cgroup v2, directly in its cgroup.
//!
//! Only a process with one thread may call this: the child is a copy of the caller, and with a second thread that copy
//! could hold a lock nobody will ever release.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

/// New namespaces for the child, as bits of `clone3`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewNamespaces {
    /// A PID namespace; the child is its PID 1.
    pub pid: bool,
    /// A mount namespace, copied from the caller's.
    pub mount: bool,
}

/// What the new process is.
#[derive(Debug, Default)]
pub struct CloneSpec<'fd> {
    /// New namespaces of the child.
    pub namespaces: NewNamespaces,
    /// Make the child a sibling: its parent is the caller's parent, who gets its exit.
    pub as_sibling: bool,
    /// Directory of a cgroup v2 the child starts in (`CLONE_INTO_CGROUP`, Linux 5.7).
    pub cgroup: Option<BorrowedFd<'fd>>,
}

/// Which of the two processes returned.
#[derive(Debug)]
pub enum Cloned {
    /// In the caller: the child's number as the caller sees it, and its pidfd.
    Parent {
        /// Number in the caller's PID namespace.
        pid: i32,
        /// Descriptor of the child, close-on-exec.
        pidfd: OwnedFd,
    },
    /// In the child.
    Child,
}

const NEWNS: u64 = libc::CLONE_NEWNS as u64;
const NEWPID: u64 = libc::CLONE_NEWPID as u64;
const PARENT: u64 = libc::CLONE_PARENT as u64;
const PIDFD: u64 = libc::CLONE_PIDFD as u64;
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Proof that this process has one thread, taken once at the start of a helper that never makes another.
///
/// It cannot be sent to a thread, so that whoever holds it knows which thread is the one.
#[derive(Debug)]
pub struct SingleThreaded(std::marker::PhantomData<*const ()>);

impl SingleThreaded {
    /// Looks at `/proc/self/task`.
    ///
    /// # Errors
    /// `EBUSY` with a second thread; the error of `stat` without `/proc`.
    pub fn check() -> io::Result<Self> {
        // A directory has two links, plus one for each thread's folder in it.
        if std::fs::metadata("/proc/self/task")?.nlink() > 3 {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        Ok(Self(std::marker::PhantomData))
    }
}

/// Creates a process as `spec` says.
///
/// # Errors
/// `EAGAIN` over a process limit (also `pids.max`), `EPERM` without privilege for a namespace, `EBUSY` when the cgroup
/// cannot hold processes, `EINVAL` when called by the init of a PID namespace with `as_sibling`.
pub fn clone3(spec: &CloneSpec<'_>, _alone: &SingleThreaded) -> io::Result<Cloned> {
    let mut pidfd: libc::c_int = -1;
    let mut flags = PIDFD;
    if spec.namespaces.pid {
        flags |= NEWPID;
    }
    if spec.namespaces.mount {
        flags |= NEWNS;
    }
    if spec.as_sibling {
        flags |= PARENT;
    }
    // With CLONE_PARENT the kernel takes the exit signal of the caller and insists on zero here.
    let exit_signal = if spec.as_sibling {
        0
    } else {
        libc::SIGCHLD as u64
    };
    let mut args = libc::clone_args {
        flags,
        pidfd: (&raw mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    if let Some(cgroup) = spec.cgroup {
        args.flags |= INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: `args` is a whole `clone_args` of the size passed, `pidfd` outlives the call. Without CLONE_VM the child
    // has its own copy of memory and stack, and the caller was seen to have one thread, so no lock can be held by
    // a thread that does not exist in the child.
    let pid = super::check(unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut args,
            size_of::<libc::clone_args>(),
        )
    })?;
    if pid == 0 {
        return Ok(Cloned::Child);
    }
    // SAFETY: the kernel stored a new descriptor there because of CLONE_PIDFD; nobody else owns it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent {
        pid: pid as i32,
        pidfd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_to_copy_a_process_with_threads() {
        // The test harness itself runs this on a thread of its own.
        let error = SingleThreaded::check().expect_err("two threads at least");
        assert_eq!(error.raw_os_error(), Some(libc::EBUSY));
    }
}
