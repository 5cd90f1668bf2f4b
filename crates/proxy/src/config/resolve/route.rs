//! Routes: which listeners and hosts they are for.

use std::collections::HashSet;

use manifest::{Finding, Findings, Path};

use super::listener::host_pattern;
use super::{Judgement, RoutePlace, rule};
use crate::config::HostPattern;
use crate::config::document;
use crate::config::model::*;

/// What routes refer to.
pub(super) struct Routes<'a> {
    pub(super) listeners: &'a [Listener],
    pub(super) backends: &'a [Backend],
    pub(super) error_pages: &'a [ErrorPage],
    /// Bytes of a request body where the rule says nothing.
    pub(super) request_body: Option<u64>,
}

impl Routes<'_> {
    pub(super) fn resolve(
        &self,
        document: &document::Proxy,
        places: &[RoutePlace],
        judged: &mut [Judgement],
    ) -> Vec<Route> {
        let mut names = HashSet::new();
        let mut streams = Streams::default();
        let routes = document.routes.iter().zip(places);
        routes
            .map(|(route, place)| {
                let judgement = &mut judged[place.part];
                let name = route.name.as_deref().unwrap_or("");
                super::name(&mut judgement.errors, &place.name, name, &mut names);
                self.route(judgement, &place.path, route, &mut streams)
            })
            .collect()
    }

    fn route<'d>(
        &self,
        judgement: &mut Judgement,
        path: &Path,
        document: &'d document::Route,
        streams: &mut Streams<'d>,
    ) -> Route {
        let findings = &mut judgement.errors;
        let listeners = self.attached(findings, &path.child("listeners"), &document.listeners);
        let hostnames: Vec<HostPattern> = document
            .hostnames
            .iter()
            .enumerate()
            .filter_map(|(index, text)| {
                host_pattern(findings, &path.child("hostnames").index(index), text)
            })
            .collect();
        self.hosts_meet(judgement, path, &listeners, &hostnames);
        let findings = &mut judgement.errors;
        let bytes = |index: &ListenerIndex| {
            !matches!(
                self.listeners[*index].protocol,
                ListenerProtocol::Http | ListenerProtocol::Https
            )
        };
        let stream = listeners.iter().any(bytes);
        if stream && !listeners.iter().all(bytes) {
            let detail = "may not have listeners of HTTP or HTTPS beside those of TCP or TLS";
            findings.forbidden(&path.child("listeners"), detail);
        } else if stream {
            self.stream(findings, path, document, &listeners, streams);
        }
        let rules_path = path.child("rules");
        if document.rules.is_empty() {
            findings.required(&rules_path, "");
        }
        let mut names = HashSet::new();
        let rules = document.rules.iter().enumerate();
        let rules = rules.map(|(index, document)| {
            let path = &rules_path.index(index);
            let name = document.name.as_deref().unwrap_or("");
            super::name(findings, &path.child("name"), name, &mut names);
            if stream {
                rule::check_stream(findings, path, document);
            }
            rule::rule(findings, path, document, self)
        });
        Route {
            name: document.name.clone().unwrap_or_default(),
            rules: rules.collect(),
            listeners,
            hostnames,
        }
    }

    fn attached(
        &self,
        findings: &mut Findings,
        path: &Path,
        names: &[String],
    ) -> Vec<ListenerIndex> {
        let mut listeners = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let position = self.listeners.iter().position(|it| it.name == *name);
            match position {
                Some(position) if listeners.contains(&position) => {
                    findings.duplicate(&path.index(index), name);
                }
                Some(position) => listeners.push(position),
                None => {
                    let known = self.listeners.iter().map(|it| it.name.as_str());
                    findings.not_among(&path.index(index), name, known);
                }
            }
        }
        listeners
    }

    /// Hosts that none of the listeners takes lead nowhere.
    fn hosts_meet(
        &self,
        judgement: &mut Judgement,
        path: &Path,
        listeners: &[ListenerIndex],
        hostnames: &[HostPattern],
    ) {
        for (index, host) in hostnames.iter().enumerate() {
            let met = listeners.iter().any(|listener| {
                let own = &self.listeners[*listener].hostname;
                own.as_ref()
                    .is_none_or(|own| own.intersection(host).is_some())
            });
            if !met && !listeners.is_empty() {
                let path = path.child("hostnames").index(index);
                let message = format!("no listener of the route takes requests for {host}");
                judgement.warnings.push(Finding::at(&path, message));
            }
        }
    }

    /// Of bytes nothing is known but the name in a ClientHello.
    fn stream<'d>(
        &self,
        findings: &mut Findings,
        path: &Path,
        document: &'d document::Route,
        listeners: &[ListenerIndex],
        streams: &mut Streams<'d>,
    ) {
        if document.rules.len() > 1 {
            findings.too_many(&path.child("rules"), document.rules.len(), 1);
        }
        for listener in listeners {
            let own = &self.listeners[*listener];
            if own.protocol == ListenerProtocol::Tcp && !document.hostnames.is_empty() {
                let detail = format!("listener {:?} is TCP, whose bytes name no host", own.name);
                findings.forbidden(&path.child("hostnames"), &detail);
            }
            let hosts = document.hostnames.iter().map(String::as_str).enumerate();
            let any = document.hostnames.is_empty().then_some((0, ""));
            for (index, host) in hosts.chain(any) {
                if !streams.taken.insert((*listener, host)) {
                    let at = match host {
                        "" => path.child("listeners"),
                        _ => path.child("hostnames").index(index),
                    };
                    let detail = format!("another route has it for listener {:?}", own.name);
                    let shown = if host.is_empty() { &own.name } else { host };
                    findings.invalid(&at, shown, detail);
                }
            }
        }
    }
}

/// Which hosts of which listeners of bytes have a route.
#[derive(Default)]
struct Streams<'d> {
    taken: HashSet<(ListenerIndex, &'d str)>,
}

/// Listeners that no route is for.
pub(super) fn unreached(warnings: &mut Findings, listeners: &[Listener], routes: &[Route]) {
    for (index, listener) in listeners.iter().enumerate() {
        let twice = listeners[..index].iter().any(|it| it.name == listener.name);
        if !twice && !routes.iter().any(|route| route.listeners.contains(&index)) {
            let path = Path::root().child("listeners").index(index);
            let what = match listener.protocol {
                ListenerProtocol::Http | ListenerProtocol::Https => "answers 404 to every request",
                ListenerProtocol::Tls | ListenerProtocol::Tcp => "closes every connection",
            };
            let message = format!("no route is for this listener: it {what}");
            warnings.push(Finding::at(&path, message));
        }
    }
}
