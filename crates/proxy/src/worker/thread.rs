//! A worker: one thread with a runtime of its own, its own sockets, and everything of the connections that come by them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::LocalSet;

use crate::config::Bind;
use crate::exchange::run::Record;
use crate::listener::Socket;
use crate::metrics::Exchange;
use crate::snapshot::Snapshot;
use crate::transport::Transport;

use super::accept;
use super::drain::Drain;
use super::place::Place;
use super::session::Names;
use super::shared::Shared;

/// What a worker is told.
#[derive(Debug)]
pub enum Order {
    /// Accept connections from this socket too.
    Listen(Bind, Socket),
    /// Accept no more from this address.
    Close(Bind),
    /// Accept no more at all, and end when the last connection has ended.
    Drain,
}

/// A worker, as its connections see it.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) drain: Drain,
    /// Memory for lines of the access log.
    pub(super) space: RefCell<Vec<u8>>,
    snapshots: RefCell<watch::Receiver<Arc<Snapshot>>>,
    place: RefCell<Rc<Place>>,
    counters: RefCell<Counters>,
    open: Cell<usize>,
    closed: Notify,
}

/// By names of listener, route and backend, and by status: few, since all of them are configured.
type Counters = HashMap<(String, String, String), HashMap<u16, Exchange>>;

impl Worker {
    /// What the newest snapshot is here.
    pub(super) fn place(&self) -> Rc<Place> {
        let mut snapshots = self.snapshots.borrow_mut();
        if snapshots.has_changed().unwrap_or(false) {
            let newest = Arc::clone(&snapshots.borrow_and_update());
            let place = Place::new(newest, &self.shared, Some(&self.place.borrow()));
            self.place.replace(place);
        }
        Rc::clone(&self.place.borrow())
    }

    /// Counts an exchange that is over.
    pub(super) fn count(&self, names: &Names<'_>, record: &Record<'_>) {
        let metrics = &self.shared.metrics;
        let (route, backend) = (names.route.unwrap_or(""), names.backend.unwrap_or(""));
        let code = if record.status > 599 {
            599
        } else {
            record.status
        };
        let mut counters = self.counters.borrow_mut();
        let key = (
            names.listener.to_owned(),
            route.to_owned(),
            backend.to_owned(),
        );
        let by_code = counters.entry(key).or_default();
        by_code
            .entry(code)
            .or_insert_with(|| metrics.exchange(names.listener, route, backend, code))
            .finished(record.took, record.received, record.sent);
        if let Some(failure) = record.failure {
            metrics.failed(names.listener, failure.reason.name());
        }
        if record.replayed {
            metrics.replays.inc();
        }
    }
}

/// A connection that counts as long as this lives.
pub(super) struct Counted {
    worker: Rc<Worker>,
    gauge: sidecar_kit::metrics::client::metrics::gauge::Gauge,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.gauge.dec();
        self.worker
            .shared
            .connections
            .fetch_sub(1, Ordering::Relaxed);
        self.worker.open.set(self.worker.open.get() - 1);
        if self.worker.open.get() == 0 {
            self.worker.closed.notify_waiters();
        }
    }
}

/// Runs a worker on this thread until it is told to drain and its last connection has ended.
///
/// # Errors
/// The kernel gives no event queue.
pub fn run(
    shared: Arc<Shared>,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    orders: mpsc::UnboundedReceiver<Order>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let first = Arc::clone(&snapshots.borrow_and_update());
    let place = Place::new(first, &shared, None);
    let worker = Rc::new(Worker {
        shared,
        drain: Drain::default(),
        space: RefCell::default(),
        snapshots: RefCell::new(snapshots),
        place: RefCell::new(place),
        counters: RefCell::default(),
        open: Cell::new(0),
        closed: Notify::new(),
    });
    LocalSet::new().block_on(&runtime, work(worker, orders));
    Ok(())
}

async fn work(worker: Rc<Worker>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut accepting: HashMap<Bind, Rc<Notify>> = HashMap::new();
    let mut tasks = Vec::new();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Listen(bind, socket) => {
                let stop = Rc::new(Notify::new());
                accepting.insert(bind.clone(), Rc::clone(&stop));
                let worker = Rc::clone(&worker);
                tasks.push(tokio::task::spawn_local(accept_all(
                    worker, bind, socket, stop,
                )));
            }
            Order::Close(bind) => {
                if let Some(stop) = accepting.remove(&bind) {
                    stop.notify_one();
                }
            }
            Order::Drain => break,
        }
    }
    for stop in accepting.values() {
        stop.notify_one();
    }
    // What waits in the queues of the sockets is accepted first: closing them would reset it.
    for task in tasks {
        let _ = task.await;
    }
    worker.drain.begin();
    while worker.open.get() > 0 {
        worker.closed.notified().await;
    }
}

/// A socket within a worker's runtime.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn new(socket: Socket) -> io::Result<Self> {
        match socket {
            Socket::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            Socket::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    fn poll_accept(&self, cx: &mut std::task::Context<'_>) -> Poll<io::Result<Transport>> {
        match self {
            Self::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| Transport::tcp(stream)),
            Self::Unix(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| Transport::unix(stream)),
        }
    }
}

async fn accept_all(worker: Rc<Worker>, bind: Bind, socket: Socket, stop: Rc<Notify>) {
    let Ok(listener) = Listener::new(socket) else {
        worker.shared.metrics.accept_failures.inc();
        return;
    };
    let (accepted, gauge) = worker.shared.metrics.connections(&bind.to_string());
    let mut stopped = std::pin::pin!(stop.notified());
    let mut stopping = false;
    loop {
        let next = poll_fn(|cx| {
            use std::future::Future;
            stopping = stopping || stopped.as_mut().poll(cx).is_ready();
            match listener.poll_accept(cx) {
                Poll::Ready(next) => Poll::Ready(Some(next)),
                Poll::Pending if stopping => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        match next.await {
            None => return,
            Some(Ok(transport)) => {
                accepted.inc();
                let most = worker.place().config().limits.connections;
                if worker.shared.connections.load(Ordering::Relaxed) >= most {
                    worker.shared.metrics.turned_away.inc();
                    continue;
                }
                worker.shared.connections.fetch_add(1, Ordering::Relaxed);
                worker.open.set(worker.open.get() + 1);
                gauge.inc();
                let counted = Counted {
                    worker: Rc::clone(&worker),
                    gauge: gauge.clone(),
                };
                let served = accept::serve(Rc::clone(&worker), bind.clone(), transport);
                tokio::task::spawn_local(async move {
                    served.await;
                    drop(counted);
                });
            }
            Some(Err(error)) => {
                // The client went away already, or there are no descriptors: those who have some must give them back first.
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    worker.shared.metrics.accept_failures.inc();
                    if stopping {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}
