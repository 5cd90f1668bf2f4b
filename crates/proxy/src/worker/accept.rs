//! From an accepted connection to what is spoken on it: PROXY protocol, TLS, HTTP or bytes.

use std::rc::Rc;
use std::time::Instant;

use crate::config::{Action, Bind, ListenerIndex, ListenerProtocol, SocketKind, TlsMode};
use crate::exchange::run::Record;
use crate::proxy_protocol;
use crate::snapshot::FOREVER;
use crate::tcp::{self, Piped};
use crate::tls::hello;
use crate::transport::Transport;

use super::place::Place;
use super::session::{Names, Session};
use super::thread::Worker;
use super::{Env, serve_http1};

/// Serves a connection until it is over.
pub(super) async fn serve(worker: Rc<Worker>, bind: Bind, mut transport: Transport) {
    let place = worker.place();
    let Some(socket) = place.socket(&bind) else {
        return;
    };
    let settings = &place.config().sockets[socket];
    let listeners = settings.listeners.iter();
    let limits = listeners.map(|it| place.config().listeners[*it].timeouts.handshake);
    let limit = limits.map(|limit| limit.unwrap_or(FOREVER)).max();
    let limit = limit.unwrap_or(FOREVER);
    let first = settings.listeners.first().copied().unwrap_or(0);
    let name = |listener: ListenerIndex| place.config().listeners[listener].name.as_str();
    canonicalize(&mut transport);
    if settings.proxy_protocol {
        if let Err(failure) = proxy_protocol::accept(&mut transport, &[], limit).await {
            worker
                .shared
                .metrics
                .failed(name(first), failure.reason.name());
            return;
        }
        canonicalize(&mut transport);
    }
    match settings.kind {
        SocketKind::Http => http(worker, bind, Rc::clone(&place), socket, None, transport).await,
        SocketKind::Tcp => bytes(&worker, &place, first, None, transport).await,
        SocketKind::Tls => {
            let table = &place.snapshot.rules.table;
            let one = settings.listeners.len() == 1;
            let terminates = |listener: ListenerIndex| {
                let tls = place.config().listeners[listener].tls.as_ref();
                tls.is_some_and(|tls| tls.mode == TlsMode::Terminate)
            };
            let any = place.config().listeners[first].hostname.is_none();
            let mut server_name = None;
            let mut listener = Some(first);
            if !(one && any && terminates(first)) {
                match hello::peek(&mut transport, limit).await {
                    Ok(hello) => server_name = hello.server_name,
                    Err(error) => {
                        return worker.shared.metrics.shaken(name(first), error.reason());
                    }
                }
                listener = table.listener(socket, server_name.as_deref());
            }
            let Some(listener) = listener else {
                return worker.shared.metrics.shaken(name(first), "unknown_name");
            };
            if !terminates(listener) {
                return bytes(&worker, &place, listener, server_name.as_deref(), transport).await;
            }
            let Some(server) = &place.snapshot.servers[listener] else {
                return;
            };
            let transport = match server.accept(transport).await {
                Ok(transport) => transport,
                Err(error) => {
                    return worker.shared.metrics.shaken(name(listener), error.reason());
                }
            };
            worker.shared.metrics.shaken(name(listener), "ok");
            if place.config().listeners[listener].protocol == ListenerProtocol::Https {
                http(
                    worker,
                    bind,
                    Rc::clone(&place),
                    socket,
                    Some(listener),
                    transport,
                )
                .await;
            } else {
                let tls = transport.facts().tls.clone();
                let name = tls.as_ref().and_then(|tls| tls.server_name.as_deref());
                bytes(&worker, &place, listener, name, transport).await;
            }
        }
    }
}

/// A socket of both families shows IPv4 addresses as IPv6 ones; nobody else should.
fn canonicalize(transport: &mut Transport) {
    let facts = transport.facts_mut();
    for address in [&mut facts.peer, &mut facts.local].into_iter().flatten() {
        address.set_ip(address.ip().to_canonical());
    }
}

async fn http(
    worker: Rc<Worker>,
    bind: Bind,
    place: Rc<Place>,
    socket: usize,
    listener: Option<ListenerIndex>,
    transport: Transport,
) {
    let settings = &place.config().sockets[socket];
    let counts = listener
        .or(settings.listeners.first().copied())
        .unwrap_or(0);
    let limits = Rc::clone(&place.limits[counts]);
    let facts = transport.facts().clone();
    let session = Rc::new(Session::new(worker, bind, place, socket, listener, facts));
    let env = Env {
        router: Rc::<Session>::clone(&session),
        observer: Rc::<Session>::clone(&session),
        limits,
    };
    serve_http1(transport, Rc::new(env), &*session).await;
}

/// Passes bytes on; HTTP is none of our business here.
async fn bytes(
    worker: &Rc<Worker>,
    place: &Rc<Place>,
    listener: ListenerIndex,
    server_name: Option<&str>,
    transport: Transport,
) {
    let started = Instant::now();
    let config = place.config();
    let facts = transport.facts().clone();
    let found = place.snapshot.rules.table.stream(listener, server_name);
    let backend =
        found.and_then(
            |found| match &config.routes[found.route].rules[found.rule].action {
                Action::Forward(backend) => place.backends[*backend].clone(),
                _ => None,
            },
        );
    let piped = match backend {
        Some(backend) => {
            let idle = config.listeners[listener].timeouts.idle;
            tcp::serve(transport, &backend, idle).await
        }
        None => Piped {
            failure: Some(crate::reason::Failure::new(
                crate::reason::Reason::NoRoute,
                "no route takes this connection",
            )),
            ..Piped::default()
        },
    };
    let record = Record {
        request: None,
        client: &facts,
        status: 0,
        received: piped.received,
        sent: piped.sent,
        took: started.elapsed(),
        replayed: false,
        failure: piped.failure.as_ref(),
    };
    let names = Names::of(config, Some(listener), found);
    worker.count(&names, &record);
    if place.access_log.is_on() {
        let line = crate::access_log::Line {
            time: jiff::Timestamp::now(),
            record: Some(&record),
            scheme: if facts.tls.is_some() { "tls" } else { "tcp" },
            listener: names.listener,
            route: names.route,
            rule: names.rule,
            backend: names.backend,
            ..crate::access_log::Line::default()
        };
        place
            .access_log
            .write(&line, &mut worker.space.borrow_mut());
    }
}
