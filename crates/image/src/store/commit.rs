//! Puts staged layers and documents into the store, all of an archive's images at once.

use std::path::{Path, PathBuf};

use super::layers::LayerRecord;
use super::staging::TREE;
use super::{Builtin, Error, Locked, Program, Record, Staging, Store, files};
use crate::digest::Digest;
use crate::documents::chain_ids;
use crate::image::Image;
use crate::layer::Layer;
use crate::merge;
use crate::reference::Reference;

/// A layer in the staging directory.
#[derive(Debug)]
pub(crate) struct StagedLayer {
    pub(crate) layer: Layer,
    /// Its directory: `fs` within it. After a commit, where it is in the store.
    pub(crate) path: PathBuf,
    /// Another image of the same archive has taken it.
    pub(crate) placed: bool,
}

/// An image whose layers are staged.
#[derive(Debug)]
pub(crate) struct NewImage {
    /// None: an image without a name.
    pub(crate) names: Vec<Reference>,
    /// The document, byte by byte: its digest is part of references.
    pub(crate) manifest: Vec<u8>,
    pub(crate) manifest_digest: Digest,
    pub(crate) config: Vec<u8>,
    pub(crate) config_digest: Digest,
    /// Of the layers, from the bottom.
    pub(crate) diff_ids: Vec<Digest>,
    /// Which staged layer each of them is.
    pub(crate) layers: Vec<usize>,
}

impl Store {
    /// Adds images; all or none. Gives them opened, in the same order.
    pub(crate) fn commit(
        &self,
        mut staging: Staging,
        mut layers: Vec<StagedLayer>,
        images: &[NewImage],
        builtin: Option<Program>,
    ) -> Result<Vec<Image>, Error> {
        // The long wait for the disk comes before the lock.
        staging.sync()?;
        let locked = self.lock_exclusive()?;
        let result = self.commit_locked(&locked, &mut staging, &mut layers, images, builtin);
        // What had one of the names before may be needed no longer; after an error, layers that
        // were placed are not. Where that fails, the next change of the store does it.
        let collected = self.collect(&locked);
        drop(locked);
        drop(collected);
        result
    }

    fn commit_locked(
        &self,
        locked: &Locked,
        staging: &mut Staging,
        layers: &mut [StagedLayer],
        images: &[NewImage],
        builtin: Option<Program>,
    ) -> Result<Vec<Image>, Error> {
        let mut index = self.index()?;
        for image in images {
            let mut below = Vec::new();
            for (i, chain_id) in chain_ids(&image.diff_ids).iter().enumerate() {
                let staged = &mut layers[image.layers[i]];
                below.push(self.place(staging, staged, chain_id, &below)?);
            }
            self.write_blob(&image.config_digest, &image.config)?;
            self.write_blob(&image.manifest_digest, &image.manifest)?;
        }

        let mut records = Vec::new();
        for image in images {
            let manifest = image.manifest_digest.clone();
            let id = image.config_digest.clone();
            if let Some(program) = &builtin {
                index.builtin = Some(Builtin {
                    program: program.clone(),
                    manifest: manifest.clone(),
                    id: id.clone(),
                });
                records.push(Record {
                    name: Some(Reference::builtin()),
                    manifest,
                    id,
                });
                continue;
            }
            if image.names.is_empty() {
                index.set(None, manifest.clone(), id.clone());
            }
            for name in &image.names {
                index.set(Some(name.clone()), manifest.clone(), id.clone());
            }
            records.push(Record {
                name: image.names.first().cloned(),
                manifest,
                id,
            });
        }
        index.write(&self.index_path())?;
        records
            .iter()
            .map(|record| self.open_image(locked, record))
            .collect()
    }

    /// Puts a layer in place, if it is not there, and gives the directory with its files.
    fn place(
        &self,
        staging: &mut Staging,
        staged: &mut StagedLayer,
        chain_id: &Digest,
        below: &[PathBuf],
    ) -> Result<PathBuf, Error> {
        if let Some(layer) = self.find_layer(chain_id)? {
            return Ok(layer.tree());
        }
        let source = if staged.placed {
            // The same layer on other layers: directories it does not describe may differ, so it is
            // another tree.
            let (copy, _) = staging.layer()?;
            merge::clone(&staged.path.join(TREE), &copy.join(TREE))?;
            copy
        } else {
            staged.path.clone()
        };
        let unpacked = &staged.layer.unpacked;
        let visible: Vec<&Path> = below.iter().map(PathBuf::as_path).collect();
        if !unpacked.opaque_root {
            merge::complete(&source.join(TREE), &unpacked.implied, &visible)?;
        }
        let record = LayerRecord {
            chain_id: chain_id.clone(),
            diff_id: staged.layer.diff_id.clone(),
            size: unpacked.size,
            opaque: unpacked.opaque_root,
        };
        record.write(&source)?;
        let target = self.free_layer_path(chain_id).ok_or_else(|| {
            Error::invalid(
                format!("layer {}", chain_id.short()),
                "its place in the store is taken",
            )
        })?;
        std::fs::rename(&source, &target)
            .map_err(|e| Error::io("add layer to the image store", &target, e))?;
        staged.path.clone_from(&target);
        staged.placed = true;
        Ok(target.join(TREE))
    }

    fn write_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let path = self.blob_path(digest);
        if files::read_document(&path).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        if let Some(directory) = path.parent() {
            files::create_private_directory(directory)
                .map_err(|e| Error::io("create directory", directory, e))?;
        }
        files::replace(&path, bytes).map_err(|e| Error::io("write", path, e))
    }
}
