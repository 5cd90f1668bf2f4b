//! Installing a seccomp filter on the calling thread.

use std::io;

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when a comparison holds.
    pub jump_true: u8,
    /// Instructions to skip when it does not.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

/// Installs `program` for this thread and all it will start. It can never be taken off again.
///
/// The kernel checks the program: a jump out of it or a missing return is `EINVAL`, not undefined behaviour.
///
/// # Errors
/// `EACCES` without CAP_SYS_ADMIN and without no_new_privs, `EINVAL` for a program that is empty, longer than 4096
/// instructions or malformed, `ENOSYS` without kernel support.
pub fn install(program: &[Instruction]) -> io::Result<()> {
    let length =
        u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let header = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // Without SPEC_ALLOW kernels before 5.16 switch on a mitigation that slows the whole process.
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: `Instruction` has the layout of `sock_filter`, and `header` describes exactly the borrowed slice, which the
    // kernel only reads, during the call.
    super::check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const header,
        )
    })?;
    Ok(())
}

const _: () = assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>());
const _: () = assert!(align_of::<Instruction>() == align_of::<libc::sock_filter>());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_programs_are_refused_not_run() {
        assert_eq!(
            install(&[]).expect_err("empty").raw_os_error(),
            Some(libc::EINVAL)
        );
        let jump_out = Instruction {
            code: 0x15,
            jump_true: 9,
            jump_false: 9,
            operand: 0,
        };
        let error = install(&[jump_out]).expect_err("no return, jump out");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
