//! What Kubernetes has no word for: `/apis/pillion.dev/v1/namespaces/NAMESPACE/pods/NAME/...`.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use manifest::meta::status::Status;
use node::detached::{self, References};
use serde::{Deserialize, Serialize};

use super::answer::{self, Body, Rejected};
use super::{not_found, pods};
use crate::server::Server;

/// More than the manifests of one Pod can be, in bytes: a ConfigMap or Secret may have 1 MiB.
const LARGEST_CHANGE: usize = 64 << 20;

/// What a detached Pod is to be from now on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Change {
    /// The Pod, and what `run` was told about it.
    pub request: detached::Request,
    /// What it refers to.
    pub references: References,
}

/// Answers a request about one Pod.
pub(crate) async fn answer(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    rest: &[&str],
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    match (request.method(), rest) {
        (&Method::PUT, ["request"]) => change(server, namespace, name, request).await,
        _ => Err(not_found()),
    }
}

async fn change(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let body = answer::whole(request, LARGEST_CHANGE).await?;
    let change: Change = serde_json::from_slice(&body)
        .map_err(|error| Status::bad_request(format!("read the change: {error}")))?;
    let node = server.node().ok_or_else(not_found)?;
    detached::change(&node, &control, &pod, &change.request, &change.references)
        .map_err(|error| Status::failure(500, "InternalError", error.to_string()))?;
    Ok(answer::json(&Status::success()))
}
