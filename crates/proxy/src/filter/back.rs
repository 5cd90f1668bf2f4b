//! The prefix that a backend does not see, given back in what it says: `Location`, `Content-Location`, `Refresh` and
//! the paths of cookies.
//!
//! Taken for the backend's own are paths, and URLs whose authority is the one it was sent as `Host` or the address it
//! listens on; other URLs are nobody's business. What lies below the public prefix already comes from an app that has read
//! `X-Forwarded-Prefix`, and stays.

use crate::config::{PathMatch, PathModifier, UrlRewrite};
use crate::message::Headers;
use crate::path::Normal;

use super::{Client, public_prefix};

/// How to give a prefix back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// What stands before the path in public, without a slash at its end; empty for the root.
    prefix: String,
    /// What the backend sees in its place, in the same form.
    replacement: String,
    /// Authorities that mean the backend.
    own: Vec<String>,
    /// Scheme and authority in public.
    scheme: &'static str,
    authority: String,
}

impl Back {
    pub(super) fn new(
        rewrite: &UrlRewrite,
        modifier: &PathModifier,
        matched: Option<&PathMatch>,
        normal: &Normal<'_>,
        client: &Client,
        endpoint: Option<&str>,
    ) -> Self {
        let replacement = match modifier {
            PathModifier::ReplacePrefixMatch(replacement)
            | PathModifier::ReplaceFullPath(replacement) => replacement.trim_end_matches('/'),
        };
        let authority = String::from_utf8_lossy(&client.authority).into_owned();
        let sent = rewrite.hostname.as_ref().unwrap_or(&authority).clone();
        let own = std::iter::once(sent).chain(endpoint.map(str::to_owned));
        Back {
            prefix: public_prefix(matched, normal).to_owned(),
            replacement: replacement.to_owned(),
            own: own.filter(|own| !own.is_empty()).collect(),
            scheme: client.scheme,
            authority,
        }
    }

    /// The public prefix, without a slash at its end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Edits the head of a response.
    pub(super) fn respond(&self, headers: &mut Headers) {
        for name in ["Location", "Content-Location"] {
            let value = headers.get(name).and_then(text);
            if let Some(url) = value.and_then(|value| self.url(value)) {
                let _ = headers.set(name, url.as_bytes());
            }
        }
        let refresh = headers.get("Refresh").and_then(text);
        if let Some(value) = refresh.and_then(|value| self.refresh(value)) {
            let _ = headers.set("Refresh", value.as_bytes());
        }
        self.cookies(headers);
    }

    /// A URL, when it is one of the backend's that has to change.
    fn url(&self, url: &str) -> Option<String> {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                (Some(scheme), Some(rest))
            }
            _ => (None, url.strip_prefix("//")),
        };
        let Some(rest) = rest else {
            return self.path(url);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !self
            .own
            .iter()
            .any(|own| own.eq_ignore_ascii_case(authority))
        {
            return None;
        }
        let with_slash = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        let path = self.path(&with_slash).unwrap_or(with_slash);
        // The backend is spoken to in the clear and may not know that the client is not; what it says is encrypted
        // it means to be.
        let scheme = match scheme {
            Some(scheme) if !scheme.eq_ignore_ascii_case("http") => format!("{scheme}:"),
            Some(_) => format!("{}:", self.scheme),
            None => String::new(),
        };
        let authority = if self.authority.is_empty() {
            authority
        } else {
            &self.authority
        };
        Some(format!("{scheme}//{authority}{path}"))
    }

    /// A path with whatever follows it, when it lies below what the backend sees.
    fn path(&self, path: &str) -> Option<String> {
        let end = path.find(['?', '#']).unwrap_or(path.len());
        let (name, query) = path.split_at(end);
        if !name.starts_with('/') || !is_below(name, &self.replacement) {
            return None;
        }
        let told = !self.prefix.is_empty() && is_below(name, &self.prefix);
        if told && !is_below(&self.replacement, &self.prefix) {
            return None;
        }
        let rest = &name[self.replacement.len()..];
        let slash = if self.prefix.is_empty() && rest.is_empty() {
            "/"
        } else {
            ""
        };
        Some(format!("{}{rest}{slash}{query}", self.prefix))
    }

    /// `5; url=/path`, the URL perhaps in quotes.
    fn refresh(&self, value: &str) -> Option<String> {
        let at = value.to_ascii_lowercase().find("url=")? + "url=".len();
        let (before, url) = value.split_at(at);
        let quote = url.chars().next().filter(|c| matches!(c, '"' | '\''));
        match quote {
            None => Some(format!("{before}{}", self.url(url)?)),
            Some(quote) => {
                let inner = &url[1..];
                let (inner, behind) = inner.split_at(inner.find(quote).unwrap_or(inner.len()));
                Some(format!("{before}{quote}{}{behind}", self.url(inner)?))
            }
        }
    }

    fn cookies(&self, headers: &mut Headers) {
        let change = |value: &[u8]| text(value).and_then(|value| self.cookie(value));
        let changed = headers
            .get_all("Set-Cookie")
            .any(|value| change(value).is_some());
        if !changed {
            return;
        }
        let cookies: Vec<Vec<u8>> = headers
            .get_all("Set-Cookie")
            .map(|value| change(value).map_or_else(|| value.to_vec(), String::into_bytes))
            .collect();
        headers.remove("Set-Cookie");
        for cookie in cookies {
            headers.append_parsed(b"Set-Cookie", &cookie);
        }
    }

    /// A cookie with the path it has in public. `__Host-` cookies are for all of a host, or for nothing.
    fn cookie(&self, cookie: &str) -> Option<String> {
        if cookie.trim_start().starts_with("__Host-") {
            return None;
        }
        let mut changed = false;
        let attributes: Vec<String> = cookie
            .split(';')
            .enumerate()
            .map(|(position, attribute)| {
                let path = attribute
                    .split_once('=')
                    .filter(|(name, _)| position > 0 && name.trim().eq_ignore_ascii_case("path"));
                let public = path.and_then(|(name, path)| Some((name, self.path(path.trim())?)));
                match public {
                    Some((name, path)) => {
                        changed = true;
                        // A cookie for `/a` is for everything below as well, and for `/a` itself.
                        let path = match path.strip_suffix('/') {
                            Some(bare) if !bare.is_empty() => bare.to_owned(),
                            _ => path,
                        };
                        format!("{name}={path}")
                    }
                    None => attribute.to_owned(),
                }
            })
            .collect();
        changed.then(|| attributes.join(";"))
    }
}

/// Whether a path is a prefix or lies below it, by element.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}
