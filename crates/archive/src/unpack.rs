//! A directory tree of a tar archive that may be hostile.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, fchmod, futimens, linkat, mkdirat,
    openat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use crate::path::{open, words};
use crate::read::{self, Archive, Entry, Kind, Time, shown};
use crate::skipped::Skipped;

mod onto;

pub use onto::unpack_onto;

/// Bytes of a file in memory.
const PIECE: usize = 64 << 10;
/// Of an entry's mode, what is taken over. Never set-user-id: who unpacks may be root, and who packed somebody else.
const MODE: u32 = 0o777;
/// Of a directory until it is finished: its owner can enter it and write.
const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o755);

/// Why an archive was not unpacked, or not all of it. What was unpacked before stays.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive cannot be read, or is none.
    #[error("{}", archive_words(.0))]
    Archive(#[from] read::Error),
    /// An entry, or the place to unpack to, cannot be written.
    #[error("{step} {path}: {}", words(source))]
    Path {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// An entry that leads out of the place to unpack to.
    #[error("entry {0:?} contains '..'")]
    LeadsOut(String),
    /// There is one name for what was to be several things.
    #[error("{path} is no directory, and the archive has {first:?} and {second:?} for it")]
    SeveralRoots {
        /// Where to unpack to.
        path: String,
        /// What came first.
        first: String,
        /// What came then.
        second: String,
    },
}

fn archive_words(error: &read::Error) -> String {
    match error {
        read::Error::Read(cause) => format!("{error}: {}", words(cause)),
        _ => error.to_string(),
    }
}

/// Unpacks an archive beneath `path`, seen from `root`, if that is a directory; else as `path` itself, whose parent must exist:
/// the entries then lie beneath one name, for which the last name of `path` stands, or beneath `.`, the first of them. So a
/// copied file or directory comes to lie in a directory, or gets a new name, as with `cp`.
///
/// Nothing outside of `root` is ever read or written, whatever the archive holds and whoever changes the tree meanwhile: links
/// are resolved as if `root` were `/`. Files and links that are in the way are replaced, directories are shared and keep what
/// they are. Modes and times are taken over, owners and special bits are not: what is made belongs to whoever unpacks.
///
/// Devices and pipes are left out; what is returned says so, a sentence each.
///
/// # Errors
/// What cannot be read of the archive, and an archive without its end; what cannot be written, beginning with `path`.
pub fn unpack(
    root: BorrowedFd<'_>,
    path: &Path,
    archive: impl Read,
) -> Result<Vec<String>, UnpackError> {
    let unpacker = Unpacker::new(root, Target::find(root, path)?);
    unpacker.rest(&mut Archive::new(archive))
}

/// Where entries go.
struct Target {
    /// The directory they are beneath, as seen from the root.
    base: PathBuf,
    names: Names,
}

/// What becomes of the names of entries.
enum Names {
    /// They stay.
    Kept,
    /// This one stands for the first one of each, which is known once there was an entry.
    Renamed(PathBuf, Option<PathBuf>),
    /// They come to lie beneath this one: the archive began with a directory that has no name, `.`.
    Beneath(PathBuf),
}

impl Target {
    fn find(root: BorrowedFd<'_>, path: &Path) -> Result<Self, UnpackError> {
        match open(root, path, OFlags::DIRECTORY) {
            Ok(_) => Ok(Self {
                base: path.to_owned(),
                names: Names::Kept,
            }),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                let Some(Component::Normal(name)) = path.components().next_back() else {
                    return Err(at("open", path, error));
                };
                let base = path.parent().unwrap_or(Path::new("")).to_owned();
                open(root, &base, OFlags::DIRECTORY).map_err(|error| at("open", &base, error))?;
                Ok(Self {
                    base,
                    names: Names::Renamed(PathBuf::from(name), None),
                })
            }
            Err(error) => Err(at("open", path, error)),
        }
    }

    /// Where an entry, or what a hard link names, goes; nothing for the base itself.
    fn place(&mut self, name: &[u8]) -> Result<PathBuf, UnpackError> {
        let mut inside = PathBuf::new();
        for component in Path::new(OsStr::from_bytes(name)).components() {
            match component {
                Component::Normal(name) => inside.push(name),
                Component::ParentDir => return Err(UnpackError::LeadsOut(shown(name))),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        let nameless = inside.as_os_str().is_empty();
        if let Names::Renamed(new, None) = &mut self.names
            && nameless
        {
            self.names = Names::Beneath(std::mem::take(new));
        }
        let (new, first) = match &mut self.names {
            Names::Kept => return Ok(inside),
            Names::Beneath(new) => return Ok(beneath(new, &inside)),
            Names::Renamed(new, first) => (new, first),
        };
        let mut components = inside.components();
        let Some(found) = components
            .next()
            .map(|first| PathBuf::from(first.as_os_str()))
        else {
            return Ok(PathBuf::new());
        };
        let expected = first.get_or_insert_with(|| found.clone());
        if *expected != found {
            return Err(UnpackError::SeveralRoots {
                path: self.base.join(new).display().to_string(),
                first: expected.display().to_string(),
                second: found.display().to_string(),
            });
        }
        Ok(beneath(new, components.as_path()))
    }
}

/// `join` of nothing would end in a slash.
fn beneath(base: &Path, rest: &Path) -> PathBuf {
    match rest.as_os_str().is_empty() {
        true => base.to_owned(),
        false => base.join(rest),
    }
}

struct Unpacker<'fd> {
    root: BorrowedFd<'fd>,
    target: Target,
    /// The directory of the newest entry: the next one is likely to be in it as well.
    parent: Option<(PathBuf, OwnedFd)>,
    /// New directories around the newest entry; their modes and times are set when no more comes.
    directories: Vec<NewDirectory>,
    skipped: Skipped,
}

struct NewDirectory {
    path: PathBuf,
    mode: u32,
    mtime: Time,
}

impl<'fd> Unpacker<'fd> {
    fn new(root: BorrowedFd<'fd>, target: Target) -> Self {
        Self {
            root,
            target,
            parent: None,
            directories: Vec::new(),
            skipped: Skipped::default(),
        }
    }

    /// All entries that are still to come, and the end.
    fn rest(mut self, archive: &mut Archive<impl Read>) -> Result<Vec<String>, UnpackError> {
        while let Some(entry) = archive.next()? {
            self.entry(&entry, archive)?;
        }
        self.end(archive)
    }

    fn end(mut self, archive: &Archive<impl Read>) -> Result<Vec<String>, UnpackError> {
        if !archive.has_end_marker() {
            return Err(archive.truncated().into());
        }
        self.leave(Path::new(""));
        Ok(self.skipped.into_told())
    }

    fn entry(
        &mut self,
        entry: &Entry,
        archive: &mut Archive<impl Read>,
    ) -> Result<(), UnpackError> {
        let place = self.target.place(&entry.path)?;
        self.leave(&place);
        let Some(name) = place.file_name() else {
            return Ok(());
        };
        if let Kind::Fifo | Kind::Device = entry.kind {
            let what = match entry.kind {
                Kind::Fifo => "named pipe",
                _ => "device",
            };
            self.skipped
                .push(format!("{}: {what} ignored", shown(&entry.path)));
            return Ok(());
        }
        let failed = |step: &'static str| {
            let path = self.target.base.join(&place);
            move |source: io::Error| at(step, &path, source)
        };
        let (create, link, write) = (failed("create"), failed("link"), failed("write"));
        let parent = self.parent_of(&place)?;
        match entry.kind {
            Kind::Directory => match mkdirat(parent, name, NEW_DIRECTORY) {
                Ok(()) => self.directories.push(NewDirectory {
                    path: place,
                    mode: entry.mode & MODE,
                    mtime: entry.mtime,
                }),
                Err(Errno::EXIST) => self.directory(&place).map(drop)?,
                Err(errno) => return Err(create(errno.into())),
            },
            Kind::File => {
                let flags = OFlags::WRONLY
                    | OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let private = Mode::from_raw_mode(0o600);
                let file = replacing(parent, name, || openat(parent, name, flags, private));
                let file = File::from(file.map_err(create)?);
                copy(&file, archive, entry).map_err(|error| match error {
                    Failure::Archive(error) => error.into(),
                    Failure::File(error) => write(error),
                })?;
                let finished = fchmod(&file, Mode::from_raw_mode(entry.mode & MODE))
                    .and_then(|()| futimens(&file, &times(entry.mtime)));
                finished.map_err(|errno| write(errno.into()))?;
            }
            Kind::Symlink => {
                let target = OsStr::from_bytes(&entry.link);
                replacing(parent, name, || symlinkat(target, parent, name)).map_err(create)?;
                // A file system without times of links is no reason to fail.
                let _ = utimensat(parent, name, &times(entry.mtime), AtFlags::SYMLINK_NOFOLLOW);
                // The way to it may lead through what this link has replaced.
                self.parent = None;
            }
            Kind::HardLink => self.hard_link(entry, &place).map_err(|error| match error {
                HardLinkError::Place(error) => error,
                HardLinkError::Io(error) => link(error),
            })?,
            Kind::Fifo | Kind::Device => {}
        }
        Ok(())
    }

    fn hard_link(&mut self, entry: &Entry, place: &Path) -> Result<(), HardLinkError> {
        let old = self
            .target
            .place(&entry.link)
            .map_err(HardLinkError::Place)?;
        let (Some(old_name), Some(name)) = (old.file_name(), place.file_name()) else {
            return Err(HardLinkError::Io(io::ErrorKind::NotFound.into()));
        };
        if old == place {
            return Ok(());
        }
        let old_parent = self.target.base.join(old.parent().unwrap_or(Path::new("")));
        let old_parent =
            open(self.root, &old_parent, OFlags::DIRECTORY).map_err(HardLinkError::Io)?;
        let parent = self.parent_of(place).map_err(HardLinkError::Place)?;
        let link = || linkat(&old_parent, old_name, parent, name, AtFlags::empty());
        replacing(parent, name, link).map_err(HardLinkError::Io)
    }

    /// The directory an entry is in, made with those around it where missing.
    fn parent_of(&mut self, place: &Path) -> Result<BorrowedFd<'_>, UnpackError> {
        let path = place.parent().unwrap_or(Path::new(""));
        if self.parent.as_ref().is_none_or(|(known, _)| known != path) {
            let opened = self.directory(path)?;
            self.parent = Some((path.to_owned(), opened));
        }
        match &self.parent {
            Some((_, opened)) => Ok(opened.as_fd()),
            None => Ok(self.root),
        }
    }

    fn directory(&self, path: &Path) -> Result<OwnedFd, UnpackError> {
        let whole = self.target.base.join(path);
        match open(self.root, &whole, OFlags::DIRECTORY) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && !path.as_os_str().is_empty() =>
            {
                let around = self.directory(path.parent().unwrap_or(Path::new("")))?;
                let name = path.file_name().unwrap_or_default();
                match mkdirat(&around, name, NEW_DIRECTORY) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(at("create", &whole, errno.into())),
                }
                open(self.root, &whole, OFlags::DIRECTORY)
            }
            other => other,
        }
        .map_err(|error| at("open", &whole, error))
    }

    /// Finishes the directories that `next` is not in.
    fn leave(&mut self, next: &Path) {
        while let Some(directory) = self
            .directories
            .pop_if(|directory| next.as_os_str().is_empty() || !next.starts_with(&directory.path))
        {
            // By what it is now: it may have been moved or replaced, and then it is not ours to finish.
            let path = self.target.base.join(&directory.path);
            let Ok(opened) = open(self.root, &path, OFlags::DIRECTORY | OFlags::NOFOLLOW) else {
                continue;
            };
            let _ = utimensat(&opened, ".", &times(directory.mtime), AtFlags::empty());
            let _ = rustix::fs::chmodat(
                &opened,
                ".",
                Mode::from_raw_mode(directory.mode),
                AtFlags::empty(),
            );
        }
    }
}

enum HardLinkError {
    Place(UnpackError),
    Io(io::Error),
}

/// Makes something in the place of what is there, unless that is a directory.
fn replacing<T>(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    make: impl Fn() -> Result<T, Errno>,
) -> io::Result<T> {
    // Somebody else may put something there as often as we remove it; that is not ours to win.
    for _ in 0..8 {
        match make() {
            Err(Errno::EXIST) => match unlinkat(parent, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            },
            other => return Ok(other?),
        }
    }
    Err(Errno::EXIST.into())
}

enum Failure {
    Archive(read::Error),
    File(io::Error),
}

/// The data of an entry, chunk by chunk for a sparse file.
fn copy(file: &File, archive: &mut Archive<impl Read>, entry: &Entry) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    let mut copy = |mut offset: u64, mut length: u64| -> Result<(), Failure> {
        while length > 0 {
            let want = length.min(PIECE as u64) as usize;
            if let Err(error) = archive.read_exact(&mut piece[..want]) {
                return Err(Failure::Archive(match error.kind() {
                    io::ErrorKind::UnexpectedEof => archive.truncated(),
                    _ => read::Error::Read(error),
                }));
            }
            file.write_all_at(&piece[..want], offset)
                .map_err(Failure::File)?;
            offset += want as u64;
            length -= want as u64;
        }
        Ok(())
    };
    match &entry.sparse {
        None => copy(0, entry.size),
        Some(chunks) => {
            for chunk in chunks {
                copy(chunk.offset, chunk.length)?;
            }
            file.set_len(entry.size).map_err(Failure::File)
        }
    }
}

/// The time of change; that of reading stays.
fn times(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.seconds,
            tv_nsec: mtime.nanos.into(),
        },
    }
}

fn at(step: &'static str, path: &Path, source: io::Error) -> UnpackError {
    UnpackError::Path {
        step,
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
