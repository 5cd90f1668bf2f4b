//! Environment variables and downward API fields (upstream: `ValidateEnv`, `ValidateEnvFrom`).

use crate::core::v1::{EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector};
use crate::findings::Findings;
use crate::path::Path;

use super::names;

/// Fields of a Pod that a variable can hold, besides labels and annotations by key.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a Pod that a file can hold.
pub(super) const VOLUME_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn env(findings: &mut Findings, path: &Path, variables: &[EnvVar]) {
    for (index, variable) in variables.iter().enumerate() {
        let path = &path.index(index);
        if variable.name.is_empty() {
            findings.required(&path.child("name"), "");
        }
        findings.invalid_all(
            &path.child("name"),
            &variable.name,
            names::env_name(&variable.name),
        );
        value_from(findings, &path.child("valueFrom"), variable);
    }
}

fn value_from(findings: &mut Findings, path: &Path, variable: &EnvVar) {
    let Some(from) = &variable.value_from else {
        return;
    };
    let mut sources = 0;
    if let Some(field) = &from.field_ref {
        sources += 1;
        field_ref(findings, &path.child("fieldRef"), field, ENV_FIELDS);
    }
    if let Some(resource) = &from.resource_field_ref {
        sources += 1;
        resource_ref(findings, &path.child("resourceFieldRef"), resource, false);
    }
    if let Some(selector) = &from.config_map_key_ref {
        sources += 1;
        key_ref(
            findings,
            &path.child("configMapKeyRef"),
            &selector.name,
            &selector.key,
        );
    }
    if let Some(selector) = &from.secret_key_ref {
        sources += 1;
        key_ref(
            findings,
            &path.child("secretKeyRef"),
            &selector.name,
            &selector.key,
        );
    }
    if let Some(selector) = &from.file_key_ref {
        sources += 1;
        let path = &path.child("fileKeyRef");
        for (field, text) in [
            ("volumeName", &selector.volume_name),
            ("path", &selector.path),
            ("key", &selector.key),
        ] {
            if text.is_empty() {
                findings.required(&path.child(field), "");
            }
        }
        findings.invalid_all(
            &path.child("path"),
            &selector.path,
            names::local_file(&selector.path),
        );
        findings.invalid_all(
            &path.child("key"),
            &selector.key,
            names::env_name(&selector.key),
        );
    }
    let detail = if sources == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
    } else if variable
        .value
        .as_ref()
        .is_some_and(|value| !value.is_empty())
    {
        "may not be specified when `value` is not empty"
    } else if sources > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    findings.invalid(path, "", detail);
}

fn key_ref(findings: &mut Findings, path: &Path, name: &str, key: &str) {
    findings.invalid_all(&path.child("name"), name, names::subdomain(name));
    if key.is_empty() {
        findings.required(&path.child("key"), "");
    } else {
        findings.invalid_all(&path.child("key"), key, names::config_key(key));
    }
}

pub(super) fn field_ref(
    findings: &mut Findings,
    path: &Path,
    field: &ObjectFieldSelector,
    known: &[&str],
) {
    if field.field_path.is_empty() {
        return findings.required(&path.child("fieldPath"), "");
    }
    let subscripted = field
        .field_path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"));
    match subscripted {
        Some(("metadata.annotations", key)) => {
            findings.invalid_all(path, key, names::qualified(&key.to_lowercase()));
        }
        Some(("metadata.labels", key)) => findings.invalid_all(path, key, names::qualified(key)),
        Some((other, _)) => findings.invalid(path, other, "does not support subscript"),
        None if known.contains(&field.field_path.as_str()) => {}
        None => findings.not_supported(&path.child("fieldPath"), &field.field_path, known),
    }
}

pub(super) fn resource_ref(
    findings: &mut Findings,
    path: &Path,
    selector: &ResourceFieldSelector,
    in_volume: bool,
) {
    let resource = selector.resource.as_str();
    let huge_pages = ["limits.hugepages-", "requests.hugepages-"]
        .iter()
        .any(|p| resource.starts_with(p));
    if in_volume && selector.container_name.is_none() {
        findings.required(&path.child("containerName"), "");
    } else if resource.is_empty() {
        findings.required(&path.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !huge_pages {
        findings.not_supported(&path.child("resource"), resource, RESOURCES);
    }
    let Some(divisor) = selector.divisor.filter(|divisor| !divisor.is_zero()) else {
        return;
    };
    let divisor = divisor.to_string();
    let (fits, units, of) = match resource.split_once('.').map_or("", |(_, name)| name) {
        "cpu" => (["1m", "1"].contains(&divisor.as_str()), "1m and 1", "cpu"),
        "" => return,
        name => {
            const UNITS: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
            let of = match name {
                "memory" => "memory",
                "ephemeral-storage" => "local ephemeral storage",
                _ => "hugepages",
            };
            (UNITS.split(", ").any(|unit| unit == divisor), UNITS, of)
        }
    };
    if !fits {
        let detail = format!("only divisor's values {units} are supported with the {of} resource");
        findings.invalid(&path.child("divisor"), resource, detail);
    }
}

pub(super) fn env_from(findings: &mut Findings, path: &Path, sources: &[EnvFromSource]) {
    for (index, source) in sources.iter().enumerate() {
        let path = &path.index(index);
        if let Some(prefix) = &source.prefix {
            findings.invalid_all(&path.child("prefix"), prefix, names::env_name(prefix));
        }
        let names = [
            (
                "configMapRef",
                source.config_map_ref.as_ref().map(|source| &source.name),
            ),
            (
                "secretRef",
                source.secret_ref.as_ref().map(|source| &source.name),
            ),
        ];
        for (field, name) in names {
            let Some(name) = name else { continue };
            let path = &path.child(field).child("name");
            if name.is_empty() {
                findings.required(path, "");
            } else {
                findings.invalid_all(path, name, names::subdomain(name));
            }
        }
        match (&source.config_map_ref, &source.secret_ref) {
            (None, None) => {
                findings.invalid(
                    path,
                    "",
                    "must specify one of: `configMapRef` or `secretRef`",
                );
            }
            (Some(_), Some(_)) => {
                findings.invalid(
                    path,
                    "",
                    "may not have more than one field specified at a time",
                );
            }
            _ => {}
        }
    }
}
