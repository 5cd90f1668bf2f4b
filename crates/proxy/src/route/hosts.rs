//! Values by host, the most specific first.

use std::collections::HashMap;

use crate::config::HostPattern;

/// Values by host pattern.
#[derive(Debug)]
pub(super) struct Hosts<T> {
    exact: HashMap<String, T>,
    /// By their ends, as `.example.com`.
    wildcards: HashMap<String, T>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Hosts {
            exact: HashMap::new(),
            wildcards: HashMap::new(),
            any: None,
        }
    }
}

impl<T: Default> Hosts<T> {
    /// The value of a pattern; `None` is any host.
    pub(super) fn at(&mut self, host: Option<&HostPattern>) -> &mut T {
        match host {
            Some(HostPattern::Exact(name)) => self.exact.entry(name.clone()).or_default(),
            Some(HostPattern::Wildcard(end)) => self.wildcards.entry(end.clone()).or_default(),
            None => self.any.get_or_insert_default(),
        }
    }
}

impl<T> Hosts<T> {
    pub(super) fn for_each(&mut self, change: impl FnMut(&mut T)) {
        let values = self.exact.values_mut().chain(self.wildcards.values_mut());
        values.chain(&mut self.any).for_each(change);
    }

    /// The value of the most specific pattern that takes a host in lower case.
    pub(super) fn most_specific(&self, host: &str) -> Option<&T> {
        self.by_specificity(host).next()
    }

    /// The values of all patterns that take a host in lower case, the most specific first.
    pub(super) fn by_specificity<'t, 'h>(
        &'t self,
        host: &'h str,
    ) -> impl Iterator<Item = &'t T> + use<'t, 'h, T> {
        let exact = (!self.exact.is_empty())
            .then(|| self.exact.get(host))
            .flatten();
        let ends = host.match_indices('.').filter(|(at, _)| *at > 0);
        let ends = ends.take(if self.wildcards.is_empty() {
            0
        } else {
            usize::MAX
        });
        let wildcards = ends.filter_map(move |(at, _)| self.wildcards.get(&host[at..]));
        exact.into_iter().chain(wildcards).chain(&self.any)
    }
}
