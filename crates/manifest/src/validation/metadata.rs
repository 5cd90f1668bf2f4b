//! Names, labels and annotations of an object (upstream: `ValidateObjectMeta`).

use crate::findings::{Finding, Findings};
use crate::meta::v1::ObjectMeta;
use crate::path::Path;

use super::names;

/// Bytes that all annotations of an object may have together.
const MAX_ANNOTATIONS: usize = 256 << 10;

pub(super) fn metadata(findings: &mut Findings, meta: &ObjectMeta) {
    let path = &Path::root().child("metadata");
    match &meta.name {
        Some(name) => findings.invalid_all(&path.child("name"), name, names::subdomain(name)),
        None => {
            findings.required(&path.child("name"), "name or generateName is required");
            if meta.generate_name.is_some()
                && let Some(finding) = findings.0.last_mut()
            {
                finding.hint = Some("names are not made up here: set `name`".to_owned());
            }
        }
    }
    if let Some(namespace) = &meta.namespace {
        findings.invalid_all(&path.child("namespace"), namespace, names::label(namespace));
    }
    let labels = &path.child("labels");
    for (key, value) in &meta.labels {
        of_map(findings, labels, key, key, names::qualified(key));
        of_map(findings, labels, key, value, names::label_value(value));
    }
    let annotations = &path.child("annotations");
    let mut size = 0;
    for (key, value) in &meta.annotations {
        of_map(
            findings,
            annotations,
            key,
            key,
            names::qualified(&key.to_lowercase()),
        );
        size += key.len() + value.len();
    }
    if size > MAX_ANNOTATIONS {
        findings.too_long(annotations, MAX_ANNOTATIONS);
    }
}

/// A fault of a key or value, which the API server reports on the map without naming the key, and which stands at it.
pub(super) fn of_map(
    findings: &mut Findings,
    path: &Path,
    key: &str,
    bad: &str,
    faults: Vec<String>,
) {
    for fault in faults {
        let mut finding = Finding::at(path, format_args!("Invalid value: {bad:?}: {fault}"));
        finding.path = path.key(key);
        findings.push(finding);
    }
}
