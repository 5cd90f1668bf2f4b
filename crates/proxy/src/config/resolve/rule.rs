//! Rules.

use manifest::{Finding, Findings, Path};

use super::route::Routes;
use super::{bytes, file, filter, limit, matches, process, static_files};
use crate::config::document::{self, FilterType, PathMatchType};
use crate::config::model::*;

pub(super) fn rule(
    findings: &mut Findings,
    path: &Path,
    document: &document::Rule,
    known: &Routes<'_>,
) -> Rule {
    let matches = matches::matches(findings, &path.child("matches"), &document.matches);
    let filters = filter::filters(findings, path, document);
    let action = action(findings, path, document, known);
    let body_path = path.child("requestBody");
    let request_body = match document.request_body {
        Some(_) => {
            let bytes = bytes(findings, &body_path, document.request_body);
            (bytes > 0).then_some(bytes)
        }
        None => known.request_body,
    };
    let mut error_pages = error_pages(findings, &path.child("errorPages"), &document.error_pages);
    error_pages.extend_from_slice(known.error_pages);
    Rule {
        name: document.name.clone().unwrap_or_default(),
        matches,
        filters,
        action,
        timeouts: timeouts(findings, &path.child("timeouts"), document),
        request_body,
        upgrades: upgrades(findings, &path.child("upgrades"), document),
        allow_connect: document.allow_connect.unwrap_or(false),
        error_pages,
    }
}

/// Exactly one thing answers.
fn action(
    findings: &mut Findings,
    path: &Path,
    document: &document::Rule,
    known: &Routes<'_>,
) -> Action {
    let redirects = document
        .filters
        .iter()
        .any(|filter| filter.type_ == Some(FilterType::RequestRedirect));
    let refs_path = &path.child("backendRefs");
    let backend = match document.backend_refs.as_slice() {
        [] => None,
        [one] => {
            let names = known.backends.iter().map(|backend| backend.name.as_str());
            let path = refs_path.index(0).child("name");
            Some(backend(findings, &path, &one.name, names).unwrap_or(0))
        }
        several => {
            let message = format!("Too many: {}: must have at most 1 items", several.len());
            let hint = "weights come later";
            findings.push(Finding::at(refs_path, message).hint(hint));
            Some(0)
        }
    };
    let files = document.static_files.as_ref();
    if redirects && backend.is_some() {
        let detail = "RequestRedirect filter must not be used together with backendRefs";
        findings.forbidden(refs_path, detail);
    }
    let files_path = &path.child("staticFiles");
    if files.is_some() && (redirects || backend.is_some()) {
        let detail = "may not be given together with `backendRefs` or a RequestRedirect filter";
        findings.forbidden(files_path, detail);
    }
    match (files, backend) {
        (Some(files), _) => Action::Files(static_files::static_files(findings, files_path, files)),
        (None, Some(backend)) => Action::Forward(backend),
        (None, None) => {
            if !redirects {
                let detail = "or `staticFiles`, or a RequestRedirect filter";
                findings.required(refs_path, detail);
            }
            Action::Redirect
        }
    }
}

/// The position of a backend by name.
pub(super) fn backend<'a>(
    findings: &mut Findings,
    path: &Path,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<BackendIndex> {
    if name.is_empty() {
        findings.required(path, "");
        return None;
    }
    let position = known.clone().position(|known| known == name);
    if position.is_none() {
        findings.not_among(path, name, known);
    }
    position
}

fn timeouts(findings: &mut Findings, path: &Path, document: &document::Rule) -> RuleTimeouts {
    let given = document.timeouts.clone().unwrap_or_default();
    let (request, backend_request) = (limit(given.request), limit(given.backend_request));
    if request.is_some_and(|request| backend_request.is_some_and(|it| it > request)) {
        let shown = given.backend_request.unwrap_or_default().to_string();
        let detail = "backendRequest timeout cannot be longer than request timeout";
        findings.invalid(&path.child("backendRequest"), shown, detail);
    }
    RuleTimeouts {
        request,
        backend_request,
        response_head: limit(given.response_head),
        idle: limit(given.idle),
    }
}

fn upgrades(findings: &mut Findings, path: &Path, document: &document::Rule) -> Vec<String> {
    let names = document.upgrades.clone().unwrap_or_default();
    let mut upgrades: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = &path.index(index);
        let lower = name.to_ascii_lowercase();
        if !process::is_protocol(name) {
            let detail = "must be the name of a protocol, as `websocket`";
            findings.invalid(path, name, detail);
        } else if ["h2c", "http/2.0", "http/1.1", "tls/1.2", "tls/1.3"].contains(&lower.as_str()) {
            let detail = "is no change of protocol that a proxy can pass on";
            findings.invalid(path, name, detail);
        } else if upgrades.contains(&lower) {
            findings.duplicate(path, name);
        }
        upgrades.push(lower);
    }
    upgrades
}

pub(super) fn error_pages(
    findings: &mut Findings,
    path: &Path,
    documents: &[document::ErrorPage],
) -> Vec<ErrorPage> {
    let documents = documents.iter().enumerate();
    documents
        .map(|(index, document)| {
            let path = &path.index(index);
            let statuses_path = &path.child("statuses");
            if document.statuses.is_empty() {
                findings.required(statuses_path, "as [404, 5xx]");
            }
            ErrorPage {
                statuses: process::statuses(findings, statuses_path, &document.statuses, 400),
                file: file(findings, &path.child("file"), &document.file),
                intercept: document.intercept.unwrap_or(false),
            }
        })
        .collect()
}

/// What a rule for bytes may not have.
pub(super) fn check_stream(findings: &mut Findings, path: &Path, document: &document::Rule) {
    let any = document.matches.iter().all(|matches| {
        let path = matches.path.clone().unwrap_or_default();
        let everything =
            path.type_ == Some(PathMatchType::PathPrefix) && path.value.as_deref() == Some("/");
        everything
            && matches.headers.is_empty()
            && matches.query_params.is_empty()
            && matches.method.is_none()
    });
    for (field, given) in [
        ("matches", !any),
        ("filters", !document.filters.is_empty()),
        ("staticFiles", document.static_files.is_some()),
        ("errorPages", !document.error_pages.is_empty()),
        ("requestBody", document.request_body.is_some()),
    ] {
        if given {
            let detail = "only for routes of HTTP and HTTPS listeners: bytes have no requests";
            findings.forbidden(&path.child(field), detail);
        }
    }
}
