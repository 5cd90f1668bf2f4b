//! What a rule does to requests and responses: edits of heads, redirections, paths given back. Pure.
//!
//! The order is: [`forwarded::learn`] says who the client is, [`decide`] what becomes of the request, [`Plan::apply`] edits
//! its head; [`respond`] edits the head of the response. Fields that belong to a connection are taken away by
//! [`message::hop`](crate::message::hop) before any of this.

mod back;
pub mod forwarded;
mod modify;
mod redirect;
mod rewrite;

use crate::config::{Filter, PathMatch, Rule};
use crate::message::{RequestHead, ResponseHead};
use crate::path::Normal;
use crate::route::Request;

pub use back::Back;
pub use forwarded::{Client, Peer};
pub use redirect::Redirect;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is answered by this.
    Redirect(Redirect),
    /// It goes on, to a backend or to files, with these edits.
    Proceed(Plan),
}

/// Edits of a request that had to be found out while its head was still as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The path that the backend sees, where it is not the one that came.
    pub path: Option<String>,
    /// The host that the backend sees, where it is another.
    pub host: Option<String>,
    /// The public prefix that it does not see, and how responses get it back.
    pub back: Option<Back>,
}

/// Decides about a request that took a rule by one of its alternatives. `endpoint` is the address of the backend, as
/// it may stand in a `Location`.
#[must_use]
pub fn decide(
    rule: &Rule,
    alternative: usize,
    request: &Request<'_>,
    client: &Client,
    endpoint: Option<&str>,
) -> Decision {
    let matched = rule.matches.get(alternative).map(|matches| &matches.path);
    let mut plan = Plan {
        path: request
            .normal()
            .filter(|normal| normal.is_changed())
            .map(|normal| normal.forward().to_owned()),
        ..Plan::default()
    };
    for filter in &rule.filters {
        match filter {
            Filter::Redirect(redirect) => {
                let redirect = redirect::redirect(redirect, matched, request, client);
                return Decision::Redirect(redirect);
            }
            Filter::Rewrite(rewrite) => {
                if rewrite.redirect_to_slash
                    && let Some(redirect) = redirect::to_slash(matched, request)
                {
                    return Decision::Redirect(redirect);
                }
                plan.host.clone_from(&rewrite.hostname);
                let (Some(modifier), Some(normal)) = (&rewrite.path, request.normal()) else {
                    continue;
                };
                plan.path = Some(rewrite::replaced(modifier, matched, normal));
                if rewrite.rewrite_location {
                    plan.back = Some(Back::new(
                        rewrite, modifier, matched, normal, client, endpoint,
                    ));
                }
            }
            Filter::RequestHeaders(_) | Filter::ResponseHeaders(_) => {}
        }
    }
    Decision::Proceed(plan)
}

impl Plan {
    /// Edits the head of a request.
    pub fn apply(&self, rule: &Rule, client: &Client, head: &mut RequestHead) {
        let prefix = self.back.as_ref().map_or("", Back::prefix);
        forwarded::write(client, prefix, head);
        // Paths and hosts were checked when they were read, so that neither can be refused.
        if let Some(path) = &self.path {
            let _ = head.set_path(path.as_bytes());
        }
        if let Some(host) = &self.host {
            let _ = head.set_authority(host.as_bytes());
        }
        for filter in &rule.filters {
            if let Filter::RequestHeaders(modifier) = filter {
                modify::modify(modifier, head.headers_mut());
            }
        }
    }
}

/// Edits the head of a response to a request that took this rule.
pub fn respond(rule: &Rule, back: Option<&Back>, head: &mut ResponseHead) {
    if let Some(back) = back {
        back.respond(head.headers_mut());
    }
    for filter in &rule.filters {
        if let Filter::ResponseHeaders(modifier) = filter {
            modify::modify(modifier, head.headers_mut());
        }
    }
}

/// How many elements of a path are its matched prefix.
fn prefix_elements(matched: Option<&PathMatch>) -> usize {
    match matched {
        Some(PathMatch::Prefix { prefix, .. }) => prefix.matches('/').count(),
        _ => 0,
    }
}

/// The matched prefix of a path as it is forwarded, without a slash at its end; empty for the root.
fn public_prefix<'a>(matched: Option<&PathMatch>, normal: &'a Normal<'_>) -> &'a str {
    let rest = normal.behind(prefix_elements(matched));
    let forward = normal.forward();
    &forward[..forward.len() - rest.len()]
}

#[cfg(test)]
mod tests;
