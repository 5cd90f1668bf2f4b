//! The only crate with unsafe code: syscalls that no library wraps. No policy.
//!
//! Everything that `rustix` wraps is used from there directly. What is here is either missing from it
//! (`clone3`, `mount_setattr`, `seccomp`, the interface ioctl), or marked unsafe there for a reason that a
//! single-threaded helper process meets by construction (`unshare`, `execve`).

pub mod clone;
pub mod code;
pub mod exec;
pub mod handover;
pub mod identity;
pub mod link;
pub mod mount;
pub mod namespace;
pub mod seccomp;
pub mod signal;
pub mod watch;

/// Turns the return value of a raw syscall wrapper into a `Result`.
fn check(value: libc::c_long) -> std::io::Result<libc::c_long> {
    if value < 0 {
        Err(std::io::Error::last_os_error())
    } else {
        Ok(value)
    }
}
