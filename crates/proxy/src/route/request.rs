//! What routes see of a request.

use std::borrow::Cow;

use crate::config::ValueMatch;
use crate::message::{Headers, RequestHead, TargetForm};
use crate::path::{self, Normal, PathFault};

/// What routes see of a request.
#[derive(Debug)]
pub struct Request<'a> {
    method: &'a str,
    host: Cow<'a, str>,
    path: Option<Normal<'a>>,
    query: Option<&'a [u8]>,
    headers: &'a Headers,
}

impl<'a> Request<'a> {
    /// Takes what is needed from a head. A request without a path (CONNECT, `OPTIONS *`) is compared as `/`.
    ///
    /// # Errors
    /// A path that has no form that everybody reads alike.
    pub fn new(head: &'a RequestHead) -> Result<Self, PathFault> {
        let pathless = matches!(head.form(), TargetForm::Authority | TargetForm::Asterisk)
            || head.path() == b"*";
        Ok(Request {
            method: head.method(),
            host: host_of(head.authority().unwrap_or(b"")),
            path: if pathless {
                None
            } else {
                Some(path::normalize(head.path())?)
            },
            query: head.query(),
            headers: head.headers(),
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// The host in lower case, without port and without a dot at its end.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path that is compared.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_ref().map_or("/", Normal::matching)
    }

    /// The path in all its forms; `None` where the target has none.
    #[must_use]
    pub fn normal(&self) -> Option<&Normal<'a>> {
        self.path.as_ref()
    }

    /// The query, as it came.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.query
    }

    pub(super) fn second_reading(&self) -> Option<&str> {
        self.path.as_ref().and_then(Normal::second_reading)
    }

    /// The value of a header field; several of the name are joined by commas (RFC 9110, 5.3).
    pub(super) fn header(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        let fields = self.headers.iter();
        let mut values = fields
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value);
        let first = values.next()?;
        let Some(second) = values.next() else {
            return Some(Cow::Borrowed(first));
        };
        let mut joined = first.to_vec();
        for value in std::iter::once(second).chain(values) {
            joined.push(b',');
            joined.extend_from_slice(value);
        }
        Some(Cow::Owned(joined))
    }

    pub(super) fn has_header(&self, name: &str, expected: &ValueMatch) -> bool {
        self.header(name)
            .is_some_and(|value| fits(expected, &value))
    }

    /// The first value of a parameter of the query, decoded.
    pub(super) fn query_param(&self, name: &str) -> Option<Vec<u8>> {
        let mut pairs = self.query?.split(|byte| *byte == b'&');
        pairs.find_map(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (key, value) = (parts.next()?, parts.next().unwrap_or(b""));
            (form_decoded(key) == name.as_bytes()).then(|| form_decoded(value).into_owned())
        })
    }

    pub(super) fn has_query_param(&self, name: &str, expected: &ValueMatch) -> bool {
        self.query_param(name)
            .is_some_and(|value| fits(expected, &value))
    }
}

fn fits(expected: &ValueMatch, value: &[u8]) -> bool {
    match expected {
        ValueMatch::Exact(text) => text.as_bytes() == value,
        ValueMatch::Regex(pattern) => {
            std::str::from_utf8(value).is_ok_and(|text| pattern.matches(text))
        }
    }
}

/// The host of an authority: in lower case, without port and without a dot at its end, so that one name is not two.
#[must_use]
pub fn host_of(authority: &[u8]) -> Cow<'_, str> {
    let Ok(text) = std::str::from_utf8(authority) else {
        return Cow::Borrowed("");
    };
    let host = match text.rfind(':') {
        // A colon within brackets belongs to an IPv6 address.
        Some(colon) if !text[colon..].contains(']') => &text[..colon],
        _ => text,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// A name or value of a query as forms write them: `+` is a blank, `%XX` a byte; what is no escape stays.
fn form_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let escaped = (text[at] == b'%')
            .then(|| path::escape(&text[at + 1..]))
            .flatten();
        decoded.push(match (escaped, text[at]) {
            (Some(byte), _) => {
                at += 2;
                byte
            }
            (None, b'+') => b' ',
            (None, byte) => byte,
        });
        at += 1;
    }
    Cow::Owned(decoded)
}
