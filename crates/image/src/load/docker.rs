//! `manifest.json` of `docker save`, and of podman's docker-archive.

use serde::Deserialize;

use super::contents::Contents;
use super::{Candidate, platform_warning};
use crate::compression::Compression;
use crate::digest::Digest;
use crate::documents::{Config, LAYER};
use crate::import::{descriptor, new_image};
use crate::reference::Reference;
use crate::store::Error;

/// One image. The fields are paths within the archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) config: String,
    pub(super) repo_tags: Option<Vec<String>>,
    pub(super) layers: Option<Vec<String>>,
}

/// The list of images, if there is one.
pub(super) fn entries(contents: &Contents) -> Result<Vec<Entry>, Error> {
    let Some((bytes, _)) = contents.document("manifest.json") else {
        return Ok(Vec::new());
    };
    serde_json::from_slice(bytes).map_err(|e| Error::document("manifest.json", e))
}

impl Entry {
    /// The names of the image.
    pub(super) fn names(&self) -> Result<Vec<Reference>, Error> {
        let tags = self.repo_tags.iter().flatten();
        Ok(tags
            .map(|tag| Reference::parse(tag))
            .collect::<Result<_, _>>()?)
    }
}

pub(super) fn images(contents: &mut Contents) -> Result<Vec<Candidate>, Error> {
    let entries = entries(contents)?;
    entries.iter().map(|entry| image(contents, entry)).collect()
}

fn image(contents: &mut Contents, entry: &Entry) -> Result<Candidate, Error> {
    let path = &entry.config;
    let (config_bytes, digest) = contents
        .document(path)
        .ok_or_else(|| Error::Missing(format!("configuration {path:?}")))?;
    verify_name(path, config_bytes, digest)?;
    let config: Config = serde_json::from_slice(config_bytes)
        .map_err(|e| Error::document(format!("configuration {path:?}"), e))?;
    let config_bytes = config_bytes.to_vec();

    let paths = entry.layers.as_deref().unwrap_or_default();
    let diff_ids = &config.rootfs.diff_ids;
    if paths.len() != diff_ids.len() {
        let reason = format!(
            "{} layers in manifest.json, {} here",
            paths.len(),
            diff_ids.len()
        );
        return Err(Error::invalid(format!("configuration {path:?}"), reason));
    }
    let mut layers = Vec::new();
    let mut blobs = Vec::new();
    for (path, expected) in paths.iter().zip(diff_ids) {
        let number = contents.layer_at(path)?;
        let layer = &contents.layers[number].layer;
        if layer.diff_id != *expected {
            return Err(Error::DigestMismatch {
                what: format!("layer {path:?}"),
                expected: expected.clone(),
                actual: layer.diff_id.clone(),
            });
        }
        let media_type = match layer.compression {
            Compression::Gzip => format!("{LAYER}+gzip"),
            Compression::Zstd => format!("{LAYER}+zstd"),
            _ => LAYER.to_owned(),
        };
        blobs.push(descriptor(&media_type, layer.blob.clone(), layer.blob_size));
        layers.push(number);
    }
    let warnings = platform_warning(&config).into_iter().collect();
    let image = new_image(
        entry.names()?,
        config_bytes,
        blobs,
        config.rootfs.diff_ids.clone(),
        layers,
    )?;
    Ok(Candidate { image, warnings })
}

/// `<hex>.json` is the digest of the configuration.
fn verify_name(path: &str, bytes: &[u8], actual: &Digest) -> Result<(), Error> {
    let claimed = path
        .strip_suffix(".json")
        .map(|hex| format!("sha256:{hex}").parse::<Digest>());
    match claimed {
        Some(Ok(expected)) if expected != expected.of_same_kind(bytes) => {
            let what = format!("configuration {path:?}");
            Err(Error::DigestMismatch {
                what,
                expected,
                actual: actual.clone(),
            })
        }
        _ => Ok(()),
    }
}
