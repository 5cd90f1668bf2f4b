//! Entries by path.

use std::collections::HashMap;

use super::{Entry, Request};
use crate::config::{PathMatch, Pattern};

/// Entries of one host by path.
#[derive(Debug, Default)]
pub(super) struct Paths {
    exact: HashMap<String, Vec<Entry>>,
    expressions: Vec<(Pattern, Entry)>,
    /// By prefix without a slash at its end.
    prefixes: HashMap<String, Vec<Entry>>,
    /// Lengths of the prefixes, the greatest first.
    lengths: Vec<usize>,
}

impl Paths {
    pub(super) fn insert(&mut self, path: &PathMatch, entry: Entry) {
        match path {
            PathMatch::Exact(path) => self.exact.entry(path.clone()).or_default().push(entry),
            PathMatch::Regex(pattern) => self.expressions.push((pattern.clone(), entry)),
            PathMatch::Prefix { prefix, .. } => {
                if !self.lengths.contains(&prefix.len()) {
                    self.lengths.push(prefix.len());
                }
                self.prefixes.entry(prefix.clone()).or_default().push(entry);
            }
        }
    }

    /// Brings all into the order in which they are tried.
    pub(super) fn sort(&mut self) {
        for entries in self.exact.values_mut().chain(self.prefixes.values_mut()) {
            entries.sort_by_key(Entry::precedence);
        }
        self.expressions
            .sort_by_key(|(_, entry)| entry.precedence());
        self.lengths.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The entry that a request takes by this reading of its path.
    pub(super) fn find(&self, request: &Request<'_>, path: &str) -> Option<&Entry> {
        let first = |entries: &'_ Vec<Entry>| -> Option<usize> {
            entries.iter().position(|entry| entry.takes(request))
        };
        if !self.exact.is_empty()
            && let Some(entries) = self.exact.get(path)
            && let Some(position) = first(entries)
        {
            return entries.get(position);
        }
        let mut expressions = self.expressions.iter();
        if let Some((_, entry)) =
            expressions.find(|(pattern, entry)| entry.takes(request) && pattern.matches(path))
        {
            return Some(entry);
        }
        self.lengths.iter().find_map(|length| {
            let whole = path.len() == *length || path.as_bytes().get(*length) == Some(&b'/');
            let prefix = path.get(..*length).filter(|_| whole)?;
            let entries = self.prefixes.get(prefix)?;
            entries.get(first(entries)?)
        })
    }

    /// The entry for bytes, which have no path: there is one.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.prefixes.values().flatten().next()
    }
}
