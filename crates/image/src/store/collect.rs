//! Removing images, and the layers and documents that no image needs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::{Error, Locked, Reference, Selector, Staging, Store, files, shown};
use crate::digest::Digest;
use crate::documents::chain_ids;

/// What [`Store::remove`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names that stand for nothing now.
    pub untagged: Vec<Reference>,
    /// The ID of the image, if it has no other name and is gone.
    pub deleted: Option<Digest>,
    /// What became free on the disk.
    pub freed: Freed,
}

/// What was removed from the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// IDs of images.
    pub images: Vec<Digest>,
    /// Layers.
    pub layers: usize,
    /// Bytes of their files.
    pub bytes: u64,
    /// Layers that no image needs, but a running container does. They go when somebody removes,
    /// prunes or imports after its end.
    pub in_use: usize,
}

/// What was taken out of the store. Dropping it removes the files, which takes its time: let go of
/// the lock before.
pub(super) struct Collected {
    freed: Freed,
    _trash: Option<Staging>,
}

/// What the images of the store need.
struct Needed {
    chain_ids: HashSet<Digest>,
    blobs: HashSet<PathBuf>,
}

impl Store {
    /// Takes a name from an image, or all names if it is given by its ID. The image itself goes
    /// with its last name.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] where a container runs from the image and this is its
    /// last name; [`Error::SeveralNames`] where an ID is given and the image has several;
    /// [`Error::Builtin`].
    pub fn remove(&self, what: impl Into<Selector>) -> Result<Removed, Error> {
        let what = what.into();
        let locked = self.lock_exclusive()?;
        let mut index = self.index()?;
        let (record, by_name) = what.find_from(&index)?;
        if !index.images.contains(&record) {
            return Err(Error::Builtin(shown(&record)));
        }
        let same_image = |manifest: &Digest| *manifest == record.manifest;
        let names: Vec<Reference> = index
            .images
            .iter()
            .filter(|r| same_image(&r.manifest))
            .filter_map(|r| r.name.clone())
            .collect();
        if !by_name && names.len() > 1 {
            let names = names
                .iter()
                .map(Reference::familiar)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(Error::SeveralNames {
                id: what.text().to_owned(),
                names,
            });
        }
        index.images.retain(|r| *r != record);
        let is_last = !index.manifests().contains(&record.manifest);
        if is_last && self.is_in_use(&index.manifests(), &record.manifest)? {
            return Err(Error::InUse(shown(&record)));
        }
        index.write(&self.index_path())?;
        let collected = self.collect(&locked)?;
        drop(locked);
        Ok(Removed {
            untagged: record.name.into_iter().collect(),
            deleted: is_last.then_some(record.id),
            freed: collected.freed,
        })
    }

    /// Removes images without a name, and what no image needs.
    ///
    /// # Errors
    /// Where the store cannot be read or changed.
    pub fn prune(&self) -> Result<Freed, Error> {
        self.prune_where(|name| name.is_none())
    }

    /// Removes all images that no container runs from, but for the built-in one.
    ///
    /// # Errors
    /// Where the store cannot be read or changed.
    pub fn prune_all(&self) -> Result<Freed, Error> {
        self.prune_where(|_| true)
    }

    fn prune_where(&self, unwanted: impl Fn(Option<&Reference>) -> bool) -> Result<Freed, Error> {
        let locked = self.lock_exclusive()?;
        let mut index = self.index()?;
        let mut images = Vec::new();
        for manifest in index.manifests() {
            let mut records = index
                .images
                .iter()
                .filter(|r| r.manifest == manifest)
                .peekable();
            let Some(id) = records.peek().map(|r| r.id.clone()) else {
                continue;
            };
            if !records.all(|r| unwanted(r.name.as_ref())) {
                continue;
            }
            let others: Vec<Digest> = index
                .manifests()
                .into_iter()
                .filter(|m| *m != manifest)
                .collect();
            if !self.is_in_use(&others, &manifest)? {
                index.images.retain(|r| r.manifest != manifest);
                images.push(id);
            }
        }
        if !images.is_empty() {
            index.write(&self.index_path())?;
        }
        let collected = self.collect(&locked)?;
        drop(locked);
        Ok(Freed {
            images,
            ..collected.freed
        })
    }

    /// Whether somebody runs from a layer that only `manifest` needs.
    fn is_in_use(&self, others: &[Digest], manifest: &Digest) -> Result<bool, Error> {
        let needed = self.needed(others)?;
        // A damaged image cannot run, and must be removable.
        let Ok(documents) = self.documents(manifest) else {
            return Ok(false);
        };
        for id in chain_ids(&documents.config.rootfs.diff_ids) {
            if needed.chain_ids.contains(&id) {
                continue;
            }
            if let Some(layer) = self.find_layer(&id)?
                && !is_free(&layer.path)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes every layer and document out of the store that no image needs and nobody runs from.
    pub(super) fn collect(&self, _: &Locked) -> Result<Collected, Error> {
        let needed = self.needed(&self.index()?.manifests())?;
        let mut freed = Freed::default();
        let mut unwanted = Vec::new();
        for path in list(&self.layers_path())? {
            // What has no readable record is no layer of any image.
            let layer = self.read_layer(&path).ok().flatten();
            if layer
                .as_ref()
                .is_some_and(|l| needed.chain_ids.contains(&l.chain_id))
            {
                continue;
            }
            if !is_free(&path)? {
                freed.in_use += 1;
                continue;
            }
            freed.layers += 1;
            freed.bytes += layer.map_or(0, |l| l.size);
            unwanted.push(path);
        }
        for directory in list(&self.root.join("blobs"))? {
            for path in list(&directory)? {
                if !needed.blobs.contains(&path) {
                    std::fs::remove_file(&path)
                        .map_err(|e| Error::io("remove from the image store", path, e))?;
                }
            }
        }
        let mut trash = None;
        if !unwanted.is_empty() {
            let trash = trash.insert(Staging::create(&self.tmp())?);
            for path in unwanted {
                trash
                    .take(&path)
                    .map_err(|e| Error::io("remove from the image store", path, e))?;
            }
        }
        Ok(Collected {
            freed,
            _trash: trash,
        })
    }

    fn needed(&self, manifests: &[Digest]) -> Result<Needed, Error> {
        let mut needed = Needed {
            chain_ids: HashSet::new(),
            blobs: HashSet::new(),
        };
        for manifest in manifests {
            let documents = self.documents(manifest)?;
            needed
                .chain_ids
                .extend(chain_ids(&documents.config.rootfs.diff_ids));
            needed.blobs.insert(self.blob_path(manifest));
            needed
                .blobs
                .insert(self.blob_path(&documents.manifest.config.digest));
        }
        Ok(needed)
    }
}

/// Whether nobody runs from a layer. It stays so as long as the lock of the store is held.
fn is_free(path: &Path) -> Result<bool, Error> {
    files::try_lock(path, FlockOperation::NonBlockingLockExclusive)
        .map(|lock| lock.is_some())
        .map_err(|e| Error::io("lock layer", path, e))
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    entries().map_err(|e| Error::io("list", directory, e))
}
