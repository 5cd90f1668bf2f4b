//! Which listener, rule, edits and backend a request would take, and of everything else why not; nothing is sent.
//!
//! Rules are compared here one by one and by their written form, not with the [`Table`]: where the two differ, one of them is wrong,
//! and a test looks for that.

mod compare;
mod question;
mod text;

use serde::Serialize;

use super::{Match, NoMatch, Request, Table, effective_hosts};
use crate::config::{Action, Config, Filter, Listener, ListenerProtocol, Rule, SocketKind, Target};
use crate::filter::{self, Decision, Peer};
use crate::message::RequestHead;

use compare::{Key, mismatch};

pub use question::{Question, QuestionError};

/// What becomes of a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `METHOD URL`, as it was asked.
    pub request: String,
    /// The path as it is compared, when that differs from the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_path: Option<String>,
    /// What happens.
    pub outcome: Outcome,
    /// Every listener, and whether it is the one.
    pub listeners: Vec<ListenerVerdict>,
    /// Every rule, and whether it is the one.
    pub rules: Vec<RuleVerdict>,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Outcome {
    /// It goes to a backend.
    Backend {
        /// The backend's name.
        name: String,
        /// Where it is.
        address: String,
        /// What is edited on the way, in order.
        edits: Vec<String>,
    },
    /// Files of a directory answer.
    Files {
        /// The directory.
        root: String,
        /// The path below it.
        path: String,
        /// What is edited on the way.
        edits: Vec<String>,
    },
    /// A redirection answers.
    Redirect {
        /// Its status.
        status: u16,
        /// `Location`.
        location: String,
    },
    /// It is refused.
    Refused {
        /// The status.
        status: u16,
        /// The reason, as in logs and metrics.
        reason: &'static str,
        /// What exactly is the matter.
        detail: String,
    },
}

/// Whether a listener takes the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerVerdict {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// Whether it is the one.
    pub taken: bool,
    /// Why.
    pub reason: String,
}

/// Whether a rule takes the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleVerdict {
    /// Name of the route.
    pub route: String,
    /// Name of the rule.
    pub rule: String,
    /// Whether it is the one.
    pub taken: bool,
    /// Why, for each alternative if it does not match.
    pub reasons: Vec<String>,
}

/// Explains a request.
///
/// # Errors
/// What is not a request, or one that no listener could be asked.
pub fn explain(config: &Config, question: &Question) -> Result<Explanation, QuestionError> {
    let head = question.head()?;
    let socket = question.socket(config)?;
    let table = Table::new(config);
    let mut explanation = Explanation {
        request: question.to_string(),
        compared_path: None,
        outcome: refused(NoMatch::Host),
        listeners: Vec::new(),
        rules: Vec::new(),
    };
    let request = match Request::new(&head) {
        Ok(request) => request,
        Err(fault) => {
            explanation.outcome = refused(fault.into());
            return Ok(explanation);
        }
    };
    let compared = request.path();
    if head.path() != compared.as_bytes() && request.normal().is_some() {
        explanation.compared_path = Some(compared.to_owned());
    }
    let chosen = table.listener(socket, Some(request.host()));
    explanation.listeners = listeners(config, socket, chosen, &request);
    let Some(listener) = chosen else {
        return Ok(explanation);
    };
    let (found, verdicts) = rules(config, listener, &request);
    explanation.rules = verdicts;
    // The table alone knows the second reading of a path; the rest is compared by a test.
    explanation.outcome = match table.find(socket, None, &request) {
        Err(fault) => refused(fault),
        Ok(_) => match found {
            Some(found) => outcome(config, found, &head, &request, question),
            None => refused(NoMatch::Rule),
        },
    };
    Ok(explanation)
}

fn refused(fault: NoMatch) -> Outcome {
    let reason = fault.reason();
    Outcome::Refused {
        status: reason.status(),
        reason: reason.name(),
        detail: fault.to_string(),
    }
}

fn listeners(
    config: &Config,
    socket: usize,
    chosen: Option<usize>,
    request: &Request<'_>,
) -> Vec<ListenerVerdict> {
    let listeners = config.listeners.iter().enumerate();
    listeners
        .map(|(index, listener)| {
            let taken = chosen == Some(index);
            let hostname = listener.hostname.as_ref();
            let reason = match hostname {
                _ if listener.socket != socket => "listens elsewhere".to_owned(),
                None if taken => "takes every host".to_owned(),
                Some(own) if taken => format!("{own} takes the host"),
                Some(own) if !own.matches(request.host()) => {
                    format!("{own} does not take the host {:?}", request.host())
                }
                _ => "another one on this socket has a more specific hostname".to_owned(),
            };
            ListenerVerdict {
                name: listener.name.clone(),
                address: config.sockets[listener.socket].bind.to_string(),
                taken,
                reason,
            }
        })
        .collect()
}

/// The rule that a request takes on a listener, and what is to be said of each.
fn rules(
    config: &Config,
    listener: usize,
    request: &Request<'_>,
) -> (Option<Match>, Vec<RuleVerdict>) {
    let mut best: Option<(Key, Match)> = None;
    let mut judged: Vec<(RuleVerdict, Option<(Key, Match)>)> = Vec::new();
    for (route_position, route) in config.routes.iter().enumerate() {
        let host = host_key(config, listener, route_position, request);
        for (rule_position, rule) in route.rules.iter().enumerate() {
            let verdict = RuleVerdict {
                route: route.name.clone(),
                rule: rule.name.clone(),
                taken: false,
                reasons: Vec::new(),
            };
            let (own, reasons) = match &host {
                Err(reason) => (None, vec![reason.clone()]),
                Ok(host) => alternatives(rule, request, *host, |alternative| Match {
                    listener,
                    route: route_position,
                    rule: rule_position,
                    alternative,
                }),
            };
            if let Some((key, found)) = &own
                && best.as_ref().is_none_or(|(best, _)| key < best)
            {
                best = Some((key.clone(), *found));
            }
            judged.push((RuleVerdict { reasons, ..verdict }, own));
        }
    }
    let verdicts = judged.into_iter().map(|(mut verdict, own)| {
        let (Some((key, found)), Some((best_key, best))) = (own, &best) else {
            return verdict;
        };
        verdict.taken = found == *best;
        let winner = &config.routes[best.route];
        let name = format!("{}/{}", winner.name, winner.rules[best.rule].name);
        verdict.reasons = vec![if verdict.taken {
            compare::because(&config.routes[best.route].rules[best.rule].matches[best.alternative])
        } else {
            format!("matches, but {}", best_key.precedes(&key, &name))
        }];
        verdict
    });
    let verdicts = verdicts.collect();
    (best.map(|(_, found)| found), verdicts)
}

/// How specific the host is by which a route counts, or why it does not.
fn host_key(
    config: &Config,
    listener: usize,
    route: usize,
    request: &Request<'_>,
) -> Result<(bool, usize), String> {
    let route = &config.routes[route];
    if !route.listeners.contains(&listener) {
        let names = route.listeners.iter();
        let names: Vec<&str> = names
            .map(|it| config.listeners[*it].name.as_str())
            .collect();
        return Err(format!(
            "the route is for the listeners {}",
            names.join(", ")
        ));
    }
    let own = config.listeners[listener].hostname.as_ref();
    let hosts = effective_hosts(own, &route.hostnames);
    let takes = hosts.iter().filter_map(|host| match host {
        None => Some((false, 0)),
        Some(host) => host.matches(request.host()).then(|| host.specificity()),
    });
    takes.max().ok_or_else(|| {
        let names: Vec<String> = route.hostnames.iter().map(ToString::to_string).collect();
        format!(
            "the host {:?} is none of {}",
            request.host(),
            names.join(", ")
        )
    })
}

/// The best alternative of a rule that matches; else why none does.
fn alternatives(
    rule: &Rule,
    request: &Request<'_>,
    host: (bool, usize),
    at: impl Fn(usize) -> Match,
) -> (Option<(Key, Match)>, Vec<String>) {
    let mut reasons = Vec::new();
    let mut best: Option<(Key, Match)> = None;
    for (alternative, matches) in rule.matches.iter().enumerate() {
        if let Some(reason) = mismatch(matches, request) {
            reasons.push(reason);
            continue;
        }
        let found = at(alternative);
        let key = Key::new(host, matches, found);
        if best.as_ref().is_none_or(|(best, _)| key < *best) {
            best = Some((key, found));
        }
    }
    (best, reasons)
}

fn outcome(
    config: &Config,
    found: Match,
    head: &RequestHead,
    request: &Request<'_>,
    question: &Question,
) -> Outcome {
    let rule = &config.routes[found.route].rules[found.rule];
    let peer = Peer::new(None, question.is_encrypted());
    let listener = &config.listeners[found.listener];
    let client = filter::forwarded::learn(head, listener.forwarded, peer);
    let plan = match filter::decide(rule, found.alternative, request, &client, None) {
        Decision::Redirect(redirect) => {
            return Outcome::Redirect {
                status: redirect.status,
                location: redirect.location,
            };
        }
        Decision::Proceed(plan) => plan,
    };
    let path = plan.path.clone();
    let edits = edits(rule, &plan);
    match &rule.action {
        Action::Forward(backend) => {
            let backend = &config.backends[*backend];
            Outcome::Backend {
                name: backend.name.clone(),
                address: match &backend.target {
                    Target::Endpoint(endpoint) => endpoint.to_string(),
                    Target::OriginalDestination => "the original destination".to_owned(),
                },
                edits,
            }
        }
        Action::Files(files) => Outcome::Files {
            root: files.root.display().to_string(),
            path: path.unwrap_or_else(|| String::from_utf8_lossy(head.path()).into_owned()),
            edits,
        },
        Action::Redirect => refused(NoMatch::Rule),
    }
}

fn edits(rule: &Rule, plan: &filter::Plan) -> Vec<String> {
    let mut edits = Vec::new();
    if let Some(host) = &plan.host {
        edits.push(format!("host becomes {host}"));
    }
    if let Some(path) = &plan.path {
        edits.push(format!("path becomes {path}"));
    }
    if let Some(back) = &plan.back {
        edits.push(format!("responses get the prefix {:?} back", back.prefix()));
    }
    for filter in &rule.filters {
        let (whose, modifier) = match filter {
            Filter::RequestHeaders(modifier) => ("request", modifier),
            Filter::ResponseHeaders(modifier) => ("response", modifier),
            Filter::Rewrite(_) | Filter::Redirect(_) => continue,
        };
        for (name, value) in &modifier.set {
            edits.push(format!("{whose} header {name} is set to {value}"));
        }
        for (name, value) in &modifier.add {
            edits.push(format!("{whose} header {name} gets {value} added"));
        }
        for name in &modifier.remove {
            edits.push(format!("{whose} header {name} is removed"));
        }
    }
    edits
}

/// Whether a listener speaks HTTP, by this scheme.
fn speaks(listener: &Listener, encrypted: bool) -> bool {
    match listener.protocol {
        ListenerProtocol::Http => !encrypted,
        ListenerProtocol::Https => encrypted,
        ListenerProtocol::Tls | ListenerProtocol::Tcp => false,
    }
}

/// The kind of socket that a scheme needs.
fn kind_of(encrypted: bool) -> SocketKind {
    if encrypted {
        SocketKind::Tls
    } else {
        SocketKind::Http
    }
}

#[cfg(test)]
mod tests;
