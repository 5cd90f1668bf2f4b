//! Filters. The rules are those of the CRD `HTTPRoute`.

use manifest::{Findings, Path};

use super::matches::{name, path_fault};
use super::{host, is_field_value};
use crate::config::document::{self, FilterType, PathMatchType, PathModifierType};
use crate::config::model::*;

pub(super) fn filters(findings: &mut Findings, path: &Path, rule: &document::Rule) -> Vec<Filter> {
    let filters_path = &path.child("filters");
    let mut filters = Vec::new();
    let mut seen: Vec<FilterType> = Vec::new();
    for (index, document) in rule.filters.iter().enumerate() {
        let path = &filters_path.index(index);
        let Some(kind) = document.type_ else {
            findings.required(&path.child("type"), "");
            continue;
        };
        if seen.contains(&kind) {
            let detail = format!("{kind} filter cannot be repeated");
            findings.invalid(&path.child("type"), kind.as_str(), detail);
        }
        let excludes = |one, other| kind == one && seen.contains(&other);
        if excludes(FilterType::UrlRewrite, FilterType::RequestRedirect)
            || excludes(FilterType::RequestRedirect, FilterType::UrlRewrite)
        {
            let detail = "may specify either RequestRedirect or URLRewrite, but not both";
            findings.invalid(&path.child("type"), kind.as_str(), detail);
        }
        // One without an effect may be what stands in place of a refused one.
        if document.request_header_modifier.as_ref() != Some(&document::HeaderModifier::default()) {
            seen.push(kind);
        }
        others(findings, path, document, kind);
        filters.extend(one(findings, path, document, kind, rule));
    }
    filters
}

/// The field that a type is about.
const fn field(kind: FilterType) -> &'static str {
    match kind {
        FilterType::RequestHeaderModifier => "requestHeaderModifier",
        FilterType::ResponseHeaderModifier => "responseHeaderModifier",
        FilterType::UrlRewrite => "urlRewrite",
        FilterType::RequestRedirect => "requestRedirect",
    }
}

/// Fields that are not the type's.
fn others(findings: &mut Findings, path: &Path, document: &document::Filter, kind: FilterType) {
    for (other, given) in [
        (
            FilterType::RequestHeaderModifier,
            document.request_header_modifier.is_some(),
        ),
        (
            FilterType::ResponseHeaderModifier,
            document.response_header_modifier.is_some(),
        ),
        (FilterType::UrlRewrite, document.url_rewrite.is_some()),
        (
            FilterType::RequestRedirect,
            document.request_redirect.is_some(),
        ),
    ] {
        let own = field(other);
        if given && other != kind {
            let detail = format!("filter.{own} must be nil if the filter.type is not {other}");
            findings.forbidden(&path.child(own), &detail);
        } else if !given && other == kind {
            let detail = format!("filter.{own} must be specified for {kind} filter.type");
            findings.required(&path.child(own), &detail);
        }
    }
}

fn one(
    findings: &mut Findings,
    path: &Path,
    document: &document::Filter,
    kind: FilterType,
    rule: &document::Rule,
) -> Option<Filter> {
    let path = &path.child(field(kind));
    Some(match kind {
        FilterType::RequestHeaderModifier => {
            let modifier = document.request_header_modifier.as_ref()?;
            Filter::RequestHeaders(headers(findings, path, modifier))
        }
        FilterType::ResponseHeaderModifier => {
            let modifier = document.response_header_modifier.as_ref()?;
            Filter::ResponseHeaders(headers(findings, path, modifier))
        }
        FilterType::UrlRewrite => Filter::Rewrite(rewrite(
            findings,
            path,
            document.url_rewrite.as_ref()?,
            rule,
        )),
        FilterType::RequestRedirect => {
            let document = document.request_redirect.as_ref()?;
            Filter::Redirect(redirect(findings, path, document, rule))
        }
    })
}

/// Fields that say how a message is framed or which connection it is on, and so are the proxy's own.
const OWN: [&str; 10] = [
    "connection",
    "content-length",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

fn headers(
    findings: &mut Findings,
    path: &Path,
    document: &document::HeaderModifier,
) -> HeaderModifier {
    let mut seen = Vec::new();
    let mut check = |findings: &mut Findings, path: &Path, text: &str| {
        name(findings, path, text);
        let lower = text.to_ascii_lowercase();
        if OWN.contains(&lower.as_str()) {
            findings.invalid(
                path,
                text,
                "belongs to the connection, and is the proxy's own",
            );
        } else if lower == "host" {
            let detail = "is set by the filter URLRewrite, in `hostname`";
            findings.invalid(path, text, detail);
        } else if seen.contains(&lower) {
            findings.duplicate(path, text);
        }
        seen.push(lower);
    };
    let mut pairs = |findings: &mut Findings, path: &Path, list: &[document::HeaderValue]| {
        let list = list.iter().enumerate();
        list.map(|(index, header)| {
            let path = &path.index(index);
            check(findings, &path.child("name"), &header.name);
            if header.value.is_empty() {
                findings.required(&path.child("value"), "");
            } else if !is_field_value(&header.value) {
                let detail = "must be printable ASCII with blanks and tabs only inside";
                findings.invalid(&path.child("value"), &header.value, detail);
            }
            (header.name.clone(), header.value.clone())
        })
        .collect()
    };
    let set = pairs(findings, &path.child("set"), &document.set);
    let add = pairs(findings, &path.child("add"), &document.add);
    for (index, text) in document.remove.iter().enumerate() {
        check(findings, &path.child("remove").index(index), text);
    }
    HeaderModifier {
        set,
        add,
        remove: document.remove.clone(),
    }
}

fn rewrite(
    findings: &mut Findings,
    path: &Path,
    document: &document::UrlRewrite,
    rule: &document::Rule,
) -> UrlRewrite {
    if let Some(name) = &document.hostname {
        host(findings, &path.child("hostname"), name);
    }
    let modifier = document
        .path
        .as_ref()
        .and_then(|document| modifier(findings, &path.child("path"), document, rule));
    if !matches!(modifier, Some(PathModifier::ReplacePrefixMatch(_))) {
        for (field, given) in [
            ("rewriteLocation", document.rewrite_location),
            ("redirectToSlash", document.redirect_to_slash),
        ] {
            if given == Some(true) {
                let detail = "only with `path.type: ReplacePrefixMatch`";
                findings.forbidden(&path.child(field), detail);
            }
        }
    }
    UrlRewrite {
        hostname: document.hostname.clone(),
        path: modifier,
        rewrite_location: document.rewrite_location.unwrap_or(false),
        redirect_to_slash: document.redirect_to_slash.unwrap_or(false),
    }
}

fn redirect(
    findings: &mut Findings,
    path: &Path,
    document: &document::RequestRedirect,
    rule: &document::Rule,
) -> RequestRedirect {
    if let Some(name) = &document.hostname {
        host(findings, &path.child("hostname"), name);
    }
    if let Some(port) = document.port {
        for fault in manifest::names::port_number(port) {
            findings.invalid(&path.child("port"), port, fault);
        }
    }
    let status = document.status_code.unwrap_or(302);
    if ![301, 302, 303, 307, 308].contains(&status) {
        let words = ["301", "302", "303", "307", "308"];
        findings.not_supported(&path.child("statusCode"), &status.to_string(), &words);
    }
    RequestRedirect {
        scheme: document.scheme,
        hostname: document.hostname.clone(),
        path: document
            .path
            .as_ref()
            .and_then(|document| modifier(findings, &path.child("path"), document, rule)),
        port: document.port.and_then(|port| u16::try_from(port).ok()),
        status: u16::try_from(status).unwrap_or(302),
    }
}

fn modifier(
    findings: &mut Findings,
    path: &Path,
    document: &document::PathModifier,
    rule: &document::Rule,
) -> Option<PathModifier> {
    let Some(kind) = document.type_ else {
        findings.required(&path.child("type"), "");
        return None;
    };
    let full = ("replaceFullPath", &document.replace_full_path);
    let prefix = ("replacePrefixMatch", &document.replace_prefix_match);
    let ((own, value), (other, unwanted)) = match kind {
        PathModifierType::ReplaceFullPath => (full, prefix),
        PathModifierType::ReplacePrefixMatch => (prefix, full),
    };
    if unwanted.is_some() {
        let detail = format!("may not be given when type is set to '{kind}'");
        findings.forbidden(&path.child(other), &detail);
    }
    let Some(value) = value else {
        let detail = format!("{own} must be specified when type is set to '{kind}'");
        findings.required(&path.child(own), &detail);
        return None;
    };
    if let Some(fault) = path_fault(value).filter(|_| !value.is_empty()) {
        findings.invalid(&path.child(own), value, fault);
    }
    Some(match kind {
        PathModifierType::ReplaceFullPath => PathModifier::ReplaceFullPath(value.clone()),
        PathModifierType::ReplacePrefixMatch => {
            let prefixes = rule.matches.iter().all(|matches| {
                let path = matches.path.as_ref();
                let kind = path.and_then(|path| path.type_).unwrap_or_default();
                kind == PathMatchType::PathPrefix
            });
            if !prefixes {
                let detail = "all matches of the rule must be of type PathPrefix";
                findings.invalid(&path.child("type"), kind.as_str(), detail);
            }
            PathModifier::ReplacePrefixMatch(value.clone())
        }
    })
}
