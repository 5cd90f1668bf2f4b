//! Loads image archives: `docker save`, `podman save` (docker-archive and oci-archive), buildx,
//! skopeo and umoci output; each perhaps compressed, and read once from front to end, so that it
//! may come from a pipe.
//!
//! Such an archive names its layers in documents that may stand after them. Hence everything that
//! looks like a layer is unpacked as it passes, and what no image of this platform needs is thrown
//! away at the end. That costs time for archives of many platforms, and saves writing each layer to
//! the disk twice for all others.

use std::io::Read;

use crate::digest::Digest;
use crate::documents::{Config, Platform};
use crate::reference::Reference;
use crate::store::commit::NewImage;
use crate::store::{Error, Store};

mod contents;
mod docker;
mod oci;
#[cfg(test)]
mod tests;

use contents::Contents;

/// An image that was loaded, under one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its name; `None` where the archive has none for it.
    pub reference: Option<Reference>,
    /// The digest of its configuration, the image ID.
    pub id: Digest,
    /// The digest of its manifest.
    pub manifest: Digest,
    /// What was left out, or will probably not work. Given once for an image of several names.
    pub warnings: Vec<String>,
}

/// An image found in an archive, before it is in the store.
#[derive(Debug)]
struct Candidate {
    image: NewImage,
    warnings: Vec<String>,
}

impl Store {
    /// Adds all images of an archive that are for this platform. All or none.
    ///
    /// # Errors
    /// Where the archive is damaged, hostile, holds no image for this machine, or is too large for
    /// the disk.
    pub fn load(&self, archive: impl Read) -> Result<Vec<Loaded>, Error> {
        let mut contents = Contents::read(self, archive)?;
        let candidates = if contents.document("index.json").is_some() {
            oci::images(&mut contents)?
        } else if contents.document("manifest.json").is_some() {
            docker::images(&mut contents)?
        } else if contents.document("repositories").is_some() {
            return Err(Error::NotAnImageArchive(
                "it was saved by a Docker older than 1.10",
            ));
        } else {
            return Err(Error::NotAnImageArchive(
                "it has neither manifest.json, as of Docker, nor index.json, as of OCI",
            ));
        };
        if candidates.is_empty() {
            return Err(Error::NotAnImageArchive("it lists no images"));
        }

        let mut loaded = Vec::new();
        let mut images = Vec::new();
        for Candidate {
            image,
            mut warnings,
        } in candidates
        {
            for i in &image.layers {
                warnings.extend(contents.layers[*i].layer.unpacked.warnings.iter().cloned());
            }
            let names: Vec<Option<Reference>> = match image.names.as_slice() {
                [] => vec![None],
                names => names.iter().cloned().map(Some).collect(),
            };
            for reference in names {
                loaded.push(Loaded {
                    reference,
                    id: image.config_digest.clone(),
                    manifest: image.manifest_digest.clone(),
                    warnings: std::mem::take(&mut warnings),
                });
            }
            images.push(image);
        }
        self.commit(contents.staging, contents.layers, &images, None)?;
        Ok(loaded)
    }
}

/// A warning where an image that was the only choice is for another kind of machine.
fn platform_warning(config: &Config) -> Option<String> {
    let (platform, host) = (config.platform(), Platform::host());
    if platform.architecture.is_empty() || platform.rank(&host).is_some() {
        return None;
    }
    Some(format!(
        "the image is for {platform}, and this machine is {host}"
    ))
}
