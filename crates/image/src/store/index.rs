//! `index.json`: which names stand for which images.
//!
//! It is replaced as a whole, by renaming a synced file over it, while the lock of the store is
//! held.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Error;
use super::files::{self, read_document};
use crate::digest::Digest;
use crate::reference::Reference;

const VERSION: u32 = 1;

/// All images of a store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    version: u32,
    pub(super) images: Vec<Record>,
    /// The image that is the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) builtin: Option<Builtin>,
}

/// One name, or one image without a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Reference>,
    pub(crate) manifest: Digest,
    /// The digest of the configuration.
    pub(crate) id: Digest,
}

/// The built-in image, and the program it was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Builtin {
    pub(crate) program: Program,
    pub(crate) manifest: Digest,
    pub(crate) id: Digest,
}

/// A program file, told from others without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    device: u64,
    inode: u64,
    size: u64,
    mtime: (i64, i64),
}

impl Program {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Program {
        Program {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Index {
    /// Reads the index; a store without one is empty.
    pub(super) fn read(path: &Path) -> Result<Index, Error> {
        let bytes = match read_document(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Index {
                    version: VERSION,
                    images: Vec::new(),
                    builtin: None,
                });
            }
            Err(e) => return Err(Error::io("read the index of the image store", path, e)),
        };
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|e| Error::document(path.display().to_string(), e))?;
        if index.version != VERSION {
            return Err(Error::Version {
                path: path.to_owned(),
                version: index.version,
            });
        }
        Ok(index)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::document(path.display().to_string(), e))?;
        files::replace(path, &bytes)
            .map_err(|e| Error::io("write the index of the image store", path, e))
    }

    /// Gives `name` to an image, and takes it from the one that had it. An image without a name is
    /// recorded once, and not at all where it has a name already.
    pub(super) fn set(&mut self, name: Option<Reference>, manifest: Digest, id: Digest) {
        match &name {
            Some(_) => self
                .images
                .retain(|r| r.name != name && !(r.name.is_none() && r.manifest == manifest)),
            None if self.images.iter().any(|r| r.manifest == manifest) => return,
            None => {}
        }
        self.images.push(Record { name, manifest, id });
    }

    /// The image that `reference` names: by its digest where it has one, since a digest means one
    /// content under any name.
    pub(super) fn find(&self, reference: &Reference) -> Option<Record> {
        let found = match reference.digest() {
            Some(digest) => self.images.iter().find(|r| r.manifest == *digest),
            None => self
                .images
                .iter()
                .find(|r| r.name.as_ref() == Some(reference)),
        };
        let builtin = || self.builtin_record().filter(|_| reference.is_builtin());
        found.cloned().or_else(builtin)
    }

    /// The image that is the program itself, under its own name.
    pub(super) fn builtin_record(&self) -> Option<Record> {
        self.builtin.as_ref().map(|builtin| Record {
            name: Some(Reference::builtin()),
            manifest: builtin.manifest.clone(),
            id: builtin.id.clone(),
        })
    }

    /// The digests of all manifests, each once.
    pub(super) fn manifests(&self) -> Vec<Digest> {
        let images = self.images.iter().map(|r| r.manifest.clone());
        let mut all: Vec<Digest> = images
            .chain(self.builtin.iter().map(|b| b.manifest.clone()))
            .collect();
        all.sort();
        all.dedup();
        all
    }
}
