//! Mounts of a container against the volumes of its Pod (upstream: `ValidateVolumeMounts`).

use std::collections::HashSet;

use crate::core::v1::{Container, MountPropagationMode, PodSpec, RecursiveReadOnlyMode};
use crate::findings::Findings;
use crate::nearest::nearest;
use crate::path::Path;

use super::names;

pub(super) fn mounts(findings: &mut Findings, path: &Path, container: &Container, spec: &PodSpec) {
    let mut points = HashSet::new();
    for (index, mount) in container.volume_mounts.iter().enumerate() {
        let path = &path.index(index);
        let name = &path.child("name");
        if mount.name.is_empty() {
            findings.required(name, "");
        } else if !spec.volumes.iter().any(|volume| volume.name == mount.name) {
            findings.not_found(name, &mount.name);
            let known = spec.volumes.iter().map(|volume| volume.name.as_str());
            let hint = match nearest(&mount.name, known) {
                Some(near) => format!("did you mean the volume `{near}`?"),
                None => "add a volume of this name to `spec.volumes`".to_owned(),
            };
            if let Some(finding) = findings.0.last_mut() {
                finding.hint = Some(hint);
            }
        }
        if mount.mount_path.is_empty() {
            findings.required(&path.child("mountPath"), "");
        } else if !points.insert(&mount.mount_path) {
            findings.invalid(
                &path.child("mountPath"),
                &mount.mount_path,
                "must be unique",
            );
        }
        if let Some(sub_path) = &mount.sub_path {
            findings.invalid_all(
                &path.child("subPath"),
                sub_path,
                names::descending(sub_path),
            );
        }
        if let Some(expression) = &mount.sub_path_expr {
            let path = &path.child("subPathExpr");
            if mount.sub_path.is_some() {
                findings.invalid(
                    path,
                    expression,
                    "subPathExpr and subPath are mutually exclusive",
                );
            }
            findings.invalid_all(path, expression, names::descending(expression));
        }
        let privileged = container
            .security_context
            .as_ref()
            .is_some_and(|context| context.privileged == Some(true));
        if mount.mount_propagation == Some(MountPropagationMode::Bidirectional) && !privileged {
            let detail =
                "Bidirectional mount propagation is available only to privileged containers";
            findings.forbidden(&path.child("mountPropagation"), detail);
        }
        let recursive = mount
            .recursive_read_only
            .filter(|mode| *mode != RecursiveReadOnlyMode::Disabled);
        if recursive.is_some() {
            let path = &path.child("recursiveReadOnly");
            if mount.read_only != Some(true) {
                findings.forbidden(path, "may only be specified when readOnly is true");
            }
            if mount
                .mount_propagation
                .is_some_and(|mode| mode != MountPropagationMode::None)
            {
                findings.forbidden(
                    path,
                    "may only be specified when mountPropagation is None or not specified",
                );
            }
        }
    }
}
