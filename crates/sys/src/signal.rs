//! The signal state a new program should find.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Puts every signal back to its default action and unblocks all.
///
/// `execve` resets handlers but keeps ignored and blocked signals; a Rust program ignores SIGPIPE, and whoever started
/// us may have ignored or blocked others.
///
/// # Errors
/// None in practice; a kernel that refuses to unblock reports its errno.
pub fn reset() -> io::Result<()> {
    for signal in 1..=64 {
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            continue;
        }
        // SAFETY: SIG_DFL installs no handler, so no code of ours can run in signal context. Numbers that the C library
        // keeps for itself are refused with EINVAL, which is as good.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set it is given; `sigprocmask` then only reads it.
    let result = unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut())
    };
    super::check(result.into())?;
    Ok(())
}

/// Sends the signal of this number, real-time ones included, to the process of a pidfd (Linux 5.1).
///
/// # Errors
/// `ESRCH` when it has ended and been collected, `EINVAL` for a number that is no signal, `EPERM` without the right to.
pub fn send(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is passed; a null siginfo makes the kernel fill in its own.
    super::check(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    })?;
    Ok(())
}

/// Has the kernel reap the caller's children: with SIGCHLD ignored they leave no zombies.
pub fn ignore_children() {
    // SAFETY: SIG_IGN installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Sleeps for ever; only a fatal signal ends it.
pub fn sleep_for_ever() -> ! {
    loop {
        // SAFETY: `pause` takes nothing and touches no memory.
        unsafe { libc::pause() };
    }
}
