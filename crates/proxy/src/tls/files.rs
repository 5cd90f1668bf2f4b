//! The files of a set, read together: what is checked, hashed and used are the same bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::Error;

/// Most bytes of a file. The system's bundle of root certificates has about 250 KiB.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Contents of files, by path.
#[derive(Debug, Default)]
pub struct Files {
    contents: BTreeMap<PathBuf, Vec<u8>>,
}

impl Files {
    /// Reads all of `paths`.
    ///
    /// # Errors
    /// One cannot be read, or has more than 4 MiB.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut contents = BTreeMap::new();
        for path in paths {
            let mut bytes = Vec::new();
            let read =
                File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
            read.map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            if bytes.len() as u64 > LIMIT {
                return Err(Error::TooLarge {
                    path: path.clone(),
                    limit: LIMIT,
                });
            }
            contents.insert(path.clone(), bytes);
        }
        Ok(Self { contents })
    }

    /// What is in `path`; nothing if it was not among those read.
    #[must_use]
    pub fn get(&self, path: &Path) -> &[u8] {
        self.contents.get(path).map_or(&[], Vec::as_slice)
    }

    /// A hash of all names and contents.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (path, bytes) in &self.contents {
            let name = path.as_os_str().as_encoded_bytes();
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }
}
