//! Files of the store: documents of bounded size, replaced as a whole; locks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Longest document that is read, in bytes.
pub(crate) const DOCUMENT_MAX: u64 = 16 << 20;

/// Reads a document.
pub(super) fn read_document(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(DOCUMENT_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > DOCUMENT_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the document is too long",
        ));
    }
    Ok(bytes)
}

/// Writes a file so that at any moment, also after a loss of power, there is the old or the new
/// one. The lock of the store must be held: the temporary file has a fixed name.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_added_extension("new");
    let result = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        let directory = path.parent().unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    })();
    if result.is_err() {
        // Half a file helps nobody; the next replacement would overwrite it in any case.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// Creates a directory that only its owner may enter: layers hold setuid programs of other people.
/// Present is fine.
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Opens a directory or file and locks it; `None` where another process holds a lock that excludes
/// this one.
pub(super) fn try_lock(path: &Path, operation: FlockOperation) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    match rustix::fs::flock(&fd, operation) {
        Ok(()) => Ok(Some(fd)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Locks a file, and waits until that is possible.
pub(super) fn lock(path: &Path, operation: FlockOperation) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    loop {
        match rustix::fs::flock(&fd, operation) {
            Err(Errno::INTR) => {}
            result => return result.map(|()| fd).map_err(io::Error::from),
        }
    }
}
