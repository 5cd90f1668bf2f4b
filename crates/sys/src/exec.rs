//! The edges of a program: `execve` with exact vectors, closing inherited descriptors, ending a cloned child.

use std::ffi::{CStr, CString};
use std::io;

/// Replaces the program of this process. Returns only on failure.
///
/// Unlike `std::process::Command` it touches neither signals nor descriptors nor the search path.
pub fn execve(program: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let argv = pointers(args);
    let envp = pointers(env);
    // SAFETY: all strings are nul-terminated and both vectors end in a null pointer; they live until the call returns.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|s| s.as_ptr())
        .chain([std::ptr::null()])
        .collect()
}

/// Closes every descriptor from `first` on (Linux 5.9).
///
/// Meant for the first moments of a program, when the only descriptors are those it inherited.
///
/// # Errors
/// `ENOSYS` before Linux 5.9.
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: closing is memory-safe; a caller that owns one of these descriptors gets EBADF from it later, and the
    // callers are processes that own none yet.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) })?;
    Ok(())
}

/// Ends this process without running exit handlers, which belong to the process it was cloned from.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes an integer and does not return.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_the_errno() {
        let error = execve(c"/nowhere/at-all", &[], &[]);
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }
}
