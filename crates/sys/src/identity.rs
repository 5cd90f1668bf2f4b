//! Whose files a thread may touch.

use std::io;

/// Makes the calling thread, and no other of its process, access files as this user and group. Leaving user 0 takes the
/// capabilities about files along; nobody can send it signals whom it would not have let before, as with a change of the
/// effective user.
///
/// # Errors
/// `EPERM` without CAP_SETUID and CAP_SETGID.
pub fn access_files_as(uid: u32, gid: u32) -> io::Result<()> {
    set(libc::SYS_setfsgid, gid)?;
    set(libc::SYS_setfsuid, uid)
}

/// The kernel answers with what was before and reports no failure; an impossible id changes nothing and tells what is.
fn set(call: libc::c_long, id: u32) -> io::Result<()> {
    // SAFETY: both calls take a number by value and return one.
    let now = unsafe {
        libc::syscall(call, id);
        libc::syscall(call, u32::MAX)
    };
    if now == libc::c_long::from(id) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EPERM))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_this_threads_alone() {
        let id = |field: &str| {
            let status = std::fs::read_to_string("/proc/thread-self/status").expect("read");
            let line = status.lines().find(|line| line.starts_with(field));
            let last = line.and_then(|line| line.split_whitespace().last());
            last.and_then(|id| id.parse::<u32>().ok())
                .expect("a number")
        };
        let before = (id("Uid:"), id("Gid:"));
        if before.0 != 0 {
            println!("only root may");
            return;
        }
        let there = std::thread::spawn(move || {
            access_files_as(1234, 5678).expect("root may");
            (id("Uid:"), id("Gid:"))
        });
        assert_eq!(there.join().expect("thread"), (1234, 5678));
        assert_eq!((id("Uid:"), id("Gid:")), before);
    }
}
