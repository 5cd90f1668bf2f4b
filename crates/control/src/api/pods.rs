//! Pods: read and delete.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};
use manifest::core::v1::Pod;
use manifest::meta::status::Status;
use node::PodControl;
use printers::table::{self, IncludeObject, Row, Table};
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Body, Rejected};
use super::list::{self, Listed, Selection};
use super::query::Query;
use crate::server::Server;

/// More than any `DeleteOptions` needs, in bytes.
const LARGEST_OPTIONS: usize = 64 << 10;

impl Listed for Pod {
    const FIELDS: &'static [&'static str] = &[
        "metadata.name",
        "metadata.namespace",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ];

    fn field(&self, name: &str) -> String {
        let status = self.status.as_ref();
        let found = match name {
            "metadata.name" => self.metadata.name.clone(),
            "metadata.namespace" => self.metadata.namespace.clone(),
            "spec.nodeName" => self.spec.node_name.clone(),
            "spec.restartPolicy" => Some(self.spec.restart_policy.unwrap_or_default().to_string()),
            "spec.schedulerName" => self.spec.scheduler_name.clone(),
            "spec.serviceAccountName" => self.spec.service_account_name.clone(),
            "spec.hostNetwork" => Some((self.spec.host_network == Some(true)).to_string()),
            "status.phase" => Some(status.and_then(|s| s.phase).unwrap_or_default().to_string()),
            "status.podIP" => status.and_then(|status| status.pod_ip.clone()),
            _ => None,
        };
        found.unwrap_or_default()
    }

    fn row(&self, include: IncludeObject) -> Row {
        table::pods::row(self, include, super::now())
    }

    fn table() -> Table {
        Table::new(table::pods::column_definitions(), Vec::new())
    }
}

/// GET on all Pods.
pub(crate) fn list<B>(
    server: &Arc<Server>,
    namespace: Option<&str>,
    query: &Query,
    request: &Request<B>,
) -> Result<Response<Body>, Rejected> {
    list::list(
        &server.registry().pods,
        server.over(),
        namespace,
        query,
        request,
    )
}

/// GET on one Pod.
pub(crate) fn get<B>(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    query: &Query,
    request: &Request<B>,
) -> Result<Response<Body>, Rejected> {
    let (pod, _) = find(server, namespace, name)?;
    list::one(&*pod, query, request)
}

/// A Pod, and what to ask it by.
pub(crate) fn find(
    server: &Server,
    namespace: &str,
    name: &str,
) -> Result<(Arc<Pod>, PodControl), Rejected> {
    let found = server.registry().pods.get(namespace, name).and_then(|pod| {
        let control = server.control(pod.metadata.uid.as_deref().unwrap_or_default())?;
        Some((pod, control))
    });
    found.ok_or_else(|| Status::not_found("pods", name).into())
}

/// The part of `DeleteOptions` that means something here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteOptions {
    grace_period_seconds: Option<i64>,
    preconditions: Preconditions,
    dry_run: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
}

async fn delete_options(
    query: &Query,
    request: Request<Incoming>,
) -> Result<DeleteOptions, Rejected> {
    let body = answer::whole(request, LARGEST_OPTIONS).await?;
    let mut options = if body.is_empty() {
        DeleteOptions::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            Rejected::from(Status::bad_request(format!("read DeleteOptions: {error}")))
        })?
    };
    if let Some(grace) = query.parsed("gracePeriodSeconds")? {
        options.grace_period_seconds = Some(grace);
    }
    options
        .dry_run
        .extend(query.all("dryRun").map(str::to_owned));
    if options.grace_period_seconds.is_some_and(|grace| grace < 0) {
        // As upstream: a negative grace period means one second.
        options.grace_period_seconds = Some(1);
    }
    Ok(options)
}

/// DELETE on one Pod (R8.1).
pub(crate) async fn delete(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    query: &Query,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let options = delete_options(query, request).await?;
    let (pod, control) = find(server, namespace, name)?;
    if let Some(wanted) = &options.preconditions.uid
        && pod.metadata.uid.as_ref() != Some(wanted)
    {
        let own = pod.metadata.uid.as_deref().unwrap_or_default();
        let message = format!(
            "Operation cannot be fulfilled on Pod \"{name}\": the UID in the precondition ({wanted}) does not match the \
             UID in record ({own}). The object might have been deleted and then recreated"
        );
        return Err(Status::failure(409, "Conflict", message)
            .about("pods", name)
            .into());
    }
    if options.dry_run.is_empty() {
        control.delete(options.grace_period_seconds);
    }
    Ok(answer::json(
        &*asked_to_end(server, namespace, name, pod).await,
    ))
}

/// The Pod once it says that it ends, or as it was last.
async fn asked_to_end(server: &Server, namespace: &str, name: &str, pod: Arc<Pod>) -> Arc<Pod> {
    // The Pod's task takes the request in its next turn, which comes before ours.
    tokio::task::yield_now().await;
    server.registry().pods.get(namespace, name).unwrap_or(pod)
}

/// DELETE on the Pods of a namespace.
pub(crate) async fn delete_all(
    server: &Arc<Server>,
    namespace: &str,
    query: &Query,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let selection = Selection::of::<Pod>(Some(namespace), query)?;
    let options = delete_options(query, request).await?;
    let (pods, version) = server.registry().pods.list();
    let pods: Vec<_> = pods
        .into_iter()
        .filter(|pod| selection.has(&**pod))
        .collect();
    if options.dry_run.is_empty() {
        let uids = pods.iter().filter_map(|pod| pod.metadata.uid.as_deref());
        for control in uids.filter_map(|uid| server.control(uid)) {
            control.delete(options.grace_period_seconds);
        }
    }
    Ok(answer::json(&json!({
        "apiVersion": "v1",
        "kind": "PodList",
        "metadata": { "resourceVersion": version.to_string() },
        "items": pods,
    })))
}
