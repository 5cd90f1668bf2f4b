//! Files of a directory.

use manifest::{Findings, Path};

use super::{bytes, file, is_field_value};
use crate::config::document::{self, ContentCoding};
use crate::config::model::*;

pub(super) fn static_files(
    findings: &mut Findings,
    path: &Path,
    document: &document::StaticFiles,
) -> StaticFiles {
    let index = document.index.clone().unwrap_or_default();
    for (position, name) in index.iter().enumerate() {
        if name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
            let path = path.child("index").index(position);
            findings.invalid(&path, name, "must be the name of a file, without /");
        }
    }
    let compression = document.compression.clone().unwrap_or_default();
    let compression_path = &path.child("compression");
    let dynamic = compression.dynamic.unwrap_or_default();
    for (position, coding) in dynamic.iter().enumerate() {
        if *coding == ContentCoding::Br {
            let path = compression_path.child("dynamic").index(position);
            let detail = "is too slow to be made on the fly: only zstd and gzip";
            findings.invalid(&path, coding.as_str(), detail);
        }
    }
    if let Some(value) = &document.cache_control
        && !is_field_value(value)
    {
        let detail = "must be the value of a header field";
        findings.invalid(&path.child("cacheControl"), value, detail);
    }
    let default_type = document.default_type.clone().unwrap_or_default();
    media_type(findings, &path.child("defaultType"), &default_type);
    let mut mime_types = Vec::new();
    for (extension, value) in &document.mime_types {
        let path = path.child("mimeTypes").key(extension);
        media_type(findings, &path, value);
        let name = extension.trim_start_matches('.').to_ascii_lowercase();
        if name.is_empty() || name.contains(['/', '\0']) {
            findings.invalid(&path, extension, "must be the end of file names, as `webp`");
        }
        mime_types.push((name, value.clone()));
    }
    let min_size_path = compression_path.child("minSize");
    StaticFiles {
        root: file(findings, &path.child("root"), &document.root),
        try_files: try_files(findings, &path.child("tryFiles"), document),
        index,
        dot_files: document.dot_files.unwrap_or(false),
        precompressed: compression.precompressed.unwrap_or_default(),
        dynamic,
        min_size: bytes(findings, &min_size_path, compression.min_size),
        cache_control: document.cache_control.clone(),
        mime_types,
        default_type,
    }
}

fn media_type(findings: &mut Findings, path: &Path, value: &str) {
    let parts = value.split_once('/');
    let named = parts.is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if !named || !is_field_value(value) {
        findings.invalid(path, value, "must be a media type, as text/html");
    }
}

fn try_files(
    findings: &mut Findings,
    path: &Path,
    document: &document::StaticFiles,
) -> Vec<TryFile> {
    let given = document.try_files.clone().unwrap_or_default();
    if given.is_empty() {
        findings.required(path, "as [$uri, $uri/, =404]");
    }
    let mut tried = Vec::new();
    for (position, text) in given.iter().enumerate() {
        let path = &path.index(position);
        if let Some(status) = text.strip_prefix('=') {
            let status = status.parse().ok();
            let status = status.filter(|status| (400..=599).contains(status));
            if status.is_none() || position + 1 < given.len() {
                let detail = "must be the last one, with a status from 400 to 599";
                findings.invalid(path, text, detail);
            }
            tried.push(TryFile::Status(status.unwrap_or(404)));
            continue;
        }
        let rest = text.strip_prefix("$uri");
        let outside = text.split('/').any(|element| element == "..") || text.contains('\0');
        let variable = rest.unwrap_or(text).contains('$');
        if rest.is_none() && !text.starts_with('/') || outside || variable {
            let detail = "must begin with `$uri` or `/`, without `..` and other variables";
            findings.invalid(path, text, detail);
        }
        tried.push(match text.strip_suffix('/') {
            Some(directory) => TryFile::Directory(directory.to_owned()),
            None => TryFile::File(text.clone()),
        });
    }
    tried
}
