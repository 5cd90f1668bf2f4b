//! Volumes and the sources that work on one machine (upstream: `ValidateVolumes`).

use std::collections::HashSet;

use crate::core::v1::{DownwardApiVolumeFile, KeyToPath, ProjectedVolumeSource, Volume};
use crate::findings::Findings;
use crate::path::Path;

use super::{env, names};

const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

pub(super) fn volumes(findings: &mut Findings, path: &Path, volumes: &[Volume]) {
    let mut seen = HashSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = &path.index(index);
        let name = &path.child("name");
        if volume.name.is_empty() {
            findings.required(name, "");
        } else {
            let faults = names::label(&volume.name);
            if faults.is_empty() && !seen.insert(&volume.name) {
                findings.duplicate(name, &volume.name);
            }
            findings.invalid_all(name, &volume.name, faults);
        }
        source(findings, path, volume);
    }
}

/// Every source of a volume and whether it is given, in the order in which the API server looks at them.
pub(crate) fn volume_sources(volume: &Volume) -> [(&'static str, bool); 30] {
    [
        ("emptyDir", volume.empty_dir.is_some()),
        ("hostPath", volume.host_path.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        (
            "awsElasticBlockStore",
            volume.aws_elastic_block_store.is_some(),
        ),
        ("secret", volume.secret.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        (
            "persistentVolumeClaim",
            volume.persistent_volume_claim.is_some(),
        ),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("downwardAPI", volume.downward_api.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("configMap", volume.config_map.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        (
            "photonPersistentDisk",
            volume.photon_persistent_disk.is_some(),
        ),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("projected", volume.projected.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("csi", volume.csi.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("image", volume.image.is_some()),
    ]
}

fn source(findings: &mut Findings, path: &Path, volume: &Volume) {
    let given = volume_sources(volume)
        .into_iter()
        .filter(|(_, given)| *given);
    for (further, _) in given.skip(1) {
        findings.forbidden(
            &path.child(further),
            "may not specify more than 1 volume type",
        );
    }
    if let Some(source) = &volume.empty_dir
        && source.size_limit.is_some_and(|limit| limit.is_negative())
    {
        let path = path.child("emptyDir").child("sizeLimit");
        findings.forbidden(&path, "SizeLimit field must be a valid resource quantity");
    }
    if let Some(source) = &volume.host_path {
        let path = &path.child("hostPath").child("path");
        if source.path.is_empty() {
            findings.required(path, "");
        } else {
            findings.invalid_all(path, &source.path, names::no_backsteps(&source.path));
        }
    }
    if let Some(source) = &volume.config_map {
        let path = &path.child("configMap");
        named(findings, &path.child("name"), &source.name);
        mode(findings, &path.child("defaultMode"), source.default_mode);
        key_paths(findings, &path.child("items"), &source.items);
    }
    if let Some(source) = &volume.secret {
        let path = &path.child("secret");
        named(findings, &path.child("secretName"), &source.secret_name);
        mode(findings, &path.child("defaultMode"), source.default_mode);
        key_paths(findings, &path.child("items"), &source.items);
    }
    if let Some(source) = &volume.downward_api {
        let path = &path.child("downwardAPI");
        mode(findings, &path.child("defaultMode"), source.default_mode);
        for (index, file) in source.items.iter().enumerate() {
            downward_file(findings, &path.child("items").index(index), file);
        }
    }
    if let Some(source) = &volume.projected {
        projected(findings, &path.child("projected"), source);
    }
    if let Some(source) = &volume.image
        && source.reference.is_none()
    {
        findings.required(&path.child("image").child("reference"), "");
    }
}

fn named(findings: &mut Findings, path: &Path, name: &str) {
    if name.is_empty() {
        findings.required(path, "");
    }
}

fn mode(findings: &mut Findings, path: &Path, mode: Option<i32>) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        findings.invalid(path, mode, FILE_MODE);
        if mode == 644 || mode == 755 || mode == 600 || mode == 400 || mode == 777 {
            // Decimal digits meant as octal.
            if let Some(finding) = findings.0.last_mut() {
                finding.hint = Some(format!("write 0{mode} for the octal number"));
            }
        }
    }
}

fn key_paths(findings: &mut Findings, path: &Path, items: &[KeyToPath]) {
    for (index, item) in items.iter().enumerate() {
        let path = &path.index(index);
        if item.key.is_empty() {
            findings.required(&path.child("key"), "");
        }
        file_path(findings, &path.child("path"), &item.path);
        mode(findings, &path.child("mode"), item.mode);
    }
}

fn file_path(findings: &mut Findings, path: &Path, file: &str) {
    if file.is_empty() {
        findings.required(path, "");
    } else {
        findings.invalid_all(path, file, names::local_file(file));
    }
}

fn downward_file(findings: &mut Findings, path: &Path, file: &DownwardApiVolumeFile) {
    file_path(findings, &path.child("path"), &file.path);
    if let Some(field) = &file.field_ref {
        env::field_ref(findings, &path.child("fieldRef"), field, env::VOLUME_FIELDS);
        if file.resource_field_ref.is_some() {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            findings.invalid(path, "resource", detail);
        }
    } else if let Some(resource) = &file.resource_field_ref {
        env::resource_ref(findings, &path.child("resourceFieldRef"), resource, true);
    } else {
        findings.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    mode(findings, &path.child("mode"), file.mode);
}

fn projected(findings: &mut Findings, path: &Path, source: &ProjectedVolumeSource) {
    mode(findings, &path.child("defaultMode"), source.default_mode);
    let mut files = HashSet::new();
    for (index, projection) in source.sources.iter().enumerate() {
        let path = &path.child("sources").index(index);
        let mut sources = 0;
        let mut own = |findings: &mut Findings, path: &Path, file: &str| {
            if !file.is_empty() && !files.insert(file.to_owned()) {
                findings.invalid(path, file, "conflicting duplicate paths");
            }
        };
        let by_name = [
            (
                "secret",
                projection
                    .secret
                    .as_ref()
                    .map(|source| (&source.name, &source.items)),
            ),
            (
                "configMap",
                projection
                    .config_map
                    .as_ref()
                    .map(|source| (&source.name, &source.items)),
            ),
        ];
        for (field, found) in by_name {
            let Some((name, items)) = found else { continue };
            sources += 1;
            let path = &path.child(field);
            named(findings, &path.child("name"), name);
            key_paths(findings, &path.child("items"), items);
            for (index, item) in items.iter().enumerate() {
                own(
                    findings,
                    &path.child("items").index(index).child("path"),
                    &item.path,
                );
            }
        }
        if let Some(source) = &projection.downward_api {
            sources += 1;
            for (index, file) in source.items.iter().enumerate() {
                let path = &path.child("downwardAPI").child("items").index(index);
                downward_file(findings, path, file);
                own(findings, &path.child("path"), &file.path);
            }
        }
        if let Some(token) = &projection.service_account_token {
            sources += 1;
            let path = &path.child("serviceAccountToken");
            if let Some(seconds) = token.expiration_seconds.filter(|seconds| *seconds < 600) {
                let detail = "may not specify a duration less than 10 minutes";
                findings.invalid(&path.child("expirationSeconds"), seconds, detail);
            }
            file_path(findings, &path.child("path"), &token.path);
        }
        sources += usize::from(projection.cluster_trust_bundle.is_some());
        sources += usize::from(projection.pod_certificate.is_some());
        if sources > 1 {
            findings.forbidden(path, "may not specify more than 1 volume type");
        }
    }
}
