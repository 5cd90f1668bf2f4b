//! RequestRedirect, and the slash behind a bare prefix.

use super::rewrite::replaced;
use super::{Client, prefix_elements};
use crate::config::{PathMatch, RequestRedirect};
use crate::route::{Request, host_of};

/// A redirection as the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The status.
    pub status: u16,
    /// `Location`.
    pub location: String,
}

/// What a filter makes of a request. Without a port of its own it keeps the one that the client used, as far as it
/// keeps the scheme: behind a published port the listener's is none that the client could reach.
pub(super) fn redirect(
    filter: &RequestRedirect,
    matched: Option<&PathMatch>,
    request: &Request<'_>,
    client: &Client,
) -> Redirect {
    let path = match (&filter.path, request.normal()) {
        (Some(modifier), Some(normal)) => replaced(modifier, matched, normal),
        (None, Some(normal)) => normal.forward().to_owned(),
        (_, None) => "/".to_owned(),
    };
    let scheme = filter
        .scheme
        .map_or(client.scheme, |scheme| scheme.as_str());
    let own = host_of(&client.authority);
    let host = filter.hostname.as_deref().unwrap_or(&own);
    let mut location = String::new();
    // Without Host (HTTP/1.0) a path is all that can be said.
    if !host.is_empty() {
        location = format!("{scheme}://{}", bracketed(host));
        let used = filter.scheme.is_none().then(|| client.port()).flatten();
        let port = filter.port.or(used);
        if let Some(port) = port.filter(|port| *port != default_port(scheme)) {
            location.push_str(&format!(":{port}"));
        }
    }
    location.push_str(&path);
    push_query(request, &mut location);
    Redirect {
        status: filter.status,
        location,
    }
}

/// The prefix alone, without the slash at its end, is sent to the one with it, as nginx does for a location that ends
/// with one: links relative to it would lead elsewhere. The method stays.
pub(super) fn to_slash(matched: Option<&PathMatch>, request: &Request<'_>) -> Option<Redirect> {
    let Some(PathMatch::Prefix { written, .. }) = matched else {
        return None;
    };
    let normal = request.normal()?;
    if !written.ends_with('/') || !normal.behind(prefix_elements(matched)).is_empty() {
        return None;
    }
    // A normal path has no `//`, so this cannot be read as another host.
    let mut location = format!("{}/", normal.forward());
    push_query(request, &mut location);
    let safe = matches!(request.method(), "GET" | "HEAD");
    Some(Redirect {
        status: if safe { 301 } else { 308 },
        location,
    })
}

fn push_query(request: &Request<'_>, location: &mut String) {
    if let Some(query) = request.query() {
        location.push('?');
        for byte in query {
            match byte {
                b'!'..=b'~' => location.push(char::from(*byte)),
                byte => location.push_str(&format!("%{byte:02X}")),
            }
        }
    }
}

pub(super) fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// A bare IPv6 address gets its brackets.
fn bracketed(host: &str) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    }
}
