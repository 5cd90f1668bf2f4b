//! Sparse files: GNU's old format (map in the header and in blocks after it) and PAX formats 0.0,
//! 0.1 and 1.0.

use std::io::Read;

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::numbers::{decimal, number};
use super::pax::SparseRecords;
use super::{Archive, BLOCK, Error, SPECIAL_MAX, unsigned};

/// A run of data within a sparse file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// The chunks in ascending order, and the size of the file with its holes.
pub(super) struct Map {
    pub(super) chunks: Vec<Chunk>,
    pub(super) size: u64,
}

impl<R: Read> Archive<R> {
    pub(super) fn old_sparse(&mut self, header: &Header, path: &str) -> Result<Map, Error> {
        let malformed = || Error::Sparse(path.to_owned());
        let gnu = header.as_gnu().ok_or_else(malformed)?;
        let size = unsigned(number(&gnu.realsize)).ok_or_else(malformed)?;
        let mut chunks = Vec::new();
        add_chunks(&mut chunks, &gnu.sparse).ok_or_else(malformed)?;
        let mut more = gnu.isextended[0] != 0;
        let mut read = 0;
        while more {
            read += BLOCK as u64;
            if read > SPECIAL_MAX {
                return Err(Error::SpecialTooLong(path.to_owned()));
            }
            let mut extension = GnuExtSparseHeader::new();
            let mut block = [0; BLOCK];
            if !self.block(&mut block)? {
                return Err(Error::Truncated(path.to_owned()));
            }
            extension.as_mut_bytes().copy_from_slice(&block);
            add_chunks(&mut chunks, &extension.sparse).ok_or_else(malformed)?;
            more = extension.isextended[0] != 0;
        }
        validated(chunks, size, self.data).ok_or_else(malformed)
    }

    pub(super) fn pax_sparse(
        &mut self,
        records: &SparseRecords,
        path: &str,
    ) -> Result<Option<Map>, Error> {
        let malformed = || Error::Sparse(path.to_owned());
        let numbers = match (records.major, records.minor) {
            (Some(1), Some(0)) => self.map_in_data(path)?,
            (Some(0), Some(0 | 1)) => to_numbers(&records.map).ok_or_else(malformed)?,
            (None, None) if records.has_map => to_numbers(&records.map).ok_or_else(malformed)?,
            (None, None) => return Ok(None),
            _ => return Err(malformed()),
        };
        if numbers.len() % 2 != 0 {
            return Err(malformed());
        }
        let chunks: Vec<Chunk> = numbers
            .chunks(2)
            .map(|pair| Chunk {
                offset: pair[0],
                length: pair[1],
            })
            .collect();
        let size = records.size.ok_or_else(malformed)?;
        validated(chunks, size, self.data)
            .map(Some)
            .ok_or_else(malformed)
    }

    /// Format 1.0 puts the map in front of the data, in whole blocks: a count, then offset and
    /// length of each chunk, each number followed by a newline.
    fn map_in_data(&mut self, path: &str) -> Result<Vec<u64>, Error> {
        let malformed = || Error::Sparse(path.to_owned());
        let mut numbers: Vec<u64> = Vec::new();
        let mut digits = Vec::new();
        let mut wanted = 1;
        let mut read = 0;
        while numbers.len() < wanted {
            read += BLOCK as u64;
            if read > SPECIAL_MAX {
                return Err(Error::SpecialTooLong(path.to_owned()));
            }
            let mut block = [0; BLOCK];
            self.read_exact(&mut block).map_err(|_| malformed())?;
            for byte in block {
                if numbers.len() == wanted {
                    break;
                }
                if byte != b'\n' {
                    digits.push(byte);
                    continue;
                }
                let value = decimal(&digits).and_then(|n| u64::try_from(n).ok());
                let value = value.ok_or_else(malformed)?;
                digits.clear();
                numbers.push(value);
                if numbers.len() == 1 {
                    let count = usize::try_from(value).ok().and_then(|n| n.checked_mul(2));
                    wanted = count.and_then(|n| n.checked_add(1)).ok_or_else(malformed)?;
                }
            }
        }
        numbers.remove(0);
        Ok(numbers)
    }
}

fn add_chunks(chunks: &mut Vec<Chunk>, headers: &[GnuSparseHeader]) -> Option<()> {
    for header in headers {
        // A blank entry ends the list.
        if header.offset[0] == 0 {
            break;
        }
        let offset = unsigned(number(&header.offset))?;
        let length = unsigned(number(&header.numbytes))?;
        chunks.push(Chunk { offset, length });
    }
    Some(())
}

fn to_numbers(texts: &[Vec<u8>]) -> Option<Vec<u64>> {
    texts
        .iter()
        .map(|text| u64::try_from(decimal(text)?).ok())
        .collect()
}

/// Checks that the chunks are in order, do not overlap, stay within the file, and account for all
/// stored data.
fn validated(chunks: Vec<Chunk>, size: u64, stored: u64) -> Option<Map> {
    let mut end = 0;
    let mut total: u64 = 0;
    for chunk in &chunks {
        if chunk.offset < end {
            return None;
        }
        end = chunk.offset.checked_add(chunk.length)?;
        total = total.checked_add(chunk.length)?;
    }
    if end > size || total != stored || i64::try_from(size).is_err() {
        return None;
    }
    Some(Map { chunks, size })
}
