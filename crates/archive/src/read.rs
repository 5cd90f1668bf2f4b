//! Reads tar archives of every dialect found in images: v7, ustar, PAX, GNU, and the four ways of
//! GNU tar to store sparse files.
//!
//! Layers are hostile input and their meaning must be the one Docker and containerd give them,
//! which is that of Go's `archive/tar`. The `tar` crate's iterator differs in ways that matter
//! here: it reads extension headers of any size into memory, splits PAX records at newlines (a
//! `security.capability` may hold one), and knows neither PAX sparse files nor that links and
//! directories carry no data. So the iteration is ours, and that crate gives the layout of the
//! blocks.
//!
//! Nothing here touches the file system.

use std::io::{self, Read};

use tar::Header;

mod numbers;
mod pax;
mod sparse;
#[cfg(test)]
mod tests;

use numbers::number;
use pax::Pax;
pub use sparse::Chunk;

/// The unit of a tar archive, in bytes.
pub const BLOCK: usize = 512;
/// Longest extension header (long name, PAX records, sparse map) in bytes; Go's limit.
const SPECIAL_MAX: u64 = 1 << 20;

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source of the archive failed or its compressed form is damaged.
    #[error("read the archive")]
    Read(#[source] io::Error),
    /// The archive ends in the middle of an entry.
    #[error("the archive is cut short after {0:?}")]
    Truncated(String),
    /// A block that is no tar header.
    #[error("not a tar archive, or damaged: bad header checksum after {0:?}")]
    Checksum(String),
    /// A header field that is no number of the kind it must be.
    #[error("entry {path:?}: header field `{field}` is malformed")]
    Field {
        /// The entry's name, for messages.
        path: String,
        /// The field's name.
        field: &'static str,
    },
    /// PAX records that do not follow their own lengths.
    #[error("malformed PAX header after {0:?}")]
    Pax(String),
    /// A sparse map that is out of order, overlaps or leaves the file.
    #[error("entry {0:?}: malformed sparse file map")]
    Sparse(String),
    /// A name, a set of PAX records or a sparse map longer than [`SPECIAL_MAX`].
    #[error("extension header after {0:?} is longer than {SPECIAL_MAX} bytes")]
    SpecialTooLong(String),
    /// A type of entry that Docker and containerd refuse as well.
    #[error("entry {path:?} has the unknown type {kind:?}")]
    UnknownType {
        /// The entry's name, for messages.
        path: String,
        /// The type as written.
        kind: char,
    },
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, sparse or not.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name for an earlier entry.
    HardLink,
    /// A named pipe.
    Fifo,
    /// A character or block device.
    Device,
}

/// Seconds and nanoseconds since 1970; `nanos` is below 1,000,000,000, also for times before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// What is to be added.
    pub nanos: u32,
}

/// One entry of an archive; its data is read from the [`Archive`] before the next one.
#[derive(Debug)]
pub struct Entry {
    /// As written: perhaps absolute, perhaps with `..`.
    pub path: Vec<u8>,
    /// The target of a link, as written.
    pub link: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permissions with setuid, setgid and sticky bit; nothing else.
    pub mode: u32,
    /// Number of its owner, as written.
    pub uid: i64,
    /// Number of its group, as written.
    pub gid: i64,
    /// When it was changed.
    pub mtime: Time,
    /// Of the file, with its holes; 0 for what is no file.
    pub size: u64,
    /// Extended attributes, names and values.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the data belongs, for sparse files.
    pub sparse: Option<Vec<Chunk>>,
}

/// A tar archive that is read once, from front to end.
pub struct Archive<R> {
    input: R,
    /// Bytes of the current entry's data not read yet.
    data: u64,
    /// Bytes from the end of that data to the next header.
    padding: u64,
    /// The last entry's name, for messages.
    last: String,
    ended: bool,
    has_end_marker: bool,
}

/// What headers say about the entry that follows them.
#[derive(Default)]
struct Extensions {
    pax: Pax,
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    any: bool,
}

impl<R: Read> Archive<R> {
    /// Reads an archive that is not compressed.
    pub fn new(input: R) -> Archive<R> {
        let last = String::from("the start");
        Archive {
            input,
            data: 0,
            padding: 0,
            last,
            ended: false,
            has_end_marker: false,
        }
    }

    /// Whether the end was marked by a block of zeros. Without one the archive may have been cut
    /// short between two entries.
    pub fn has_end_marker(&self) -> bool {
        self.has_end_marker
    }

    /// The error for an archive that ends here.
    pub fn truncated(&self) -> Error {
        Error::Truncated(self.last.clone())
    }

    /// The source, for what follows the archive.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Skips what is left of the current entry and reads the next one; `None` at the end.
    ///
    /// # Errors
    /// The source's own, and what no tar archive has.
    #[expect(
        clippy::should_implement_trait,
        reason = "the entry's data is read from here, which an iterator cannot have"
    )]
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        let mut extensions = Extensions::default();
        while !self.ended {
            self.skip_data()?;
            let Some(block) = self.header_block()? else {
                break;
            };
            let header = Header::from_byte_slice(&block);
            let raw = header.as_old();
            let size = unsigned(number(&raw.size)).ok_or_else(|| self.field(&raw.name, "size"))?;
            match raw.linkflag[0] {
                b'x' | b'X' => {
                    let records = self.special(size)?;
                    extensions.pax =
                        Pax::parse(&records).ok_or_else(|| Error::Pax(self.last.clone()))?;
                    extensions.any = true;
                }
                // Global records are for all entries by POSIX, but Docker and containerd ignore
                // them, and so must we.
                b'g' => self.special(size).map(drop)?,
                // The label of a volume: no file.
                b'V' => self.special(size).map(drop)?,
                b'L' => {
                    extensions.long_path = Some(until_nul(self.special(size)?));
                    extensions.any = true;
                }
                b'K' => {
                    extensions.long_link = Some(until_nul(self.special(size)?));
                    extensions.any = true;
                }
                _ => return self.entry(header, size, extensions).map(Some),
            }
        }
        if extensions.any {
            return Err(Error::Truncated(self.last.clone()));
        }
        Ok(None)
    }

    /// The block with the next header; `None` at the end of the archive.
    fn header_block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let mut block = [0; BLOCK];
        if !self.block(&mut block)? {
            self.ended = true;
            return Ok(None);
        }
        if block.iter().all(|b| *b == 0) {
            // One zero block at the very end is enough, as for Go; followed by something else it is
            // damage.
            let mut second = [0; BLOCK];
            if self.block(&mut second)? && second.iter().any(|b| *b != 0) {
                return Err(Error::Checksum(self.last.clone()));
            }
            self.ended = true;
            self.has_end_marker = true;
            return Ok(None);
        }
        if !checksum_is_good(&block) {
            return Err(Error::Checksum(self.last.clone()));
        }
        // The version field is "00" by POSIX; some writers leave it blank, and the layouts of the
        // tar crate insist on it.
        if &block[257..263] == b"ustar\0" {
            block[263..265].copy_from_slice(b"00");
        }
        Ok(Some(block))
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        extensions: Extensions,
    ) -> Result<Entry, Error> {
        let Extensions {
            pax,
            long_path,
            long_link,
            ..
        } = extensions;
        let raw = header.as_old();
        let mut path = long_path
            .or_else(|| pax.path.clone())
            .unwrap_or_else(|| header.path_bytes().into_owned());
        if let Some(name) = &pax.sparse.name {
            path.clone_from(name);
        }
        let link = long_link
            .or_else(|| pax.link.clone())
            .or_else(|| header.link_name_bytes().map(|link| link.into_owned()))
            .unwrap_or_default();
        let shown = shown(&path);
        self.last.clone_from(&shown);
        let field = |field: &'static str| Error::Field {
            path: shown.clone(),
            field,
        };

        let kind = match raw.linkflag[0] {
            0 if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' | b'4' => Kind::Device,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => {
                return Err(Error::UnknownType {
                    path: shown,
                    kind: char::from(other),
                });
            }
        };
        if path.contains(&0) || link.contains(&0) {
            return Err(field("path"));
        }

        let stored = pax.size.unwrap_or(size);
        // Only files have data, whatever the size field says: Go reads archives so.
        self.data = if kind == Kind::File { stored } else { 0 };
        self.padding = padding(self.data);
        let sparse = match (kind, raw.linkflag[0]) {
            (Kind::File, b'S') => Some(self.old_sparse(header, &shown)?),
            (Kind::File, _) => self.pax_sparse(&pax.sparse, &shown)?,
            _ => None,
        };
        let (size, sparse) = match sparse {
            Some(map) => (map.size, Some(map.chunks)),
            None => (self.data, None),
        };
        Ok(Entry {
            path,
            link,
            kind,
            mode: number(&raw.mode).ok_or_else(|| field("mode"))? as u32 & 0o7777,
            uid: pax
                .uid
                .map_or_else(|| number(&raw.uid), Some)
                .ok_or_else(|| field("uid"))?,
            gid: pax
                .gid
                .map_or_else(|| number(&raw.gid), Some)
                .ok_or_else(|| field("gid"))?,
            mtime: match pax.mtime {
                Some(time) => time,
                None => {
                    let seconds = number(&raw.mtime).ok_or_else(|| field("mtime"))?;
                    Time { seconds, nanos: 0 }
                }
            },
            size,
            xattrs: pax.xattrs,
            sparse,
        })
    }

    /// The data of an extension header.
    fn special(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > SPECIAL_MAX {
            return Err(Error::SpecialTooLong(self.last.clone()));
        }
        self.data = size;
        self.padding = padding(size);
        let mut data = Vec::new();
        io::Read::by_ref(self)
            .read_to_end(&mut data)
            .map_err(|e| self.read_error(e))?;
        Ok(data)
    }

    fn skip_data(&mut self) -> Result<(), Error> {
        let mut left = self.data + self.padding;
        self.data = 0;
        self.padding = 0;
        let mut buffer = [0; 16 * 1024];
        while left > 0 {
            let want = left.min(buffer.len() as u64) as usize;
            match self.input.read(&mut buffer[..want]) {
                Ok(0) => return Err(Error::Truncated(self.last.clone())),
                Ok(n) => left -= n as u64,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.read_error(e)),
            }
        }
        Ok(())
    }

    /// Fills `block`; `false` where the input ends before it.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Error> {
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(Error::Truncated(self.last.clone())),
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.read_error(e)),
            }
        }
        Ok(true)
    }

    fn read_error(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Error::Truncated(self.last.clone());
        }
        Error::Read(error)
    }

    fn field(&self, name: &[u8], field: &'static str) -> Error {
        Error::Field {
            path: shown(&until_nul(name.to_vec())),
            field,
        }
    }
}

/// Reads the data of the current entry.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.data == 0 || buf.is_empty() {
            return Ok(0);
        }
        let want = self.data.min(buf.len() as u64) as usize;
        let n = self.input.read(&mut buf[..want])?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive is cut short",
            ));
        }
        self.data -= n as u64;
        Ok(n)
    }
}

/// Whether `head` can be the start of a tar archive: a good header, or the zeros of an empty
/// archive.
pub fn looks_like_tar(head: &[u8]) -> bool {
    match head.first_chunk::<BLOCK>() {
        Some(block) => checksum_is_good(block) || block.iter().all(|b| *b == 0),
        None => head.is_empty(),
    }
}

/// A name for messages: lossy; its control characters are escaped where it is printed.
pub fn shown(path: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = String::from_utf8_lossy(path);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}

fn checksum_is_good(block: &[u8; BLOCK]) -> bool {
    let Some(stored) = number(&block[148..156]) else {
        return false;
    };
    let bytes = || block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]);
    let unsigned: i64 = bytes().map(|b| i64::from(*b)).sum();
    // Some old writers summed signed bytes.
    let signed: i64 = bytes().map(|b| i64::from(*b as i8)).sum();
    stored == unsigned || stored == signed
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn unsigned(number: Option<i64>) -> Option<u64> {
    number.and_then(|n| u64::try_from(n).ok())
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|b| *b == 0) {
        bytes.truncate(end);
    }
    bytes
}
