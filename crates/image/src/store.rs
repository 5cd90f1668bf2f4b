//! The images of this machine, below one directory that several processes use at once:
//!
//! ```text
//! index.json               names -> manifests, replaced as a whole
//! blobs/sha256/<hex>       manifests and configurations, by their digest
//! layers/<id>/fs           an unpacked layer; <id> begins its chain ID, and is short because
//!                          overlayfs takes no more than one page of options
//! layers/<id>/layer.json   its whole chain ID
//! tmp/<process>-<n>        what is being unpacked or removed
//! lock                     locked shared to read, exclusively to change any of the above
//! ```
//!
//! Nothing is unpacked or downloaded while the lock is held: layers are made in `tmp` and renamed
//! into place, so a layer that is there is whole. Directories of layers are locked (shared) by
//! those who run from them, and only removed by who gets an exclusive lock. The blobs of layers are
//! not kept.
//!
//! A registry client stages its layers as [`load`](Store::load) does and commits blobs and manifest
//! with them.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;

use crate::digest::Digest;
use crate::documents::{Config, Manifest, chain_ids};
use crate::image::Image;
use crate::reference::Reference;
use crate::unpack::{Budget, Limits};

pub(crate) mod collect;
pub(crate) mod commit;
mod error;
mod files;
mod index;
mod layers;
mod list;
mod selector;
mod staging;
#[cfg(test)]
mod tests;

pub use error::Error;
pub(crate) use files::DOCUMENT_MAX;
use index::{Builtin, Index};
pub(crate) use index::{Program, Record};
pub use list::Summary;
pub use selector::Selector;
pub(crate) use staging::Staging;

/// The images of this machine. Cheap to open; holds nothing open.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    limits: Limits,
}

/// Proof that the lock of the store is held; it is free when this is dropped.
pub(crate) struct Locked {
    _lock: OwnedFd,
}

/// The documents of one image, verified.
pub(crate) struct Documents {
    pub(crate) manifest: Manifest,
    pub(crate) config: Config,
    /// The configuration with all its fields.
    pub(crate) raw_config: serde_json::Value,
}

impl Store {
    /// Opens the store in `root` (`/var/lib/pillion/images`), creates what is missing of it, and
    /// removes what killed processes left there.
    ///
    /// # Errors
    /// Where the directories cannot be made: not root, read-only file system, disk full.
    pub fn open(root: &Path) -> Result<Store, Error> {
        let store = Store {
            root: root.to_owned(),
            limits: Limits::default(),
        };
        let directories = [root.join("blobs/sha256"), root.join("layers"), store.tmp()];
        for path in [root.to_owned()].iter().chain(&directories) {
            files::create_private_directory(path)
                .map_err(|e| Error::io("create the image store", path, e))?;
        }
        let lock = store.lock_path();
        if !lock.exists() {
            std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&lock)
                .map_err(|e| Error::io("create the image store", &lock, e))?;
        }
        // Whoever holds the lock for longer swept just before.
        let now = files::try_lock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|e| Error::io("lock the image store", &lock, e))?;
        if now.is_some() {
            match staging::sweep(&store.tmp()) {
                // A store on a read-only file system can still be read.
                Err(e) if e.kind() != io::ErrorKind::ReadOnlyFilesystem => {
                    return Err(Error::io("clean up the image store", store.tmp(), e));
                }
                _ => {}
            }
        }
        Ok(store)
    }

    /// The same store with other bounds for archives.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Store {
        self.limits = limits;
        self
    }

    /// Finds an image; `None` where there is none of this name. The image `pillion` is found under
    /// any tag once [`Store::ensure_builtin`] made it, unless a loaded image has that very name.
    ///
    /// # Errors
    /// Where the store cannot be read, or the image is damaged.
    pub fn resolve(&self, reference: &Reference) -> Result<Option<Image>, Error> {
        let locked = self.lock_shared()?;
        let Some(record) = self.index()?.find(reference) else {
            return Ok(None);
        };
        self.open_image(&locked, &record).map(Some)
    }

    /// Opens an image and locks its layers.
    pub(crate) fn open_image(&self, _: &Locked, record: &Record) -> Result<Image, Error> {
        let documents = self.documents(&record.manifest)?;
        let mut layers = Vec::new();
        let mut locks = Vec::new();
        for id in chain_ids(&documents.config.rootfs.diff_ids) {
            let layer = self.layer(record, &id)?;
            if layer.opaque {
                layers.clear();
                locks.clear();
            }
            let lock = files::lock(&layer.path, FlockOperation::LockShared)
                .map_err(|e| Error::io("lock layer", &layer.path, e))?;
            locks.push(lock);
            layers.push(layer.tree());
        }
        Ok(Image {
            reference: record.name.clone(),
            id: record.id.clone(),
            manifest: record.manifest.clone(),
            config: documents.config.config.into(),
            layers,
            warnings: Vec::new(),
            locks: Arc::from(locks),
        })
    }

    fn layer(&self, record: &Record, id: &Digest) -> Result<layers::StoredLayer, Error> {
        self.find_layer(id)?.ok_or_else(|| Error::Incomplete {
            image: shown(record),
            what: format!("layer {}", id.short()),
        })
    }

    /// Reads manifest and configuration of an image.
    pub(crate) fn documents(&self, manifest_digest: &Digest) -> Result<Documents, Error> {
        let bytes = self.blob("manifest", manifest_digest)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|e| Error::document(format!("manifest {manifest_digest}"), e))?;
        let digest = &manifest.config.digest;
        let bytes = self.blob("configuration", digest)?;
        let what = || format!("configuration {digest}");
        let raw_config: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|e| Error::document(what(), e))?;
        let config: Config =
            serde_json::from_slice(&bytes).map_err(|e| Error::document(what(), e))?;
        Ok(Documents {
            manifest,
            config,
            raw_config,
        })
    }

    /// Reads a document and verifies its digest.
    fn blob(&self, kind: &str, digest: &Digest) -> Result<Vec<u8>, Error> {
        let path = self.blob_path(digest);
        let bytes = files::read_document(&path)
            .map_err(|e| Error::io("read from the image store", &path, e))?;
        let actual = digest.of_same_kind(&bytes);
        if actual != *digest {
            let what = format!("{kind} {}", path.display());
            return Err(Error::DigestMismatch {
                what,
                expected: digest.clone(),
                actual,
            });
        }
        Ok(bytes)
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root
            .join("blobs")
            .join(digest.algorithm_name())
            .join(digest.hex())
    }

    pub(crate) fn index(&self) -> Result<Index, Error> {
        Index::read(&self.index_path())
    }

    fn index_path(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(crate) fn layers_path(&self) -> PathBuf {
        self.root.join("layers")
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn lock_shared(&self) -> Result<Locked, Error> {
        self.locked(FlockOperation::LockShared)
    }

    pub(crate) fn lock_exclusive(&self) -> Result<Locked, Error> {
        self.locked(FlockOperation::LockExclusive)
    }

    fn locked(&self, operation: FlockOperation) -> Result<Locked, Error> {
        let path = self.lock_path();
        let lock = files::lock(&path, operation)
            .map_err(|e| Error::io("lock the image store", path, e))?;
        Ok(Locked { _lock: lock })
    }

    /// A place to unpack layers, and how much may be unpacked there.
    pub(crate) fn stage(&self) -> Result<(Staging, Budget), Error> {
        let _locked = self.lock_exclusive()?;
        let staging = Staging::create(&self.tmp())?;
        let stat = rustix::fs::statvfs(&self.root)
            .map_err(|e| Error::io("look at the disk of", &self.root, e))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        Ok((staging, Budget::new(self.limits, free)))
    }
}

/// An image in messages.
fn shown(record: &Record) -> String {
    match &record.name {
        Some(name) => name.familiar(),
        None => record.id.short().to_owned(),
    }
}
