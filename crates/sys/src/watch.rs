//! Waiting for a descriptor in a tokio runtime.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor (a pidfd, a socket of a helper) with the runtime, to wait until it is readable.
///
/// # Errors
/// The kernel's refusal to watch such a descriptor (`EPERM` for a plain file).
///
/// # Panics
/// Outside a tokio runtime with its I/O driver enabled.
pub fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the registration needs a descriptor that stays open and the same for as long as it lasts. The
    // `AsyncFd` owns this one, gives it out by reference only, and deregisters before it closes it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
}
