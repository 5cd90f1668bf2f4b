//! Archives for tests: what the `tar` crate writes, and by hand what it refuses to.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "for tests"
)]

use std::path::Path;

use tar::{Builder, EntryType, Header};

/// A tar archive in memory.
pub struct Tar(Builder<Vec<u8>>);

impl Default for Tar {
    fn default() -> Tar {
        Tar(Builder::new(Vec::new()))
    }
}

/// A header with an arbitrary name and link target, which may be hostile.
pub fn header(kind: EntryType, path: &[u8], link: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_000_000_000);
    header.set_size(size);
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
    header.set_cksum();
    header
}

impl Tar {
    pub fn new() -> Tar {
        Tar::default()
    }

    pub fn raw(mut self, header: &Header, data: &[u8]) -> Tar {
        self.0.append(header, data).unwrap();
        self
    }

    /// An entry with changes to its header.
    pub fn with(
        self,
        kind: EntryType,
        path: &str,
        data: &[u8],
        change: impl Fn(&mut Header),
    ) -> Tar {
        let mut header = header(kind, path.as_bytes(), b"", data.len() as u64);
        change(&mut header);
        header.set_cksum();
        self.raw(&header, data)
    }

    pub fn file(self, path: &str, data: &[u8]) -> Tar {
        self.with(EntryType::Regular, path, data, |_| {})
    }

    pub fn dir(self, path: &str, mode: u32) -> Tar {
        self.with(EntryType::Directory, path, b"", |header| {
            header.set_mode(mode);
        })
    }

    pub fn symlink(self, path: &str, target: &str) -> Tar {
        self.raw(
            &header(EntryType::Symlink, path.as_bytes(), target.as_bytes(), 0),
            b"",
        )
    }

    pub fn hard_link(self, path: &str, target: &str) -> Tar {
        self.raw(
            &header(EntryType::Link, path.as_bytes(), target.as_bytes(), 0),
            b"",
        )
    }

    /// PAX records for the next entry.
    pub fn pax(mut self, records: &[(&str, &[u8])]) -> Tar {
        self.0
            .append_pax_extensions(records.iter().copied())
            .unwrap();
        self
    }

    /// With the end marker.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    /// Without it.
    pub fn cut(self) -> Vec<u8> {
        let mut bytes = self.finish();
        bytes.truncate(bytes.len() - 1024);
        bytes
    }
}

/// All paths below a directory, sorted, with what they are: `a/`, `a/f=data`, `l->target`.
pub fn listing(root: &Path) -> Vec<String> {
    fn walk(directory: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                found.push(format!("{name}/"));
                walk(&entry.path(), &format!("{name}/"), found);
            } else if kind.is_symlink() {
                let target = std::fs::read_link(entry.path()).unwrap();
                found.push(format!("{name}->{}", target.display()));
            } else if kind.is_file() {
                let data = std::fs::read(entry.path()).unwrap();
                found.push(format!("{name}={}", String::from_utf8_lossy(&data)));
            } else {
                let metadata = std::fs::symlink_metadata(entry.path()).unwrap();
                let device = std::os::unix::fs::MetadataExt::rdev(&metadata);
                let whiteout = std::os::unix::fs::FileTypeExt::is_char_device(&kind);
                let what = if whiteout && device == 0 {
                    "whiteout"
                } else {
                    "special"
                };
                found.push(format!("{name}:{what}"));
            }
        }
    }
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found.sort();
    found
}
