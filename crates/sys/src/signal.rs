//! The signal state a new program should find.

use std::io;

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
