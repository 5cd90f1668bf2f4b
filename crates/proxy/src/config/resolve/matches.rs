//! What requests must have. The rules are those of the CRD `HTTPRoute`.

use manifest::{Findings, Path};

use super::{is_field_value, is_token};
use crate::config::Pattern;
use crate::config::document::{self, PathMatchType, ValueMatchType};
use crate::config::model::*;
use crate::path;

pub(super) fn matches(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::RouteMatch],
) -> Vec<RouteMatch> {
    let documents = documents.iter().enumerate();
    documents
        .map(|(index, document)| {
            let path = &path.index(index);
            RouteMatch {
                path: path_match(findings, &path.child("path"), document),
                headers: headers(findings, &path.child("headers"), &document.headers),
                query_params: query_params(
                    findings,
                    &path.child("queryParams"),
                    &document.query_params,
                ),
                method: document.method,
            }
        })
        .collect()
}

fn path_match(findings: &mut Findings, at: &Path, document: &document::RouteMatch) -> PathMatch {
    let document = document.path.clone().unwrap_or_default();
    let kind = document.type_.unwrap_or_default();
    let value = document.value.unwrap_or_else(|| "/".to_owned());
    let at = &at.child("value");
    if kind == PathMatchType::RegularExpression {
        if let Some(pattern) = pattern(findings, at, &value) {
            return PathMatch::Regex(pattern);
        }
        return PathMatch::Exact("/".to_owned());
    }
    if value.len() > 1024 {
        findings.too_long(at, 1024);
    }
    let fault = path_fault(&value);
    if let Some(fault) = fault {
        let detail = format!("{fault} when type one of ['Exact', 'PathPrefix']");
        findings.invalid(at, &value, detail);
    }
    let written = path::matching_form(&value);
    match kind {
        PathMatchType::Exact => PathMatch::Exact(written),
        _ => PathMatch::Prefix {
            prefix: written.strip_suffix('/').unwrap_or(&written).to_owned(),
            written,
        },
    }
}

/// What is wrong with a path that is compared or put in place of another, in the words of the CRD.
pub(super) fn path_fault(value: &str) -> Option<&'static str> {
    if !value.starts_with('/') {
        return Some("must be an absolute path and start with '/'");
    }
    for (part, fault) in [
        ("//", "must not contain '//'"),
        ("/./", "must not contain '/./'"),
        ("/../", "must not contain '/../'"),
        ("%2f", "must not contain '%2f'"),
        ("%2F", "must not contain '%2F'"),
        ("#", "must not contain '#'"),
    ] {
        if value.contains(part) {
            return Some(fault);
        }
    }
    if value.ends_with("/..") {
        return Some("must not end with '/..'");
    }
    if value.ends_with("/.") {
        return Some("must not end with '/.'");
    }
    if !path::is_valid(value) {
        return Some(
            "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$)",
        );
    }
    match path::normalize(value.as_bytes()) {
        Ok(_) => None,
        Err(_) => Some("must not contain encoded dot segments or control characters"),
    }
}

fn headers(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::HeaderMatch],
) -> Vec<(String, ValueMatch)> {
    let mut headers: Vec<(String, ValueMatch)> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = &path.index(index);
        let name_path = &path.child("name");
        name(findings, name_path, &document.name);
        let same = |(name, _): &(String, ValueMatch)| name.eq_ignore_ascii_case(&document.name);
        if headers.iter().any(same) {
            findings.duplicate(name_path, &document.name);
        }
        let kind = document.type_.unwrap_or_default();
        let value_path = &path.child("value");
        let value = value(findings, value_path, kind, &document.value, 4096);
        if kind == ValueMatchType::Exact && !is_field_value(&document.value) {
            let detail = "must be printable ASCII with blanks and tabs only inside";
            findings.invalid(value_path, &document.value, detail);
        }
        headers.push((document.name.clone(), value));
    }
    headers
}

/// The name of a header field.
pub(super) fn name(findings: &mut Findings, path: &Path, name: &str) {
    if name.is_empty() {
        findings.required(path, "");
    } else if !is_token(name) || name.len() > 256 {
        let detail =
            "must be the name of a header field: letters, digits and any of !#$%&'*+-.^_`|~";
        findings.invalid(path, name, detail);
    }
}

fn query_params(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::QueryParamMatch],
) -> Vec<(String, ValueMatch)> {
    let mut parameters: Vec<(String, ValueMatch)> = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = &path.index(index);
        let name_path = &path.child("name");
        if document.name.is_empty() {
            findings.required(name_path, "");
        } else if parameters.iter().any(|(name, _)| *name == document.name) {
            findings.duplicate(name_path, &document.name);
        }
        let kind = document.type_.unwrap_or_default();
        let value = value(findings, &path.child("value"), kind, &document.value, 1024);
        parameters.push((document.name.clone(), value));
    }
    parameters
}

fn value(
    findings: &mut Findings,
    path: &Path,
    kind: ValueMatchType,
    text: &str,
    most: usize,
) -> ValueMatch {
    if text.is_empty() {
        findings.required(path, "");
    } else if text.len() > most {
        findings.too_long(path, most);
    }
    match kind {
        ValueMatchType::Exact => ValueMatch::Exact(text.to_owned()),
        ValueMatchType::RegularExpression => match pattern(findings, path, text) {
            Some(pattern) => ValueMatch::Regex(pattern),
            None => ValueMatch::Exact(String::new()),
        },
    }
}

fn pattern(findings: &mut Findings, path: &Path, text: &str) -> Option<Pattern> {
    Pattern::parse(text)
        .map_err(|fault| findings.invalid(path, text, fault))
        .ok()
}
