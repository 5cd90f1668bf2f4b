//! What there is: `image ls` and `image inspect`.

use jiff::Timestamp;
use serde_json::json;

use super::{Error, Record, Selector, Store};
use crate::digest::Digest;
use crate::documents::chain_ids;
use crate::reference::Reference;

/// One line of `image ls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The name; `None` for an image without one.
    pub reference: Option<Reference>,
    /// The digest of the configuration.
    pub id: Digest,
    /// When the image was made, where it says so.
    pub created: Option<Timestamp>,
    /// Bytes of the files of all layers; layers shared with other images count in each. 0 where a
    /// layer is missing.
    pub size: u64,
    /// How many layers.
    pub layers: usize,
}

impl Store {
    /// All images, by name.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn list(&self) -> Result<Vec<Summary>, Error> {
        let _locked = self.lock_shared()?;
        let index = self.index()?;
        let builtin = index.builtin_record();
        let builtin = builtin.filter(|b| !index.images.iter().any(|r| r.name == b.name));
        let mut summaries = Vec::new();
        for record in index.images.iter().cloned().chain(builtin) {
            // An image that is damaged is listed, so that it can be removed.
            let size = self.size(&record).unwrap_or_default();
            let documents = self.documents(&record.manifest);
            let config = documents
                .map(|documents| documents.config)
                .unwrap_or_default();
            summaries.push(Summary {
                reference: record.name,
                id: record.id,
                created: config.created.and_then(|created| created.parse().ok()),
                size,
                layers: config.rootfs.diff_ids.len(),
            });
        }
        // Images without a name come last, as with Docker.
        summaries.sort_by(|a, b| {
            let by_name = (a.reference.is_none(), &a.reference);
            by_name
                .cmp(&(b.reference.is_none(), &b.reference))
                .then(a.id.cmp(&b.id))
        });
        Ok(summaries)
    }

    /// All about one image, in the form of `docker image inspect`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], or where the store cannot be read.
    pub fn inspect(&self, what: impl Into<Selector>) -> Result<serde_json::Value, Error> {
        let what = what.into();
        let locked = self.lock_shared()?;
        let index = self.index()?;
        let record = what.find(&index)?;
        let image = self.open_image(&locked, &record)?;
        let documents = self.documents(&record.manifest)?;

        let same_image = index
            .images
            .iter()
            .filter(|r| r.manifest == record.manifest);
        let mut names: Vec<&Reference> = same_image.filter_map(|r| r.name.as_ref()).collect();
        if names.is_empty() {
            names.extend(&record.name);
        }
        let tagged = names.iter().filter(|name| name.tag().is_some());
        let tags: Vec<String> = tagged.map(|name| name.familiar()).collect();
        let digest = |name: &&Reference| format!("{}@{}", name.repository(), record.manifest);
        let digests: Vec<String> = names.iter().map(digest).collect();
        let raw = |key: &str| documents.raw_config.get(key).cloned().unwrap_or_default();
        Ok(json!({
            "Id": record.id,
            "RepoTags": tags,
            "RepoDigests": digests,
            "Created": raw("created"),
            "Author": raw("author"),
            "Config": raw("config"),
            "Architecture": raw("architecture"),
            "Variant": raw("variant"),
            "Os": raw("os"),
            "Size": self.size(&record)?,
            "RootFS": { "Type": "layers", "Layers": documents.config.rootfs.diff_ids },
            "History": raw("history"),
            "Layers": image.layers,
        }))
    }

    /// Bytes of the files of all layers.
    fn size(&self, record: &Record) -> Result<u64, Error> {
        let diff_ids = self.documents(&record.manifest)?.config.rootfs.diff_ids;
        let chain_ids = chain_ids(&diff_ids).into_iter();
        chain_ids
            .map(|id| self.layer(record, &id).map(|layer| layer.size))
            .sum()
    }
}
