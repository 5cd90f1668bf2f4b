//! What a worker makes of the newest snapshot: its own backends, and what is looked up for each request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;

use crate::access_log::AccessLog;
use crate::backend::{self, Backend, Hold};
use crate::config::{self, Bind, Config, SendProxyProtocol, Target};
use crate::http1;
use crate::proxy_protocol::Version;
use crate::snapshot::{FOREVER, Snapshot};

use super::shared::Shared;

/// A snapshot in a worker.
pub(super) struct Place {
    pub(super) snapshot: Arc<Snapshot>,
    /// By backend. None: it cannot be carried out, which is refused at start.
    pub(super) backends: Vec<Option<Rc<Backend>>>,
    /// By backend: as it may stand in a `Location`.
    pub(super) endpoints: Vec<String>,
    /// By listener.
    pub(super) limits: Vec<Rc<http1::Limits>>,
    pub(super) access_log: AccessLog,
    sockets: HashMap<Bind, usize>,
}

impl Place {
    /// Makes a snapshot ready for use. Backends that stay as they are keep their connections.
    pub(super) fn new(snapshot: Arc<Snapshot>, shared: &Shared, last: Option<&Place>) -> Rc<Self> {
        let config = &snapshot.rules.config;
        let kept = |index: usize, backend: &config::Backend| {
            let last = last?;
            let before = last.snapshot.rules.config.backends.iter();
            let at = before.clone().position(|before| before == backend)?;
            let same_tls = match (&snapshot.clients[index], &last.snapshot.clients[at]) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (None, None) => true,
                _ => false,
            };
            let same_limits = last.snapshot.rules.config.limits == config.limits;
            (same_tls && same_limits).then(|| last.backends[at].clone())?
        };
        let made = config.backends.iter().enumerate().map(|(index, backend)| {
            kept(index, backend).or_else(|| make(config, backend, &snapshot, index, shared.workers))
        });
        let endpoints = config.backends.iter().map(|backend| match &backend.target {
            Target::Endpoint(endpoint) => endpoint.to_string(),
            Target::OriginalDestination => String::new(),
        });
        let sockets = config.sockets.iter().enumerate();
        let sockets = sockets.map(|(index, socket)| (socket.bind.clone(), index));
        Rc::new(Self {
            backends: made.collect(),
            endpoints: endpoints.collect(),
            limits: config
                .listeners
                .iter()
                .map(|listener| Rc::new(limits(config, listener)))
                .collect(),
            access_log: AccessLog::new(shared.log.clone(), &config.telemetry.access_log),
            sockets: sockets.collect(),
            snapshot: Arc::clone(&snapshot),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.snapshot.rules.config
    }

    /// The socket at an address.
    pub(super) fn socket(&self, bind: &Bind) -> Option<usize> {
        self.sockets.get(bind).copied()
    }
}

fn make(
    config: &Config,
    backend: &config::Backend,
    snapshot: &Snapshot,
    index: usize,
    workers: usize,
) -> Option<Rc<Backend>> {
    let Target::Endpoint(endpoint) = &backend.target else {
        return None;
    };
    let share = |all: usize| all.div_ceil(workers).max(1);
    let limits = http1::Limits {
        head_bytes: config.limits.head,
        fields: config.limits.header_fields,
        ..http1::Limits::default()
    };
    Some(Backend::new(backend::Options {
        endpoints: vec![endpoint.clone()],
        pod_addresses: pod_addresses(),
        connect_timeout: backend.pool.connect_timeout.unwrap_or(FOREVER),
        hold: Hold {
            time: backend.hold.timeout,
            requests: share(backend.hold.max_requests),
        },
        idle_timeout: backend.pool.idle_timeout.unwrap_or(FOREVER),
        idle_connections: backend.pool.max_idle,
        connections: backend.pool.max_connections.map(share),
        proxy_protocol: match backend.proxy_protocol {
            SendProxyProtocol::None => None,
            SendProxyProtocol::V1 => Some(Version::V1),
            SendProxyProtocol::V2 => Some(Version::V2),
        },
        tls: snapshot.clients[index].clone(),
        limits: Rc::new(limits),
    }))
}

fn limits(config: &Config, listener: &config::Listener) -> http1::Limits {
    let timeouts = &listener.timeouts;
    let rules = config.routes.iter().flat_map(|route| &route.rules);
    http1::Limits {
        head_bytes: config.limits.head,
        fields: config.limits.header_fields,
        // All rules have the same: others are refused at start.
        body_bytes: rules.map(|rule| rule.request_body).next().flatten(),
        head_timeout: timeouts.request_head.unwrap_or(FOREVER),
        body_timeout: timeouts.progress.unwrap_or(FOREVER),
        idle_timeout: timeouts.idle.unwrap_or(FOREVER),
        ..http1::Limits::default()
    }
}

/// The addresses by which this machine reaches others: an app may listen on them alone. Nothing is sent.
fn pod_addresses() -> Vec<IpAddr> {
    let elsewhere: [(SocketAddr, SocketAddr); 2] = [
        (
            (Ipv4Addr::UNSPECIFIED, 0).into(),
            (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
        ),
        (
            (Ipv6Addr::UNSPECIFIED, 0).into(),
            (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
        ),
    ];
    let own = elsewhere.into_iter().filter_map(|(any, other)| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(other).ok()?;
        socket.local_addr().ok()
    });
    own.map(|address| address.ip())
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
        .collect()
}
