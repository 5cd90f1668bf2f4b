//! Copies the data of a file, holes as holes.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::compression::BUFFER;

/// Copies `from` to the empty file `to`: by sharing the blocks where the file system can, else
/// chunk by chunk.
pub(super) fn copy(from: &File, to: &File, size: u64) -> rustix::io::Result<()> {
    if size == 0 {
        return Ok(());
    }
    // Fails on most file systems, and between two of them, in different ways; all mean "copy it
    // then".
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let mut offset = 0;
    while let Some((start, end)) = next_chunk(from, offset, size)? {
        copy_range(from, to, start, end)?;
        offset = end;
    }
    rustix::fs::ftruncate(to, size)
}

/// The next run of data at or after `offset`.
fn next_chunk(from: &File, offset: u64, size: u64) -> rustix::io::Result<Option<(u64, u64)>> {
    if offset >= size {
        return Ok(None);
    }
    let start = match rustix::fs::seek(from, SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        // Without holes, all is data.
        Err(Errno::INVAL) => return Ok(Some((offset, size))),
        Err(e) => return Err(e),
    };
    let end = rustix::fs::seek(from, SeekFrom::Hole(start))?;
    Ok(Some((start, end.min(size))))
}

fn copy_range(from: &File, to: &File, start: u64, end: u64) -> rustix::io::Result<()> {
    let (mut read_at, mut write_at) = (start, start);
    while read_at < end {
        let want = usize::try_from(end - read_at)
            .unwrap_or(usize::MAX)
            .min(1 << 30);
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), want) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => {
                return read_and_write(from, to, read_at, end);
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn read_and_write(from: &File, to: &File, mut offset: u64, end: u64) -> rustix::io::Result<()> {
    let errno = |e: std::io::Error| Errno::from_io_error(&e).unwrap_or(Errno::IO);
    let mut buffer = vec![0; BUFFER];
    while offset < end {
        let want = usize::try_from(end - offset)
            .unwrap_or(usize::MAX)
            .min(BUFFER);
        match from.read_at(&mut buffer[..want], offset) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                to.write_all_at(&buffer[..n], offset).map_err(errno)?;
                offset += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(errno(e)),
        }
    }
    Ok(())
}
