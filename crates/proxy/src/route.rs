//! Which rule a request takes: the Gateway API's precedence, compiled for look-ups that do not grow with the number of routes.
//!
//! In this order, going on where it is equal: the more specific host (exact, then longer wildcards, then any); path Exact,
//! then RegularExpression, then PathPrefix by length; a method; more header matches; more query matches; the order of the
//! documents. Where expressions stand is for implementations to say; before prefixes, as `/` would hide all of them
//! otherwise. A rule whose host is more specific but which does not match leaves the request to the others.
//!
//! Listeners are apart: a request belongs to the one listener of its socket whose hostname is the most specific, and only
//! routes of that one count. On a connection with TLS the listener was chosen by SNI, and a request for a host of
//! another one is [misdirected](NoMatch::Misdirected), so that nobody gets around the client certificates that the
//! other asks for (GEP-3567).

mod entry;
pub mod explain;
mod hosts;
mod paths;
mod request;

use crate::config::{Config, HostPattern, ListenerIndex, SocketKind};
use crate::path::PathFault;
use crate::reason::Reason;

use entry::Entry;
use hosts::Hosts;
use paths::Paths;

pub use request::{Request, host_of};

/// The rule that a request takes: positions in the [`Config`] that the table was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The listener.
    pub listener: ListenerIndex,
    /// The route.
    pub route: usize,
    /// The rule in it.
    pub rule: usize,
    /// The first alternative of the rule that decides: the one with the highest precedence.
    pub alternative: usize,
}

/// Why a request takes no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMatch {
    /// No listener of the socket takes the host.
    #[error("no listener takes this host")]
    Host,
    /// The connection was made to another host's listener.
    #[error("the connection belongs to another listener than this host")]
    Misdirected,
    /// No rule matches.
    #[error("no rule matches")]
    Rule,
    /// Which rule it takes depends on whether escaped slashes are slashes.
    #[error("escaped slashes in the path decide about the rule")]
    Ambiguous,
    /// The path has no form that everybody reads alike.
    #[error(transparent)]
    Path(#[from] PathFault),
}

impl NoMatch {
    /// What is answered and logged.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            NoMatch::Host | NoMatch::Rule => Reason::NoRoute,
            NoMatch::Misdirected => Reason::Misdirected,
            NoMatch::Ambiguous | NoMatch::Path(_) => Reason::AmbiguousPath,
        }
    }
}

/// All routes of a configuration, compiled.
#[derive(Debug)]
pub struct Table {
    sockets: Vec<Socket>,
    listeners: Vec<Hosts<Paths>>,
}

#[derive(Debug)]
struct Socket {
    /// The listener when there is one for all hosts.
    only: Option<ListenerIndex>,
    listeners: Hosts<ListenerIndex>,
    kind: SocketKind,
}

impl Table {
    /// Compiles the routes of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let sockets = config.sockets.iter().map(|socket| {
            let mut listeners = Hosts::default();
            for index in &socket.listeners {
                let hostname = config.listeners[*index].hostname.as_ref();
                *listeners.at(hostname) = *index;
            }
            let only = match socket.listeners.as_slice() {
                [one] if config.listeners[*one].hostname.is_none() => Some(*one),
                _ => None,
            };
            Socket {
                only,
                listeners,
                kind: socket.kind,
            }
        });
        let listeners = (0..config.listeners.len()).map(|index| compile(config, index));
        Table {
            sockets: sockets.collect(),
            listeners: listeners.collect(),
        }
    }

    /// The listener of a socket that takes a host: for TLS the name in the ClientHello, `None` when it has none.
    #[must_use]
    pub fn listener(&self, socket: usize, host: Option<&str>) -> Option<ListenerIndex> {
        let socket = self.sockets.get(socket)?;
        socket
            .only
            .or_else(|| socket.listeners.most_specific(host.unwrap_or("")).copied())
    }

    /// The rule that a request takes. `connection` is the listener that the connection was made to, where TLS chose one.
    ///
    /// # Errors
    /// Why it takes none.
    pub fn find(
        &self,
        socket: usize,
        connection: Option<ListenerIndex>,
        request: &Request<'_>,
    ) -> Result<Match, NoMatch> {
        let listener = self
            .listener(socket, Some(request.host()))
            .ok_or(NoMatch::Host)?;
        let tls = self
            .sockets
            .get(socket)
            .is_some_and(|socket| socket.kind == SocketKind::Tls);
        if tls && connection.is_some_and(|connection| connection != listener) {
            return Err(NoMatch::Misdirected);
        }
        let found = self.matching(listener, request, request.path());
        if let Some(second) = request.second_reading() {
            let other = self.matching(listener, request, second);
            let rule = |found: Option<&Entry>| found.map(|found| (found.route, found.rule));
            if rule(found) != rule(other) {
                return Err(NoMatch::Ambiguous);
            }
        }
        let found = found.ok_or(NoMatch::Rule)?;
        Ok(found.at(listener))
    }

    fn matching(
        &self,
        listener: ListenerIndex,
        request: &Request<'_>,
        path: &str,
    ) -> Option<&Entry> {
        let hosts = self.listeners.get(listener)?;
        hosts
            .by_specificity(request.host())
            .find_map(|paths| paths.find(request, path))
    }

    /// The rule for a connection of bytes, by the name in its ClientHello if it has one.
    #[must_use]
    pub fn stream(&self, listener: ListenerIndex, name: Option<&str>) -> Option<Match> {
        let hosts = self.listeners.get(listener)?;
        hosts
            .by_specificity(name.unwrap_or(""))
            .find_map(Paths::first)
            .map(|found| found.at(listener))
    }
}

/// The routes of a listener by the hosts for which both count.
fn compile(config: &Config, listener: ListenerIndex) -> Hosts<Paths> {
    let mut hosts: Hosts<Paths> = Hosts::default();
    let own = config.listeners[listener].hostname.as_ref();
    let routes = config.routes.iter().enumerate();
    for (position, route) in routes.filter(|(_, route)| route.listeners.contains(&listener)) {
        for host in effective_hosts(own, &route.hostnames) {
            let paths = hosts.at(host.as_ref());
            for (rule_position, rule) in route.rules.iter().enumerate() {
                for (alternative, matches) in rule.matches.iter().enumerate() {
                    let entry = Entry::new(position, rule_position, alternative, matches);
                    paths.insert(&matches.path, entry);
                }
            }
        }
    }
    hosts.for_each(Paths::sort);
    hosts
}

/// The hosts of a route on a listener; `None` for any. Each once.
fn effective_hosts(
    listener: Option<&HostPattern>,
    route: &[HostPattern],
) -> Vec<Option<HostPattern>> {
    if route.is_empty() {
        return vec![listener.cloned()];
    }
    let mut hosts = Vec::new();
    for host in route {
        let host = match listener {
            None => Some(host.clone()),
            Some(listener) => listener.intersection(host),
        };
        if host.is_some() && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
