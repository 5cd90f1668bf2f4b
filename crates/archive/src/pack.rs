//! A tar archive of a file or a directory tree.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use tar::{EntryType, Header};

use crate::path::{open, words};
use crate::read::{BLOCK, shown};
use crate::skipped::Skipped;

/// Directories within directories; each that is under way costs a descriptor.
const DEEPEST: usize = 256;
/// Bytes of a file in memory.
const PIECE: usize = 64 << 10;

/// Why there is no archive, or no whole one.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// What is to be packed cannot be read.
    #[error("{step} {path}: {}", words(source))]
    Path {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The archive cannot be written: its reader is gone.
    #[error("write the archive: {}", words(.0))]
    Write(io::Error),
}

/// Writes `path`, seen from `root`, to `out` as a tar archive whose entries begin with the last name of `path`; for a path
/// without one, such as `/`, with `.`. Links are packed as links, also `path` itself unless it ends in a slash.
///
/// Devices, pipes, sockets and what may not be read are left out; what is returned says so, a sentence each.
///
/// # Errors
/// `path` cannot be opened; `out` fails; a file fails while it is read.
pub fn pack(root: BorrowedFd<'_>, path: &Path, out: impl Write) -> Result<Vec<String>, PackError> {
    let failed = |source| PackError::Path {
        step: "open",
        path: path.display().to_string(),
        source,
    };
    let top = open(root, path, OFlags::NOFOLLOW).map_err(failed)?;
    let name = match path.components().next_back() {
        Some(Component::Normal(name)) => name.as_bytes().to_vec(),
        _ => b".".to_vec(),
    };
    let mut packer = Packer {
        out,
        skipped: Skipped::default(),
        piece: vec![0; PIECE],
    };
    // Asked for by name, it is not left out in silence.
    let top = match packer.add(top, name)? {
        Added::Directory(dir, name) => Some((dir, name)),
        Added::Whole => None,
        Added::Refused(source) => return Err(failed(source)),
    };
    packer.tree(top)?;
    packer.write(&[0; 2 * BLOCK])?;
    packer.out.flush().map_err(PackError::Write)?;
    Ok(packer.skipped.into_told())
}

struct Packer<W> {
    out: W,
    skipped: Skipped,
    piece: Vec<u8>,
}

/// What came of an entry.
enum Added {
    /// A directory, opened to be read, and its name; what is in it comes next.
    Directory(Dir, Vec<u8>),
    /// All of it was written, or left out.
    Whole,
    /// It may not be read.
    Refused(io::Error),
}

impl<W: Write> Packer<W> {
    /// What is below a directory, depth first.
    fn tree(&mut self, top: Option<(Dir, Vec<u8>)>) -> Result<(), PackError> {
        let mut levels: Vec<(Dir, Vec<u8>)> = top.into_iter().collect();
        while let Some((dir, path)) = levels.last_mut() {
            let entry = match dir.read() {
                None => {
                    levels.pop();
                    continue;
                }
                Some(Err(error)) => {
                    return Err(at("read", path, error.into()));
                }
                Some(Ok(entry)) => entry,
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let path = [path.as_slice(), b"/", name].concat();
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = dir
                .fd()
                .and_then(|dir| openat(dir, entry.file_name(), flags, Mode::empty()));
            let file = match opened {
                Ok(file) => file,
                // Removed since it was listed.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => {
                    self.skip(&path, &words(&error.into()));
                    continue;
                }
            };
            match self.add(file, path.clone())? {
                Added::Directory(..) if levels.len() == DEEPEST => {
                    self.skip(&path, "nested too deep");
                }
                Added::Directory(dir, path) => levels.push((dir, path)),
                Added::Whole => {}
                Added::Refused(error) => self.skip(&path, &words(&error)),
            }
        }
        Ok(())
    }

    /// Writes the entry of what `file` names (`O_PATH`): what it is was settled by opening it, whatever has its name now.
    fn add(&mut self, file: OwnedFd, path: Vec<u8>) -> Result<Added, PackError> {
        let stat = fstat(&file).map_err(|error| at("look at", &path, error.into()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let opened = openat(&file, ".", flags, Mode::empty()).and_then(Dir::new);
                match opened {
                    Err(error) => Ok(Added::Refused(error.into())),
                    Ok(dir) => {
                        let name = [path.as_slice(), b"/"].concat();
                        self.header(&stat, EntryType::Directory, &name, b"", 0)?;
                        Ok(Added::Directory(dir, path))
                    }
                }
            }
            FileType::RegularFile => match reopened(file.as_fd()) {
                Err(error) => Ok(Added::Refused(error)),
                Ok(file) => {
                    let size = u64::try_from(stat.st_size).unwrap_or(0);
                    self.header(&stat, EntryType::Regular, &path, b"", size)?;
                    self.data(&file, &path, size)?;
                    Ok(Added::Whole)
                }
            },
            FileType::Symlink => {
                let target = readlinkat(&file, "", Vec::new())
                    .map_err(|error| at("read the link", &path, error.into()))?;
                self.header(&stat, EntryType::Symlink, &path, target.as_bytes(), 0)?;
                Ok(Added::Whole)
            }
            other => {
                let what = match other {
                    FileType::Fifo => "named pipe",
                    FileType::Socket => "socket",
                    _ => "device",
                };
                self.skip(&path, &format!("{what} ignored"));
                Ok(Added::Whole)
            }
        }
    }

    /// Exactly as many bytes as the header said, whatever becomes of the file meanwhile.
    fn data(&mut self, mut file: &File, path: &[u8], size: u64) -> Result<(), PackError> {
        let mut left = size;
        while left > 0 {
            let want = left.min(self.piece.len() as u64) as usize;
            match file.read(&mut self.piece[..want]) {
                Ok(0) => {
                    self.skip(
                        path,
                        &format!("file shrank by {left} bytes; padding with zeros"),
                    );
                    break;
                }
                Ok(read) => {
                    self.out
                        .write_all(&self.piece[..read])
                        .map_err(PackError::Write)?;
                    left -= read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(at("read", path, error)),
            }
        }
        self.zeros(left + padding(size))
    }

    /// The header of an entry, after the long forms of what does not fit into it.
    fn header(
        &mut self,
        stat: &Stat,
        kind: EntryType,
        path: &[u8],
        link: &[u8],
        size: u64,
    ) -> Result<(), PackError> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(stat.st_mode & 0o7777);
        header.set_uid(stat.st_uid.into());
        header.set_gid(stat.st_gid.into());
        header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
        header.set_size(size);
        self.long(&mut header.as_old_mut().name, path, EntryType::GNULongName)?;
        self.long(
            &mut header.as_old_mut().linkname,
            link,
            EntryType::GNULongLink,
        )?;
        header.set_cksum();
        self.write(header.as_bytes())
    }

    /// Puts a text into a field, or into an entry before this one.
    fn long(&mut self, field: &mut [u8], text: &[u8], kind: EntryType) -> Result<(), PackError> {
        let fits = text.len().min(field.len());
        field[..fits].copy_from_slice(&text[..fits]);
        if text.len() < field.len() {
            return Ok(());
        }
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let size = text.len() as u64 + 1;
        header.set_size(size);
        header.set_cksum();
        self.write(header.as_bytes())?;
        self.write(text)?;
        self.zeros(1 + padding(size))
    }

    fn zeros(&mut self, count: u64) -> Result<(), PackError> {
        io::copy(&mut io::repeat(0).take(count), &mut self.out)
            .map(drop)
            .map_err(PackError::Write)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        self.out.write_all(bytes).map_err(PackError::Write)
    }

    fn skip(&mut self, path: &[u8], why: &str) {
        self.skipped.push(format!("{}: {why}", shown(path)));
    }
}

/// Opens a regular file to read, by what is known of it: no other file, and never a device or a pipe, whose opening would do
/// something.
fn reopened(file: BorrowedFd<'_>) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn at(step: &'static str, path: &[u8], source: io::Error) -> PackError {
    PackError::Path {
        step,
        path: shown(path),
        source,
    }
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

#[cfg(test)]
mod tests;
