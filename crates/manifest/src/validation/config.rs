//! ConfigMaps and Secrets (upstream: `ValidateConfigMap`, `ValidateSecret`).

use crate::core::v1::{ConfigMap, Secret};
use crate::findings::Findings;
use crate::path::Path;

use super::metadata::metadata;
use super::names;

/// Bytes that the values of a ConfigMap or Secret may have together.
const MAX_SIZE: usize = 1 << 20;

pub(crate) fn config_map(findings: &mut Findings, config_map: &ConfigMap) {
    metadata(findings, &config_map.metadata);
    let data = &Path::root().child("data");
    let binary_data = &Path::root().child("binaryData");
    let mut size = 0;
    for (key, value) in &config_map.data {
        findings.invalid_all(&data.key(key), key, names::config_key(key));
        if config_map.binary_data.contains_key(key) {
            findings.invalid(
                &data.key(key),
                key,
                "duplicate of key present in binaryData",
            );
        }
        size += value.len();
    }
    for (key, value) in &config_map.binary_data {
        findings.invalid_all(&binary_data.key(key), key, names::config_key(key));
        size += value.0.len();
    }
    if size > MAX_SIZE {
        findings.too_long(data, MAX_SIZE);
    }
}

pub(crate) fn secret(findings: &mut Findings, secret: &Secret) {
    metadata(findings, &secret.metadata);
    let data = &Path::root().child("data");
    for key in secret.data.keys() {
        findings.invalid_all(&data.key(key), key, names::config_key(key));
    }
    if secret
        .data
        .values()
        .map(|value| value.0.len())
        .sum::<usize>()
        > MAX_SIZE
    {
        findings.too_long(data, MAX_SIZE);
    }
    let mut needs = |key: &str| {
        if !secret.data.contains_key(key) {
            findings.required(&data.key(key), "");
        }
    };
    match secret.type_.as_deref().unwrap_or("") {
        "kubernetes.io/dockerconfigjson" => needs(".dockerconfigjson"),
        "kubernetes.io/dockercfg" => needs(".dockercfg"),
        "kubernetes.io/ssh-auth" => needs("ssh-privatekey"),
        "kubernetes.io/tls" => ["tls.crt", "tls.key"].into_iter().for_each(needs),
        "kubernetes.io/basic-auth" if !secret.data.contains_key("password") => needs("username"),
        _ => {}
    }
    for (type_, key) in [
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
        ("kubernetes.io/dockercfg", ".dockercfg"),
    ] {
        if secret.type_.as_deref() == Some(type_)
            && let Some(value) = secret.data.get(key)
            && serde_json::from_slice::<serde::de::IgnoredAny>(&value.0).is_err()
        {
            findings.invalid(
                &data.key(key),
                "<secret contents redacted>",
                "is not valid JSON",
            );
        }
    }
}
