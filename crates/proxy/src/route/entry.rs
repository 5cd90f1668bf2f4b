//! One alternative of a rule, without its path: what is compared once the path fits.

use std::cmp::Reverse;

use super::{Match, Request};
use crate::config::{ListenerIndex, Method, RouteMatch, ValueMatch};

/// One alternative of a rule.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) route: usize,
    pub(super) rule: usize,
    alternative: usize,
    method: Option<Method>,
    headers: Vec<(String, ValueMatch)>,
    query_params: Vec<(String, ValueMatch)>,
}

impl Entry {
    pub(super) fn new(route: usize, rule: usize, alternative: usize, matches: &RouteMatch) -> Self {
        Entry {
            route,
            rule,
            alternative,
            method: matches.method,
            headers: matches.headers.clone(),
            query_params: matches.query_params.clone(),
        }
    }

    /// What decides between entries with the same path: the smallest comes first.
    pub(super) fn precedence(&self) -> impl Ord + use<> {
        (
            self.method.is_none(),
            Reverse(self.headers.len()),
            Reverse(self.query_params.len()),
            (self.route, self.rule, self.alternative),
        )
    }

    /// Whether a request has all but the path.
    pub(super) fn takes(&self, request: &Request<'_>) -> bool {
        self.method
            .is_none_or(|method| method.as_str() == request.method())
            && self
                .headers
                .iter()
                .all(|(name, value)| request.has_header(name, value))
            && self
                .query_params
                .iter()
                .all(|(name, value)| request.has_query_param(name, value))
    }

    pub(super) fn at(&self, listener: ListenerIndex) -> Match {
        Match {
            listener,
            route: self.route,
            rule: self.rule,
            alternative: self.alternative,
        }
    }
}
