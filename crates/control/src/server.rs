//! The listening side: connections, requests, answers.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use node::{Node, PodControl, PodHandle};
use tokio::net::UnixListener;
use tokio::sync::watch;

use crate::api;
use crate::registry::Registry;

/// How long the end waits for clients that are slow to read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The API of this process' Pods.
#[derive(Debug)]
pub struct Server {
    /// Weak, because whoever runs the Pods decides when all is said.
    node: Weak<Node>,
    registry: Arc<Registry>,
    controls: Mutex<Vec<(String, PodControl)>>,
    /// Told at the end. Whatever has to come to its end before holds a receiver.
    over: watch::Sender<bool>,
}

impl Server {
    /// Starts to answer at the registry's endpoint, for as long as the runtime runs.
    ///
    /// # Errors
    /// When the process has no descriptor left for the socket.
    pub fn start(node: &Arc<Node>, registry: Arc<Registry>) -> io::Result<Arc<Self>> {
        let listener = UnixListener::from_std(registry.endpoint().listener()?)?;
        let server = Arc::new(Self {
            node: Arc::downgrade(node),
            registry,
            controls: Mutex::default(),
            over: watch::Sender::new(false),
        });
        tokio::spawn(accept(Arc::clone(&server), listener));
        Ok(server)
    }

    /// Takes no more requests and finishes the answers that are under way: the ends of logs, the last changes of watches. To be
    /// called when the Pods have ended, or answers would be cut off by the end of the process.
    pub async fn finish(&self) {
        self.over.send_replace(true);
        // Who does not read is not waited for any longer.
        let _ = tokio::time::timeout(LAST_WORDS, self.over.closed()).await;
    }

    /// Serves a Pod: from now on it can be asked for by its name.
    ///
    /// # Errors
    /// When the link to the socket cannot be made; the Pod is found in lists then, but not by name.
    pub fn add(&self, handle: &PodHandle) -> Result<(), node::state::StateError> {
        let pod = Arc::clone(&handle.status().borrow());
        let mut controls = self.controls.lock().unwrap_or_else(PoisonError::into_inner);
        controls.retain(|(_, control)| !control.is_over());
        controls.push((
            pod.metadata.uid.clone().unwrap_or_default(),
            handle.control(),
        ));
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        self.registry.endpoint().link(namespace, name)
    }

    /// Tells when the server comes to its end, which waits until this is dropped.
    pub(crate) fn over(&self) -> watch::Receiver<bool> {
        self.over.subscribe()
    }

    pub(crate) fn node(&self) -> Option<Arc<Node>> {
        self.node.upgrade()
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What to ask a Pod by; nothing for one that is gone.
    pub(crate) fn control(&self, uid: &str) -> Option<PodControl> {
        let controls = self.controls.lock().unwrap_or_else(PoisonError::into_inner);
        let found = controls.iter().find(|(known, _)| known == uid);
        found.map(|(_, control)| control.clone())
    }
}

async fn accept(server: Arc<Server>, listener: UnixListener) {
    let mut over = server.over();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = over.wait_for(|over| *over) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let mut over = server.over();
                let server = Arc::clone(&server);
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(api::answer(server, request).await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .half_close(true)
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                tokio::spawn(async move {
                    let mut connection = pin!(connection);
                    // A client that goes away in the middle of something is no error of ours.
                    tokio::select! {
                        _ = connection.as_mut() => return,
                        _ = over.wait_for(|over| *over) => connection.as_mut().graceful_shutdown(),
                    }
                    let _ = connection.await;
                });
            }
            // No descriptor is free: those who wait can wait a little longer.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
