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
    // The kernel's own structure (handler, flags, restorer, mask), all zero: SIG_DFL. By the raw call, because the C library
    // refuses signals 32 and 33, which it keeps for itself, and which a parent may have left ignored all the same.
    let default = [0u64; 4];
    for signal in 1..=64 {
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            continue;
        }
        // SAFETY: `default` is at least as large as the kernel's `sigaction`, which has a mask of 8 bytes as the last
        // argument says; no handler is installed, so no code of ours can run in signal context.
        super::check(unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                std::ptr::null_mut::<u64>(),
                8,
            )
        })?;
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

/// Holds these signals back from this thread, or lets them come (`hold` false), also those that came meanwhile. A new program
/// and new threads begin as this thread is.
///
/// # Errors
/// `EINVAL` for a number that is no signal.
pub fn hold_back(signals: &[i32], hold: bool) -> io::Result<()> {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set it is given.
    let mut result = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for &signal in signals {
        if result == 0 {
            // SAFETY: the set is initialised.
            result = unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
        }
    }
    super::check(result.into())?;
    let how = if hold {
        libc::SIG_BLOCK
    } else {
        libc::SIG_UNBLOCK
    };
    // SAFETY: the set is initialised and only read; the old one is not wanted.
    let error = unsafe { libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut()) };
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
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

/// Collects the exits of all children, now and later, and does nothing else: the work of a PID namespace's init.
pub fn reap_for_ever() -> ! {
    let mut child = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set; the others change and read it. A blocked signal stays pending, so no
    // exit between a look and the next wait is missed.
    unsafe {
        libc::sigemptyset(child.as_mut_ptr());
        libc::sigaddset(child.as_mut_ptr(), libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, child.as_ptr(), std::ptr::null_mut());
    }
    loop {
        // SAFETY: a null status pointer means that it is not wanted.
        while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
        let mut signal = 0;
        // SAFETY: the set was initialised above, and the number is stored in a local variable.
        unsafe { libc::sigwait(child.as_ptr(), &raw mut signal) };
    }
}
