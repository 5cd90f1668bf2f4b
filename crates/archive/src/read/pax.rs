//! PAX extended headers: records of `length key=value` that override the fields of the header after
//! them.
//!
//! The length is what delimits a record: values may hold any byte, newlines included.

use super::Time;
use super::numbers::{decimal, time};

const XATTR: &[u8] = b"SCHILY.xattr.";

/// The records that matter for a layer. An absent or empty value leaves the header's field as it
/// is.
#[derive(Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    pub(super) mtime: Option<Time>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: SparseRecords,
}

/// The `GNU.sparse.*` records of formats 0.0, 0.1 and 1.0.
#[derive(Default)]
pub(super) struct SparseRecords {
    pub(super) major: Option<i64>,
    pub(super) minor: Option<i64>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Offsets and lengths in turn, as decimal texts.
    pub(super) map: Vec<Vec<u8>>,
    pub(super) has_map: bool,
}

impl Pax {
    /// Reads all records; `None` where they are malformed.
    pub(super) fn parse(mut data: &[u8]) -> Option<Pax> {
        let mut pax = Pax::default();
        while !data.is_empty() {
            let space = data.iter().take(20).position(|b| *b == b' ')?;
            let length = usize::try_from(decimal(&data[..space])?).ok()?;
            if length <= space + 1 || length > data.len() {
                return None;
            }
            let (record, rest) = data.split_at(length);
            let record = record[space + 1..].strip_suffix(b"\n")?;
            let equals = record.iter().position(|b| *b == b'=')?;
            pax.set(&record[..equals], &record[equals + 1..])?;
            data = rest;
        }
        Some(pax)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        if let Some(name) = key.strip_prefix(XATTR) {
            self.xattrs.push((name.to_vec(), value.to_vec()));
            return Some(());
        }
        if value.is_empty() && key != b"GNU.sparse.map" {
            return Some(());
        }
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(size(value)?),
            b"uid" => self.uid = Some(decimal(value)?),
            b"gid" => self.gid = Some(decimal(value)?),
            b"mtime" => self.mtime = Some(time(value)?),
            b"GNU.sparse.major" => self.sparse.major = Some(decimal(value)?),
            b"GNU.sparse.minor" => self.sparse.minor = Some(decimal(value)?),
            b"GNU.sparse.name" => self.sparse.name = Some(value.to_vec()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.size = Some(size(value)?),
            // Format 0.0 repeats these two keys, one pair for each chunk.
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let is_offset = key == b"GNU.sparse.offset";
                if is_offset != self.sparse.map.len().is_multiple_of(2) {
                    return None;
                }
                self.sparse.map.push(value.to_vec());
                self.sparse.has_map = true;
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|b| *b == b',').filter(|_| !value.is_empty());
                self.sparse.map = numbers.map(<[u8]>::to_vec).collect();
                self.sparse.has_map = true;
            }
            _ => {}
        }
        Some(())
    }
}

fn size(value: &[u8]) -> Option<u64> {
    u64::try_from(decimal(value)?).ok()
}
