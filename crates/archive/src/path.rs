//! Opening what a path names beneath a root, which no link leads out of, whoever renames things meanwhile.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// Opens `path` with `root` as its root, to be looked at and passed through (`O_PATH`). With `more` flags: `NOFOLLOW` for the
/// link itself, `DIRECTORY`.
pub(crate) fn open(root: BorrowedFd<'_>, path: &Path, more: OFlags) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::CLOEXEC | more;
    loop {
        match openat2(root, path, flags, Mode::empty(), how) {
            // Something was renamed during a `..`; the kernel asks to try again.
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

/// The kernel's words, without the number.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}
