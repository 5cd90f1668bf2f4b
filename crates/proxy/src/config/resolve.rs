//! From a completed document to what the proxy works by, finding everything that is wrong on the way.
//!
//! One pass does both, so that nothing is parsed twice and nothing is judged otherwise than it is used. Messages are worded
//! as the API server words them, rules of the Gateway API as its CRDs do. A value that is wrong is replaced by a
//! harmless one; with any finding the result is thrown away.

mod backend;
mod filter;
mod listener;
mod matches;
mod process;
mod route;
mod rule;
mod static_files;

use std::time::Duration;

use manifest::{Findings, Path, Quantity};

use super::document;
use super::model::Config;

/// Where the route of a document came from: its position among all routes is that of its place.
#[derive(Debug)]
pub(super) struct RoutePlace {
    /// Which document.
    pub(super) part: usize,
    /// The route in it.
    pub(super) path: Path,
    /// Its name in it.
    pub(super) name: Path,
}

/// Findings of one document.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) errors: Findings,
    pub(super) warnings: Findings,
}

/// Makes a configuration. `judged[0]` is the document itself, the others are those that routes were taken from.
pub(super) fn resolve(
    document: document::Proxy,
    places: &[RoutePlace],
    judged: &mut [Judgement],
) -> Config {
    let root = Path::root();
    let proxy = &mut judged[0];
    if document.api_version.is_empty() {
        proxy.errors.required(&root.child("apiVersion"), "");
    }
    let (listeners, sockets) = listener::listeners(
        &mut proxy.errors,
        &root.child("listeners"),
        &document.listeners,
    );
    let backends = backend::backends(
        &mut proxy.errors,
        &root.child("backends"),
        &document.backends,
    );
    let error_pages = rule::error_pages(
        &mut proxy.errors,
        &root.child("errorPages"),
        &document.error_pages,
    );
    let process = process::process(&mut proxy.errors, &document, &sockets);
    let routes = route::Routes {
        listeners: &listeners,
        backends: &backends,
        error_pages: &error_pages,
        request_body: process.request_body,
    };
    let routes = routes.resolve(&document, places, judged);
    route::unreached(&mut judged[0].warnings, &listeners, &routes);
    Config {
        listeners,
        sockets,
        backends,
        routes,
        error_pages,
        lifecycle: process.lifecycle,
        telemetry: process.telemetry,
        limits: process.limits,
        document,
    }
}

/// A limit of time: zero is none.
fn limit(duration: Option<manifest::Duration>) -> Option<Duration> {
    duration
        .filter(|duration| !duration.is_zero())
        .map(manifest::Duration::get)
}

/// A duration, zero when absent.
fn duration(duration: Option<manifest::Duration>) -> Duration {
    duration.unwrap_or_default().get()
}

/// A number in a range.
fn number(
    findings: &mut Findings,
    path: &Path,
    value: Option<i32>,
    least: i32,
    most: i32,
) -> usize {
    let value = value.unwrap_or(least);
    if !(least..=most).contains(&value) {
        let fault = format!("must be between {least} and {most}, inclusive");
        findings.invalid(path, value, fault);
    }
    usize::try_from(value).unwrap_or(0)
}

/// A number of bytes.
fn bytes(findings: &mut Findings, path: &Path, value: Option<Quantity>) -> u64 {
    let value = value.unwrap_or_default();
    if value.is_negative() {
        findings.invalid(path, value, "must be greater than or equal to 0");
    } else if !value.is_whole() {
        findings.invalid(path, value, "must be a whole number of bytes");
    }
    value.to_bytes()
}

/// A file that must be named; whether it is there is found out at start.
fn file(findings: &mut Findings, path: &Path, name: &str) -> std::path::PathBuf {
    if name.is_empty() {
        findings.required(path, "");
    } else if name.contains('\0') {
        findings.invalid(path, name, "must not contain a NUL");
    }
    name.into()
}

/// A list of files, at least one.
fn files(findings: &mut Findings, path: &Path, names: &[String]) -> Vec<std::path::PathBuf> {
    if names.is_empty() {
        findings.required(path, "");
    }
    let names = names.iter().enumerate();
    names
        .map(|(index, name)| file(findings, &path.index(index), name))
        .collect()
}

/// A name that must be given, in the form of DNS names, and be unique.
fn name<'a>(
    findings: &mut Findings,
    path: &Path,
    name: &'a str,
    seen: &mut std::collections::HashSet<&'a str>,
) {
    if name.is_empty() {
        findings.required(path, "");
        return;
    }
    let faults = manifest::names::subdomain(name);
    if faults.is_empty() && !seen.insert(name) {
        findings.duplicate(path, name);
    }
    findings.invalid_all(path, name, faults);
}

/// A host name without a wildcard, or an address.
fn host(findings: &mut Findings, path: &Path, name: &str) {
    if name.parse::<std::net::IpAddr>().is_err() {
        findings.invalid_all(path, name, manifest::names::subdomain(name));
    }
}

/// Whether a text is an HTTP token (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    let other = b"!#$%&'*+-.^_`|~";
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || other.contains(&byte))
}

/// Whether a text can be the value of a header field: visible ASCII, with blanks and tabs between.
fn is_field_value(text: &str) -> bool {
    text.trim_matches([' ', '\t']) == text
        && text
            .bytes()
            .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
