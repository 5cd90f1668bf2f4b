//! What Pods use now: `metrics.k8s.io/v1beta1`.

use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use manifest::Quantity;
use manifest::core::v1::Pod;
use manifest::meta::v1::{ObjectMeta, Time};
use node::PodControl;
use node::session::ContainerUsage;
use printers::top::{ContainerMetrics, PodMetrics};
use serde_json::json;

use super::answer::{self, Body, Rejected};
use super::list::Selection;
use super::pods;
use super::query::Query;
use crate::server::Server;

/// Nothing is measured while nobody asks: a request looks twice, this far apart.
const WINDOW: Duration = Duration::from_millis(500);

/// GET on the metrics of Pods.
pub(crate) async fn list(
    server: &Arc<Server>,
    namespace: Option<&str>,
    query: &Query,
) -> Result<Response<Body>, Rejected> {
    let selection = Selection::of::<Pod>(namespace, query)?;
    let (pods, _) = server.registry().pods.list();
    let mut measured = Vec::new();
    for pod in pods.into_iter().filter(|pod| selection.has(&**pod)) {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        if let Some(control) = server.control(uid) {
            // All at once, each over its own window.
            measured.push(tokio::spawn(async move { of(&pod, &control).await }));
        }
    }
    let mut items = Vec::new();
    for measured in measured {
        items.extend(measured.await.ok().flatten());
    }
    Ok(answer::json(&json!({
        "kind": "PodMetricsList",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": items,
    })))
}

/// GET on the metrics of one Pod.
pub(crate) async fn get(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let metrics = of(&pod, &control).await;
    let missing = || {
        manifest::meta::status::Status::not_found(
            "podmetrics.metrics.k8s.io",
            &format!("{namespace}/{name}"),
        )
    };
    Ok(answer::json(&metrics.ok_or_else(missing)?))
}

/// Nothing for a Pod that has no running container.
async fn of(pod: &Pod, control: &PodControl) -> Option<PodMetrics> {
    let usage = control.usage(WINDOW).await.ok()?;
    let containers: Vec<_> = usage.containers.iter().map(container).collect();
    (!containers.is_empty()).then(|| PodMetrics {
        kind: "PodMetrics".into(),
        api_version: "metrics.k8s.io/v1beta1".into(),
        metadata: ObjectMeta {
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            labels: pod.metadata.labels.clone(),
            creation_timestamp: pod.metadata.creation_timestamp,
            ..ObjectMeta::default()
        },
        timestamp: Some(Time(usage.time)),
        window: format!("{}ms", usage.window.as_millis()),
        containers,
    })
}

fn container(usage: &ContainerUsage) -> ContainerMetrics {
    let amount = |value: Option<u64>, unit: &str| -> Quantity {
        format!("{}{unit}", value.unwrap_or(0))
            .parse()
            .unwrap_or_default()
    };
    ContainerMetrics {
        name: usage.name.clone(),
        usage: [
            ("cpu".to_owned(), amount(usage.cpu_nanocores, "n")),
            (
                "memory".to_owned(),
                amount(usage.working_set_bytes.map(|bytes| bytes / 1024), "Ki"),
            ),
        ]
        .into_iter()
        .collect(),
    }
}
