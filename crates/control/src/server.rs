//! The listening side: connections, requests, answers.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use node::{Node, PodControl, PodHandle};
use tokio::net::UnixListener;

use crate::api;
use crate::registry::Registry;

/// The API of this process' Pods.
#[derive(Debug)]
pub struct Server {
    /// Weak, because whoever runs the Pods decides when all is said.
    node: Weak<Node>,
    registry: Arc<Registry>,
    controls: Mutex<Vec<(String, PodControl)>>,
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
        });
        tokio::spawn(accept(Arc::clone(&server), listener));
        Ok(server)
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
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
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
                // A client that goes away in the middle of something is no error of ours.
                tokio::spawn(connection);
            }
            // No descriptor is free: those who wait can wait a little longer.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
