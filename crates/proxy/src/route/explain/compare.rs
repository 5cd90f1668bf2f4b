//! Comparing one by one what the table compares by look-up, with words for it.

use std::cmp::Reverse;

use super::{Match, Request};
use crate::config::{PathMatch, RouteMatch, ValueMatch};

/// The precedence of an alternative that matches; the smallest is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    host: Reverse<(bool, usize)>,
    /// Exact, expression, prefix.
    path: u8,
    length: Reverse<usize>,
    no_method: bool,
    headers: Reverse<usize>,
    query_params: Reverse<usize>,
    order: (usize, usize, usize),
}

impl Key {
    pub(super) fn new(host: (bool, usize), matches: &RouteMatch, found: Match) -> Self {
        let (path, length) = match &matches.path {
            PathMatch::Exact(_) => (0, 0),
            PathMatch::Regex(_) => (1, 0),
            PathMatch::Prefix { prefix, .. } => (2, prefix.len()),
        };
        Key {
            host: Reverse(host),
            path,
            length: Reverse(length),
            no_method: matches.method.is_none(),
            headers: Reverse(matches.headers.len()),
            query_params: Reverse(matches.query_params.len()),
            order: (found.route, found.rule, found.alternative),
        }
    }

    /// Why this one, called `name`, is taken before another.
    pub(super) fn precedes(&self, other: &Key, name: &str) -> String {
        let why = if self.host != other.host {
            "has a more specific host"
        } else if self.path != other.path {
            match self.path {
                0 => "has the exact path",
                _ => "has an expression, which precedes prefixes",
            }
        } else if self.length != other.length {
            "has a longer prefix"
        } else if self.no_method != other.no_method {
            "has a method"
        } else if self.headers != other.headers {
            "has more header matches"
        } else if self.query_params != other.query_params {
            "has more query matches"
        } else {
            "stands before it"
        };
        format!("{name} {why}")
    }
}

/// Why a request does not match, if so.
pub(super) fn mismatch(matches: &RouteMatch, request: &Request<'_>) -> Option<String> {
    let path = request.path();
    match &matches.path {
        PathMatch::Exact(expected) if expected != path => {
            return Some(format!("the path {path:?} is not {expected:?}"));
        }
        PathMatch::Regex(pattern) if !pattern.matches(path) => {
            return Some(format!(
                "the path {path:?} is not of the form {:?}",
                pattern.as_str()
            ));
        }
        PathMatch::Prefix { written, prefix } if !begins_with(path, prefix) => {
            return Some(format!(
                "the path {path:?} does not begin with the elements of {written:?}"
            ));
        }
        _ => {}
    }
    if let Some(method) = matches.method
        && method.as_str() != request.method()
    {
        return Some(format!("the method {} is not {method}", request.method()));
    }
    for (name, expected) in &matches.headers {
        if !request.has_header(name, expected) {
            let found = request.header(name);
            return Some(differs("header", name, found.as_deref(), expected));
        }
    }
    for (name, expected) in &matches.query_params {
        if !request.has_query_param(name, expected) {
            let found = request.query_param(name);
            return Some(differs("query parameter", name, found.as_deref(), expected));
        }
    }
    None
}

/// Element by element, otherwise than the table does it.
fn begins_with(path: &str, prefix: &str) -> bool {
    let mut elements = path.split('/');
    prefix
        .split('/')
        .all(|expected| elements.next() == Some(expected))
}

fn differs(what: &str, name: &str, found: Option<&[u8]>, expected: &ValueMatch) -> String {
    let expected = match expected {
        ValueMatch::Exact(text) => format!("{text:?}"),
        ValueMatch::Regex(pattern) => format!("of the form {:?}", pattern.as_str()),
    };
    match found {
        None => format!("the {what} {name:?} is missing"),
        Some(found) => {
            let found = String::from_utf8_lossy(found);
            format!("the {what} {name:?} is {found:?}, not {expected}")
        }
    }
}

/// What of an alternative decided.
pub(super) fn because(matches: &RouteMatch) -> String {
    let mut parts = vec![match &matches.path {
        PathMatch::Exact(path) => format!("the path is {path:?}"),
        PathMatch::Regex(pattern) => format!("the path is of the form {:?}", pattern.as_str()),
        PathMatch::Prefix { written, .. } => format!("the path begins with {written:?}"),
    }];
    if let Some(method) = matches.method {
        parts.push(format!("the method is {method}"));
    }
    let headers = matches
        .headers
        .iter()
        .map(|(name, _)| format!("the header {name:?} fits"));
    parts.extend(headers);
    let parameters = matches.query_params.iter();
    parts.extend(parameters.map(|(name, _)| format!("the query parameter {name:?} fits")));
    parts.join(", ")
}
