//! Volumes: what they are and where their contents come from.
//!
//! Kinds that need a cluster are refused when a manifest is read, so no Pod here has them; if one comes from
//! elsewhere, its fields are shown as they are named in manifests.

use manifest::core::v1::{DownwardApiVolumeFile, Volume, VolumeProjection};
use serde_json::Value;

use super::Page;
use crate::go;

pub(super) fn all(page: &mut Page<'_>, volumes: &[Volume]) {
    page.line(
        0,
        if volumes.is_empty() {
            "Volumes:\t<none>"
        } else {
            "Volumes:"
        },
    );
    for volume in volumes {
        page.line(1, &format!("{}:", volume.name));
        one(page, volume);
    }
}

fn one(page: &mut Page<'_>, volume: &Volume) {
    if let Some(path) = &volume.host_path {
        let kind = path.type_.map_or("<none>", |kind| kind.as_str());
        page.line(2, "Type:\tHostPath (bare host directory volume)");
        page.line(2, &format!("Path:\t{}", path.path));
        page.line(2, &format!("HostPathType:\t{kind}"));
    } else if let Some(dir) = &volume.empty_dir {
        let limit = dir
            .size_limit
            .filter(|limit| !limit.is_zero() && !limit.is_negative());
        let limit = limit.map_or_else(|| "<unset>".to_owned(), |limit| limit.to_string());
        page.line(
            2,
            "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
        );
        page.line(
            2,
            &format!("Medium:\t{}", dir.medium.as_deref().unwrap_or_default()),
        );
        page.line(2, &format!("SizeLimit:\t{limit}"));
    } else if let Some(secret) = &volume.secret {
        page.line(2, "Type:\tSecret (a volume populated by a Secret)");
        page.line(2, &format!("SecretName:\t{}", secret.secret_name));
        page.line(2, &format!("Optional:\t{}", secret.optional == Some(true)));
    } else if let Some(map) = &volume.config_map {
        page.line(2, "Type:\tConfigMap (a volume populated by a ConfigMap)");
        page.line(2, &format!("Name:\t{}", map.name));
        page.line(2, &format!("Optional:\t{}", map.optional == Some(true)));
    } else if let Some(api) = &volume.downward_api {
        page.line(
            2,
            "Type:\tDownwardAPI (a volume populated by information about the pod)",
        );
        page.line(2, "Items:");
        api.items.iter().for_each(|file| downward(page, file));
    } else if let Some(projected) = &volume.projected {
        let what = "a volume that contains injected data from multiple sources";
        page.line(2, &format!("Type:\tProjected ({what})"));
        projected
            .sources
            .iter()
            .for_each(|source| projection(page, source));
    } else if let Some(claim) = &volume.persistent_volume_claim {
        let what = "a reference to a PersistentVolumeClaim in the same namespace";
        page.line(2, &format!("Type:\tPersistentVolumeClaim ({what})"));
        page.line(2, &format!("ClaimName:\t{}", claim.claim_name));
        page.line(2, &format!("ReadOnly:\t{}", claim.read_only == Some(true)));
    } else if let Some(image) = &volume.image {
        let policy = image.pull_policy.map_or("", |policy| policy.as_str());
        page.line(2, "Type:\tImage (a container image or OCI artifact)");
        page.line(
            2,
            &format!(
                "Reference:\t{}",
                image.reference.as_deref().unwrap_or_default()
            ),
        );
        page.line(2, &format!("PullPolicy:\t{policy}"));
    } else {
        other(page, volume);
    }
}

fn downward(page: &mut Page<'_>, file: &DownwardApiVolumeFile) {
    let field = file.field_ref.as_ref().map(|field| &field.field_path);
    let resource = file
        .resource_field_ref
        .as_ref()
        .map(|field| &field.resource);
    for source in field.into_iter().chain(resource) {
        page.line(3, &format!("{source} -> {}", file.path));
    }
}

fn projection(page: &mut Page<'_>, source: &VolumeProjection) {
    if let Some(secret) = &source.secret {
        page.line(2, &format!("SecretName:\t{}", secret.name));
        page.line(2, &format!("Optional:\t{}", secret.optional == Some(true)));
    } else if source.downward_api.is_some() {
        page.line(2, "DownwardAPI:\ttrue");
    } else if let Some(map) = &source.config_map {
        page.line(2, &format!("ConfigMapName:\t{}", map.name));
        page.line(2, &format!("Optional:\t{}", map.optional == Some(true)));
    } else if let Some(token) = &source.service_account_token {
        let seconds = token.expiration_seconds.unwrap_or(0);
        page.line(2, &format!("TokenExpirationSeconds:\t{seconds}"));
    }
}

/// The one member besides the name, field by field.
fn other(page: &mut Page<'_>, volume: &Volume) {
    let volume = serde_json::to_value(volume).unwrap_or_default();
    let mut members = volume.as_object().into_iter().flatten();
    let Some((kind, Value::Object(fields))) = members.find(|(key, _)| *key != "name") else {
        return page.line(1, "<unknown>");
    };
    page.line(2, &format!("Type:\t{kind}"));
    for (name, value) in fields {
        page.line(2, &format!("{name}:\t{}", go::format(value)));
    }
}
