//! `index.json` of an OCI image layout: indices within indices, of which the manifests for this
//! platform are taken.

use super::contents::Contents;
use super::{Candidate, docker, platform_warning};
use crate::digest::Digest;
use crate::documents::{Config, Descriptor, Index, Manifest, Platform};
use crate::reference::Reference;
use crate::store::Error;
use crate::store::commit::NewImage;

/// Indices within indices.
const NESTING_MAX: usize = 4;
/// The whole name, as containerd, buildx and Docker give it.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// By the specification often just a tag; podman and skopeo put a name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Marks what buildx stores beside an image: provenance, lists of materials.
const DOCKER_REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// A name, and all descriptors that claim it. The manifests of one name are one image for several
/// platforms.
type Group<'a> = (Option<Reference>, Vec<&'a Descriptor>);

pub(super) fn images(contents: &mut Contents) -> Result<Vec<Candidate>, Error> {
    let Some((bytes, _)) = contents.document("index.json") else {
        return Ok(Vec::new());
    };
    let index: Index =
        serde_json::from_slice(bytes).map_err(|e| Error::document("index.json", e))?;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for descriptor in index.manifests.iter().filter(|d| !is_attachment(d)) {
        let name = name(descriptor)?;
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, descriptors)) => descriptors.push(descriptor),
            None => groups.push((name, vec![descriptor])),
        }
    }

    let mut found: Vec<Candidate> = Vec::new();
    for (name, descriptors) in groups {
        let chosen = match name {
            Some(_) => vec![choose(&descriptors, "index.json")?],
            // Without names there may be several images.
            None => all_for_host(&descriptors)?,
        };
        for descriptor in chosen {
            let mut candidate = image(contents, descriptor, NESTING_MAX)?;
            let manifest = &candidate.image.manifest_digest;
            let same = found
                .iter_mut()
                .find(|other| other.image.manifest_digest == *manifest);
            match same {
                Some(other) => other.image.names.extend(name.clone()),
                None => {
                    candidate.image.names.extend(name.clone());
                    found.push(candidate);
                }
            }
        }
    }
    add_docker_names(contents, &mut found)?;
    Ok(found)
}

/// Docker writes `manifest.json` as well, and the names of an image may stand there alone.
fn add_docker_names(contents: &Contents, found: &mut [Candidate]) -> Result<(), Error> {
    for entry in docker::entries(contents)? {
        let Some((_, config)) = contents.document(&entry.config) else {
            continue;
        };
        for candidate in found.iter_mut() {
            if candidate.image.names.is_empty() && candidate.image.config_digest == *config {
                candidate.image.names = entry.names()?;
            }
        }
    }
    Ok(())
}

/// The image that a descriptor leads to.
fn image(
    contents: &mut Contents,
    descriptor: &Descriptor,
    nesting: usize,
) -> Result<Candidate, Error> {
    let digest = &descriptor.digest;
    let what = || format!("manifest {digest}");
    let bytes = contents
        .document_by_digest(digest)
        .ok_or_else(|| Error::Missing(what()))?;
    let document: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|e| Error::document(what(), e))?;
    if document.get("manifests").is_none() {
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|e| Error::document(what(), e))?;
        let bytes = bytes.to_vec();
        return image_of_manifest(contents, digest, bytes, &manifest);
    }
    let Some(nesting) = nesting.checked_sub(1) else {
        return Err(Error::invalid(
            format!("index {digest}"),
            "too many indices within indices",
        ));
    };
    let index: Index = serde_json::from_slice(bytes).map_err(|e| Error::document(what(), e))?;
    let descriptors: Vec<&Descriptor> = index
        .manifests
        .iter()
        .filter(|d| !is_attachment(d))
        .collect();
    let chosen = choose(&descriptors, &format!("index {digest}"))?;
    image(contents, chosen, nesting)
}

fn image_of_manifest(
    contents: &mut Contents,
    digest: &Digest,
    bytes: Vec<u8>,
    manifest: &Manifest,
) -> Result<Candidate, Error> {
    let what = || format!("configuration {}", manifest.config.digest);
    let config_bytes = contents
        .document_by_digest(&manifest.config.digest)
        .ok_or_else(|| Error::Missing(what()))?
        .to_vec();
    let config: Config =
        serde_json::from_slice(&config_bytes).map_err(|e| Error::document(what(), e))?;
    let diff_ids = config.rootfs.diff_ids.clone();
    if manifest.layers.len() != diff_ids.len() {
        let reason = format!(
            "{} layers in its manifest, {} here",
            manifest.layers.len(),
            diff_ids.len()
        );
        return Err(Error::invalid(what(), reason));
    }
    let mut layers = Vec::new();
    for (descriptor, expected) in manifest.layers.iter().zip(&diff_ids) {
        let number = contents.layer_by_digest(&descriptor.digest)?;
        let actual = &contents.layers[number].layer.diff_id;
        if actual != expected {
            return Err(Error::DigestMismatch {
                what: format!("layer {}, decompressed", descriptor.digest),
                expected: expected.clone(),
                actual: actual.clone(),
            });
        }
        layers.push(number);
    }
    let image = NewImage {
        names: Vec::new(),
        manifest: bytes,
        manifest_digest: digest.clone(),
        config: config_bytes,
        config_digest: manifest.config.digest.clone(),
        diff_ids,
        layers,
    };
    Ok(Candidate {
        image,
        warnings: platform_warning(&config).into_iter().collect(),
    })
}

/// The descriptor that suits this machine best. A single one is no choice: it is taken whatever it
/// is for, and warned about.
fn choose<'a>(descriptors: &[&'a Descriptor], what: &str) -> Result<&'a Descriptor, Error> {
    if let [only] = descriptors {
        return Ok(only);
    }
    let host = Platform::host();
    let rank = |d: &Descriptor| match &d.platform {
        Some(platform) => platform.rank(&host),
        None => Some(0),
    };
    let best = descriptors
        .iter()
        .rev()
        .filter_map(|d| Some((rank(d)?, *d)))
        .max_by_key(|(r, _)| *r);
    best.map(|(_, descriptor)| descriptor)
        .ok_or_else(|| no_platform(descriptors, &host, what))
}

fn all_for_host<'a>(descriptors: &[&'a Descriptor]) -> Result<Vec<&'a Descriptor>, Error> {
    if descriptors.len() == 1 {
        return Ok(descriptors.to_vec());
    }
    let host = Platform::host();
    let suits = |d: &&&Descriptor| d.platform.as_ref().is_none_or(|p| p.rank(&host).is_some());
    let chosen: Vec<&Descriptor> = descriptors.iter().filter(suits).copied().collect();
    if chosen.is_empty() {
        return Err(no_platform(descriptors, &host, "index.json"));
    }
    Ok(chosen)
}

fn no_platform(descriptors: &[&Descriptor], host: &Platform, what: &str) -> Error {
    let found: Vec<String> = descriptors
        .iter()
        .filter_map(|d| Some(d.platform.as_ref()?.to_string()))
        .collect();
    Error::Platform {
        what: what.to_owned(),
        host: host.to_string(),
        found: if found.is_empty() {
            "no platform".to_owned()
        } else {
            found.join(", ")
        },
    }
}

fn is_attachment(descriptor: &Descriptor) -> bool {
    let unknown = |p: &Platform| p.os == "unknown" && p.architecture == "unknown";
    descriptor.annotations.contains_key(DOCKER_REFERENCE_TYPE)
        || descriptor.platform.as_ref().is_some_and(unknown)
}

/// The name an index gives to an image. A bare tag is none: it does not say of which repository.
fn name(descriptor: &Descriptor) -> Result<Option<Reference>, Error> {
    if let Some(name) = descriptor.annotations.get(CONTAINERD_NAME) {
        return Ok(Some(Reference::parse(name)?));
    }
    let Some(name) = descriptor.annotations.get(REF_NAME) else {
        return Ok(None);
    };
    let is_version = name
        .trim_start_matches('v')
        .starts_with(|c: char| c.is_ascii_digit());
    if !name.contains(['/', ':']) && (name == "latest" || is_version) {
        return Ok(None);
    }
    // Other tools put other things here; a name that is none is not worth an error.
    Ok(Reference::parse(name)
        .ok()
        .filter(|reference| reference.digest().is_none()))
}
