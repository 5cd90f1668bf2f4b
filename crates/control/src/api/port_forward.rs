//! Port-forward: connections to a Pod's own addresses, carried over the client's one connection.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};
use node::PodControl;
use streaming::server::{self as wire, Forward};

use super::answer::{Body, Rejected, wired};
use super::pods;
use crate::server::Server;

/// GET (WebSocket) or POST (SPDY) on a Pod's portforward.
pub(crate) fn answer(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let (answer, pending) = wire::port_forward(&mut request);
    if let Some(pending) = pending {
        tokio::spawn(async move {
            // A client that has left by now wanted nothing.
            let Ok(mut session) = pending.session().await else {
                return;
            };
            while let Some(forward) = session.next().await {
                tokio::spawn(carry(control.clone(), uid.clone(), forward));
            }
        });
    }
    Ok(wired(answer))
}

async fn carry(control: PodControl, uid: String, forward: Forward) {
    let Forward {
        port,
        reader,
        writer,
        error,
    } = forward;
    match control.dial(port).await {
        Ok(mut stream) => {
            let mut client = tokio::io::join(reader, writer);
            // Either side may end it as it likes.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut stream).await;
        }
        Err(cause) => {
            let message = format!("error forwarding port {port} to pod {uid}, uid : {cause}");
            error.send(&message).await;
        }
    }
}
