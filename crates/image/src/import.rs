//! Makes an image of a root file system.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use jiff::Timestamp;

use crate::digest::{Algorithm, Digest};
use crate::documents::{
    CONFIG, Config, ContainerConfig, Descriptor, LAYER, MANIFEST, Manifest, Platform, RootFs,
};
use crate::image::Image;
use crate::layer::{Layer, unpack_blob};
use crate::reference::Reference;
use crate::store::commit::{NewImage, StagedLayer};
use crate::store::{Error, Store};
use crate::unpack;
use archive::Time;

/// The name and configuration of an image that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// Its name; taken from the image that has it.
    pub tag: Reference,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, which the `args` of a container replace.
    pub cmd: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// User and perhaps group: `1000:1000`.
    pub user: Option<String>,
    /// Where containers start.
    pub working_dir: Option<String>,
    /// The signal that asks a container to end.
    pub stop_signal: Option<String>,
}

impl ImportOptions {
    /// An image with a name and no configuration.
    pub fn new(tag: Reference) -> ImportOptions {
        ImportOptions {
            tag,
            entrypoint: Vec::new(),
            cmd: Vec::new(),
            env: Vec::new(),
            user: None,
            working_dir: None,
            stop_signal: None,
        }
    }

    fn into_config(self) -> ContainerConfig {
        ContainerConfig {
            entrypoint: self.entrypoint,
            cmd: self.cmd,
            env: self.env,
            user: self.user.unwrap_or_default(),
            working_dir: self.working_dir.unwrap_or_default(),
            stop_signal: self.stop_signal.unwrap_or_default(),
            ..ContainerConfig::default()
        }
    }
}

impl Store {
    /// Makes an image of one layer from a tar archive of a root file system, perhaps compressed
    /// with gzip or zstd.
    ///
    /// The same archive with the same options makes the same image: its date is that of its newest
    /// file.
    ///
    /// # Errors
    /// [`Error::Layer`] where the archive is damaged, hostile, or too large for the disk; the store
    /// is then unchanged.
    pub fn import(&self, rootfs: impl Read, options: ImportOptions) -> Result<Image, Error> {
        if options.tag.digest().is_some() {
            return Err(Error::NameWithDigest(options.tag));
        }
        let (mut staging, mut budget) = self.stage()?;
        let (path, tree) = staging.layer()?;
        let what = || String::from("the root file system");
        let layer = unpack_blob(rootfs, Algorithm::Sha256, tree.as_fd(), &mut budget).map_err(
            |source| Error::Layer {
                what: what(),
                source,
            },
        )?;
        if is_image_archive(&tree) {
            return Err(Error::NotARootFs);
        }
        if !layer.unpacked.has_end_marker {
            let source = unpack::Error::NoEnd;
            return Err(Error::Layer {
                what: what(),
                source,
            });
        }
        if layer.unpacked.entries == 0 {
            return Err(Error::invalid(what(), "the archive is empty"));
        }
        let tag = options.tag.clone();
        let image = image_of_layer(options.into_config(), vec![tag.clone()], &layer)?;
        let warnings = layer.unpacked.warnings.clone();
        let layers = vec![StagedLayer {
            layer,
            path,
            placed: false,
        }];
        let image = self.commit(staging, layers, &[image], None)?.pop();
        let image = image.ok_or_else(|| Error::NotFound(tag.familiar()))?;
        Ok(Image { warnings, ..image })
    }
}

/// The documents of an image with one layer.
pub(crate) fn image_of_layer(
    config: ContainerConfig,
    names: Vec<Reference>,
    layer: &Layer,
) -> Result<NewImage, Error> {
    let host = Platform::host();
    let config = Config {
        created: date(layer.unpacked.newest),
        architecture: host.architecture,
        os: host.os,
        variant: host.variant,
        config,
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![layer.diff_id.clone()],
        },
    };
    let config =
        serde_json::to_vec(&config).map_err(|e| Error::document("the new configuration", e))?;
    // Described as it is kept, uncompressed: then a compressed copy of the archive makes the same
    // image.
    let blob = descriptor(LAYER, layer.diff_id.clone(), layer.tar_size);
    new_image(
        names,
        config,
        vec![blob],
        vec![layer.diff_id.clone()],
        vec![0],
    )
}

/// An image for which a manifest is made.
pub(crate) fn new_image(
    names: Vec<Reference>,
    config: Vec<u8>,
    blobs: Vec<Descriptor>,
    diff_ids: Vec<Digest>,
    layers: Vec<usize>,
) -> Result<NewImage, Error> {
    let config_digest = Digest::of(&config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        config: descriptor(CONFIG, config_digest.clone(), config.len() as u64),
        layers: blobs,
    };
    let manifest =
        serde_json::to_vec(&manifest).map_err(|e| Error::document("the new manifest", e))?;
    let manifest_digest = Digest::of(&manifest);
    Ok(NewImage {
        names,
        manifest,
        manifest_digest,
        config,
        config_digest,
        diff_ids,
        layers,
    })
}

pub(crate) fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        platform: None,
        annotations: Default::default(),
    }
}

fn date(time: Time) -> Option<String> {
    let time = Timestamp::from_second(time.seconds).ok()?;
    Some(time.to_string())
}

/// Whether what was unpacked is `docker save` or an OCI layout.
fn is_image_archive(tree: &File) -> bool {
    let has = |name: &str| {
        rustix::fs::statat(tree, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file())
    };
    has("oci-layout") || (has("manifest.json") && has("repositories"))
}
