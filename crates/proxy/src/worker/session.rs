//! A connection of HTTP: decides about its requests by the newest snapshot, and tells of its exchanges.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::access_log::Line;
use crate::config::{Action, Bind, Config, ListenerIndex, Rule};
use crate::exchange::answer;
use crate::exchange::decision::{
    Decision, EditResponse, Forward, Response, Router, Timeouts, Upgrades,
};
use crate::exchange::run::{Observer, Record};
use crate::filter::{self, Back, Peer, forwarded};
use crate::message::{RequestHead, ResponseHead};
use crate::reason::{Failure, Reason};
use crate::route::{self, NoMatch, Request};
use crate::transport::Facts;

use super::drain::{Drain, Lifetime};
use super::place::Place;
use super::thread::Worker;

/// A connection of HTTP.
pub(super) struct Session {
    worker: Rc<Worker>,
    bind: Bind,
    /// What the connection began with; None where there is no TLS.
    facts: Facts,
    peer: Peer,
    since: Instant,
    at: RefCell<At>,
    /// Of the exchange that is under way.
    seen: RefCell<Seen>,
}

/// Where the connection is in a snapshot.
#[derive(Clone)]
struct At {
    place: Rc<Place>,
    socket: usize,
    /// The listener that TLS chose.
    listener: Option<ListenerIndex>,
}

/// What has to be remembered of a request until it is over.
#[derive(Default)]
struct Seen {
    found: Option<route::Match>,
    place: Option<Rc<Place>>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
}

impl Session {
    /// A connection to a socket of `place`, on which TLS chose `listener`.
    pub(super) fn new(
        worker: Rc<Worker>,
        bind: Bind,
        place: Rc<Place>,
        socket: usize,
        listener: Option<ListenerIndex>,
        facts: Facts,
    ) -> Self {
        Self {
            worker,
            bind,
            peer: Peer::new(facts.peer.map(|peer| peer.ip()), facts.tls.is_some()),
            facts,
            since: Instant::now(),
            at: RefCell::new(At {
                place,
                socket,
                listener,
            }),
            seen: RefCell::default(),
        }
    }

    /// Where the connection is in the newest snapshot; in its last one if its address is no longer configured.
    fn at(&self) -> At {
        let newest = self.worker.place();
        let mut at = self.at.borrow_mut();
        if !Rc::ptr_eq(&newest, &at.place)
            && let Some(socket) = newest.socket(&self.bind)
        {
            let tls = self.facts.tls.as_deref();
            let name = tls.and_then(|tls| tls.server_name.as_deref());
            let listener = match at.listener {
                Some(_) => newest.snapshot.rules.table.listener(socket, name),
                None => None,
            };
            *at = At {
                place: newest,
                socket,
                listener,
            };
        }
        at.clone()
    }

    /// The listener whose settings count for the connection as a whole.
    fn listener(&self, at: &At) -> Option<ListenerIndex> {
        let socket = at.place.config().sockets.get(at.socket);
        at.listener
            .or_else(|| socket.and_then(|socket| socket.listeners.first().copied()))
    }
}

impl Router for Session {
    fn decide(&self, head: &mut RequestHead, _: &Facts) -> Decision {
        let at = self.at();
        let config = at.place.config();
        let mut seen = self.seen.borrow_mut();
        *seen = Seen {
            place: Some(Rc::clone(&at.place)),
            ..Seen::default()
        };
        if at.place.access_log.is_on() {
            seen.host = head.authority().unwrap_or(b"").to_vec();
            seen.path = head.path().to_vec();
            seen.query = head.query().map(<[u8]>::to_vec);
        }
        if self.worker.shared.ceiling.is_reached() {
            let detail = "memory in use is at its ceiling";
            return Decision::Refuse(Failure::new(Reason::Overloaded, detail));
        }
        let refused = |why: NoMatch| Decision::Refuse(Failure::new(why.reason(), why.to_string()));
        let request = match Request::new(head) {
            Ok(request) => request,
            Err(fault) => return refused(fault.into()),
        };
        let table = &at.place.snapshot.rules.table;
        let found = match table.find(at.socket, at.listener, &request) {
            Ok(found) => found,
            Err(why) => return refused(why),
        };
        seen.found = Some(found);
        let rule = &config.routes[found.route].rules[found.rule];
        let who = forwarded::learn(head, config.listeners[found.listener].forwarded, self.peer);
        let endpoint = match rule.action {
            Action::Forward(backend) => Some(at.place.endpoints[backend].as_str()),
            _ => None,
        };
        let plan = match filter::decide(rule, found.alternative, &request, &who, endpoint) {
            filter::Decision::Redirect(redirect) => return redirected(&redirect),
            filter::Decision::Proceed(plan) => plan,
        };
        plan.apply(rule, &who, head);
        let backend = match rule.action {
            Action::Forward(backend) => at.place.backends[backend].clone(),
            _ => None,
        };
        let Some(backend) = backend else {
            let detail = "what the rule asks for is not carried out by this version";
            return Decision::Refuse(Failure::new(Reason::Internal, detail));
        };
        Decision::Forward(Forward {
            backend,
            upgrades: match rule.upgrades.as_slice() {
                [] => Upgrades::Never,
                _ => Upgrades::WebSocket,
            },
            connect: rule.allow_connect,
            timeouts: Timeouts {
                request: rule.timeouts.request,
                response: rule.timeouts.response_head,
                idle: rule.timeouts.idle,
                tunnel_idle: rule.timeouts.idle,
            },
            response: edits(&at.place, rule, found, plan.back),
        })
    }

    fn refusal(&self, failure: &Failure) -> Response {
        let mut response = answer::of_failure(failure);
        if self.at.borrow().place.config().telemetry.reason_header {
            let name = failure.reason.name().as_bytes();
            let headers = response.head.headers_mut();
            headers.append_parsed(b"Pillion-Reason", name);
        }
        response
    }
}

fn redirected(redirect: &filter::Redirect) -> Decision {
    let mut head = ResponseHead::new(redirect.status);
    match head
        .headers_mut()
        .append("Location", redirect.location.as_bytes())
    {
        Ok(()) => Decision::Respond(Response::empty(head)),
        Err(fault) => Decision::Refuse(Failure::new(Reason::Internal, fault.to_string())),
    }
}

/// Edits of a response, where there are any.
fn edits(
    place: &Rc<Place>,
    rule: &Rule,
    found: route::Match,
    back: Option<Back>,
) -> Option<Rc<dyn EditResponse>> {
    let own = |filter: &crate::config::Filter| {
        matches!(filter, crate::config::Filter::ResponseHeaders(_))
    };
    if back.is_none() && !rule.filters.iter().any(own) {
        return None;
    }
    Some(Rc::new(Edits {
        place: Rc::clone(place),
        found,
        back,
    }))
}

struct Edits {
    place: Rc<Place>,
    found: route::Match,
    back: Option<Back>,
}

impl EditResponse for Edits {
    fn edit(&self, head: &mut ResponseHead) {
        let rule = &self.place.config().routes[self.found.route].rules[self.found.rule];
        filter::respond(rule, self.back.as_ref(), head);
    }
}

impl Observer for Session {
    fn finished(&self, record: &Record<'_>) {
        let seen = std::mem::take(&mut *self.seen.borrow_mut());
        let at = self.at.borrow().clone();
        let place = seen.place.as_ref().unwrap_or(&at.place);
        let config = place.config();
        let listener = seen.found.map(|found| found.listener);
        let listener = listener.or_else(|| self.listener(&at));
        let names = Names::of(config, listener, seen.found);
        self.worker.count(&names, record);
        if !place.access_log.is_on() {
            return;
        }
        let request = record.request;
        let (mut host, mut path, mut query) = (
            seen.host.as_slice(),
            seen.path.as_slice(),
            seen.query.as_deref(),
        );
        if seen.place.is_none()
            && let Some(request) = request
        {
            host = request.authority().unwrap_or(b"");
            (path, query) = (request.path(), request.query());
        }
        let line = Line {
            time: jiff::Timestamp::now(),
            record: Some(record),
            scheme: if record.client.tls.is_some() {
                "https"
            } else {
                "http"
            },
            host,
            path,
            query,
            listener: names.listener,
            route: names.route,
            rule: names.rule,
            backend: names.backend,
        };
        place
            .access_log
            .write(&line, &mut self.worker.space.borrow_mut());
    }
}

/// Names of what took part in an exchange.
pub(super) struct Names<'a> {
    pub(super) listener: &'a str,
    pub(super) route: Option<&'a str>,
    pub(super) rule: Option<&'a str>,
    pub(super) backend: Option<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn of(
        config: &'a Config,
        listener: Option<ListenerIndex>,
        found: Option<route::Match>,
    ) -> Self {
        let listener = listener.and_then(|listener| config.listeners.get(listener));
        let route = found.and_then(|found| config.routes.get(found.route));
        let rule = route.and_then(|route| route.rules.get(found?.rule));
        let backend = match rule.map(|rule| &rule.action) {
            Some(Action::Forward(backend)) => config.backends.get(*backend),
            _ => None,
        };
        Self {
            listener: listener.map_or("", |listener| &listener.name),
            route: route.map(|route| route.name.as_str()),
            rule: rule.map(|rule| rule.name.as_str()),
            backend: backend.map(|backend| backend.name.as_str()),
        }
    }
}

impl Lifetime for Session {
    fn drain(&self) -> &Drain {
        &self.worker.drain
    }

    fn is_last_response(&self) -> bool {
        if self.worker.drain.has_begun() {
            return true;
        }
        let at = self.at();
        // An address that is no longer configured: its connections end one by one.
        if at.place.socket(&self.bind).is_none() || !Rc::ptr_eq(&at.place, &self.worker.place()) {
            return true;
        }
        let Some(listener) = self.listener(&at) else {
            return true;
        };
        let age: Option<Duration> = at.place.config().listeners[listener]
            .timeouts
            .max_connection_age;
        if age.is_some_and(|age| self.since.elapsed() >= age) {
            return true;
        }
        let server = at
            .place
            .snapshot
            .servers
            .get(listener)
            .and_then(Option::as_ref);
        match (server, &self.facts.tls) {
            (Some(server), Some(tls)) => server.has_retired(tls),
            _ => false,
        }
    }
}
