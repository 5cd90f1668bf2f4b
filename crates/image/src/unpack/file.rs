//! Writes the data of a file, and leaves holes where there are only zeros.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use super::error::Step;
use crate::compression::BUFFER;
use archive::{Archive, Entry};

/// A run of zeros shorter than this is written: it is what file systems allocate at once.
const PAGE: usize = 4096;

/// Copies the data of `entry`, chunk by chunk for a sparse file.
pub(super) fn write<R: Read>(
    file: &File,
    archive: &mut Archive<R>,
    entry: &Entry,
) -> Result<(), Step> {
    let mut writer = Writer {
        file,
        written: 0,
        buffer: Vec::new(),
    };
    match &entry.sparse {
        None => writer.copy(archive, 0, entry.size)?,
        Some(chunks) => {
            for chunk in chunks {
                writer.copy(archive, chunk.offset, chunk.length)?;
            }
        }
    }
    if writer.written < entry.size {
        file.set_len(entry.size)
            .map_err(|e| Step::io("set the size of", e))?;
    }
    Ok(())
}

struct Writer<'a> {
    file: &'a File,
    /// The end of what was written.
    written: u64,
    buffer: Vec<u8>,
}

impl Writer<'_> {
    fn copy<R: Read>(
        &mut self,
        archive: &mut Archive<R>,
        mut offset: u64,
        mut length: u64,
    ) -> Result<(), Step> {
        self.buffer.resize(length.min(BUFFER as u64) as usize, 0);
        while length > 0 {
            let want = length.min(BUFFER as u64) as usize;
            let mut buffer = std::mem::take(&mut self.buffer);
            read_full(archive, &mut buffer[..want])?;
            self.write(&buffer[..want], offset)?;
            self.buffer = buffer;
            offset += want as u64;
            length -= want as u64;
        }
        Ok(())
    }

    /// Writes the runs of pages that hold something.
    fn write(&mut self, data: &[u8], offset: u64) -> Result<(), Step> {
        let mut start = 0;
        while start < data.len() {
            let pages = || data[start..].chunks(PAGE);
            let zeros: usize = pages().take_while(|p| is_zero(p)).map(<[u8]>::len).sum();
            start += zeros;
            let run: usize = data[start..]
                .chunks(PAGE)
                .take_while(|p| !is_zero(p))
                .map(<[u8]>::len)
                .sum();
            if run == 0 {
                break;
            }
            self.file
                .write_all_at(&data[start..start + run], offset + start as u64)
                .map_err(|e| Step::io("write", e))?;
            start += run;
            self.written = offset + start as u64;
        }
        Ok(())
    }
}

fn is_zero(page: &[u8]) -> bool {
    let (words, rest) = page.as_chunks::<16>();
    words.iter().all(|w| u128::from_ne_bytes(*w) == 0) && rest.iter().all(|b| *b == 0)
}

fn read_full<R: Read>(archive: &mut Archive<R>, buffer: &mut [u8]) -> Result<(), Step> {
    archive.read_exact(buffer).map_err(|e| {
        Step::archive(if e.kind() == io::ErrorKind::UnexpectedEof {
            archive.truncated()
        } else {
            archive::Error::Read(e)
        })
    })
}
