//! Where requests go: endpoints, their connections, and patience with an app that starts or restarts.
//!
//! Each worker has its own value of each backend: everything here is of one thread. Connections are used within a
//! `LocalSet`, on which the task runs that watches the idle ones.

mod endpoint;
mod hold;
mod idle;
mod pool;

use std::cell::Cell;
use std::future::poll_fn;
use std::io::IoSlice;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub use endpoint::{Endpoint, InvalidEndpoint};
pub use hold::Hold;

use self::endpoint::Connector;
use self::hold::Gate;
use self::pool::Pool;
use crate::http1::{ClientConnection, Limits};
use crate::proxy_protocol;
use crate::reason::{Failure, Reason};
use crate::tls::client::Client;
use crate::transport::{Facts, Transport};

#[cfg(test)]
mod tests;

/// How a backend is reached and how its connections are kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is. Taken in turn; the next is tried when one does not accept.
    pub endpoints: Vec<Endpoint>,
    /// The Pod's own addresses: an app may listen on them and not on localhost.
    pub pod_addresses: Vec<IpAddr>,
    /// How long one attempt at all endpoints may take.
    pub connect_timeout: Duration,
    /// Patience while nothing listens.
    pub hold: Hold,
    /// How long an idle connection is kept, unless something shorter is learned.
    pub idle_timeout: Duration,
    /// Idle connections of one worker.
    pub idle_connections: usize,
    /// Connections of one worker, in use and idle; None: as many as there are requests.
    pub connections: Option<usize>,
    /// Whether connections begin with a header of the PROXY protocol that tells the client's address. Such connections serve
    /// one request each, since their next client would be another.
    pub proxy_protocol: Option<proxy_protocol::Version>,
    /// TLS to it; None: in the clear.
    pub tls: Option<Arc<Client>>,
    /// Limits for responses.
    pub limits: Rc<Limits>,
}

impl Options {
    /// The defaults, for a backend at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoints: vec![endpoint],
            pod_addresses: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            hold: Hold::default(),
            idle_timeout: Duration::from_secs(60),
            idle_connections: 256,
            connections: None,
            proxy_protocol: None,
            tls: None,
            limits: Rc::default(),
        }
    }
}

/// A backend of one worker.
#[derive(Debug)]
pub struct Backend {
    options: Options,
    connectors: Vec<Connector>,
    next: Cell<usize>,
    gate: Gate,
    pool: Rc<Pool>,
    open: Rc<Cell<usize>>,
}

/// A connection to a backend, for one exchange.
#[derive(Debug)]
pub struct Lease {
    /// The connection.
    pub connection: ClientConnection,
    /// It has served another exchange: the backend may have closed it in the meantime.
    pub reused: bool,
    /// Whose it is.
    pub backend: Rc<Backend>,
    open: Open,
}

/// A connection to a backend, whatever is spoken on it.
#[derive(Debug)]
pub struct Channel {
    /// The connection.
    pub transport: Transport,
    /// What has to be written first: a header of the PROXY protocol, or nothing.
    pub preface: Vec<u8>,
    open: Open,
}

/// Counts a connection as long as it lives.
#[derive(Debug)]
struct Open(Rc<Cell<usize>>);

impl Open {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Backend {
    /// A backend to which nothing is connected yet.
    pub fn new(options: Options) -> Rc<Self> {
        let connector =
            |endpoint: &Endpoint| Connector::new(endpoint.clone(), &options.pod_addresses);
        Rc::new(Self {
            connectors: options.endpoints.iter().map(connector).collect(),
            next: Cell::new(0),
            gate: Gate::new(options.hold),
            pool: Pool::new(options.idle_timeout, options.idle_connections),
            open: Rc::default(),
            options,
        })
    }

    /// An idle connection that is still open as far as the kernel has said.
    pub fn idle(self: &Rc<Self>, _: &Facts) -> Option<Lease> {
        let (connection, open) = self.pool.take()?;
        Some(Lease {
            connection,
            reused: true,
            backend: Rc::clone(self),
            open,
        })
    }

    /// A new connection. While nothing listens it is waited for, as long as [`Hold`] says.
    ///
    /// # Errors
    /// [`Reason::ConnectFailed`], [`Reason::ConnectTimeout`], [`Reason::HoldQueueFull`], [`Reason::TooManyConnections`].
    pub async fn connect(self: &Rc<Self>, client: &Facts) -> Result<Lease, Failure> {
        let channel = self.channel(client).await?;
        let limits = Rc::clone(&self.options.limits);
        let mut connection = ClientConnection::new(channel.transport, limits);
        connection.begin_with(&channel.preface);
        Ok(Lease {
            connection,
            reused: false,
            backend: Rc::clone(self),
            open: channel.open,
        })
    }

    /// A new connection on which nothing is spoken yet, made as [`connect`](Self::connect) does.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn channel(&self, client: &Facts) -> Result<Channel, Failure> {
        let most = self.options.connections.unwrap_or(usize::MAX);
        if self.open.get() >= most && !self.pool.close_one() {
            let detail = format!("{} connections are in use", self.open.get());
            return Err(Failure::new(Reason::TooManyConnections, detail));
        }
        let open = Open::new(&self.open);
        let (transport, endpoint) = self.gate.pass(|| self.attempt()).await?;
        let mut preface = self
            .options
            .proxy_protocol
            .map_or_else(Vec::new, |version| {
                proxy_protocol::encode(version, client.peer, client.local)
            });
        let transport = match &self.options.tls {
            None => transport,
            Some(tls) => {
                let preface = std::mem::take(&mut preface);
                encrypt(tls, transport, endpoint, &preface).await?
            }
        };
        Ok(Channel {
            transport,
            preface,
            open,
        })
    }

    /// Tries each endpoint once.
    async fn attempt(&self) -> Result<(Transport, &Endpoint), Failure> {
        let first = self.next.get();
        self.next.set(first.wrapping_add(1));
        let mut refused = String::new();
        let attempts = async {
            for offset in 0..self.connectors.len() {
                let index = first.wrapping_add(offset) % self.connectors.len();
                match self.connectors[index].connect().await {
                    Ok(transport) => return Some((transport, &self.options.endpoints[index])),
                    Err(why) => {
                        if !refused.is_empty() {
                            refused.push_str("; ");
                        }
                        refused.push_str(&why);
                    }
                }
            }
            None
        };
        match tokio::time::timeout(self.options.connect_timeout, attempts).await {
            Ok(Some(connected)) => Ok(connected),
            Ok(None) => Err(Failure::new(
                Reason::ConnectFailed,
                format!("connect to {refused}"),
            )),
            Err(_) => Err(Failure::new(
                Reason::ConnectTimeout,
                format!(
                    "connect: no answer within {:?}",
                    self.options.connect_timeout
                ),
            )),
        }
    }

    /// A request met a connection that the backend had closed: what was learned of its patience is too long.
    pub fn met_closed(&self) {
        self.pool.met_closed();
    }

    /// How long idle connections are kept now.
    pub fn idle_timeout(&self) -> Duration {
        self.pool.idle_timeout()
    }

    /// How many connections are idle.
    pub fn idle_connections(&self) -> usize {
        self.pool.len()
    }

    /// How many requests wait for it to listen.
    pub fn held(&self) -> usize {
        self.gate.waiting()
    }
}

/// Makes a TLS connection to an endpoint of a plain one, on which `preface` comes first.
async fn encrypt(
    tls: &Client,
    mut transport: Transport,
    endpoint: &Endpoint,
    preface: &[u8],
) -> Result<Transport, Failure> {
    let failed = |why: String| {
        let detail = format!("TLS to {endpoint}: {why}");
        Failure::new(Reason::BackendTlsFailed, detail)
    };
    let mut rest = preface;
    while !rest.is_empty() {
        let written = poll_fn(|cx| transport.poll_write_vectored(cx, &[IoSlice::new(rest)])).await;
        let count = written.map_err(|error| failed(error.to_string()))?;
        rest = rest.get(count.max(1)..).unwrap_or(&[]);
    }
    let connected = tls.connect(transport, endpoint.host().as_deref()).await;
    connected.map_err(|error| failed(error.to_string()))
}

impl Lease {
    /// Gives the connection back after an exchange; it is kept if it can serve another.
    pub fn release(self) {
        let one_request = self.backend.options.proxy_protocol.is_some();
        if !one_request && self.connection.is_reusable() {
            self.backend.pool.put(self.connection, self.open);
        }
    }
}
