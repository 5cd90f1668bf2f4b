//! `execve` with exact argument and environment vectors.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_the_errno() {
        let error = execve(c"/nowhere/at-all", &[], &[]);
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }
}
