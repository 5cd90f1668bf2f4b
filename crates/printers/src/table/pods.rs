//! Pods as a table, after upstream's `printPod`.

use lifecycle::{Time, columns};
use manifest::core::v1::{ConditionStatus, Pod, PodPhase, PodStatus};

use super::{Column, IncludeObject, Row, RowCondition, Table};
use crate::duration::age;

const NONE: &str = "<none>";

/// All Pods in the order given.
#[must_use]
pub fn table<'a>(
    pods: impl IntoIterator<Item = &'a Pod>,
    include: IncludeObject,
    now: Time,
) -> Table {
    let rows = pods.into_iter().map(|pod| row(pod, include, now));
    Table::new(column_definitions(), rows.collect())
}

/// NAME READY STATUS RESTARTS AGE; wide: IP, NODE, NOMINATED NODE, READINESS GATES.
#[must_use]
pub fn column_definitions() -> Vec<Column> {
    vec![
        Column::text("Name", "Name of the Pod, unique in its namespace.").named(),
        Column::text("Ready", "Containers that are ready, of all that should be."),
        Column::text(
            "Status",
            "What the Pod does, from its phase and the states of its containers.",
        ),
        Column::text(
            "Restarts",
            "How often containers were restarted, and when last.",
        ),
        Column::text("Age", "Time since the Pod was created."),
        Column::text("IP", "Address of the Pod.").wide(),
        Column::text("Node", "Machine the Pod runs on.").wide(),
        Column::text(
            "Nominated Node",
            "Machine that is being cleared for the Pod.",
        )
        .wide(),
        Column::text(
            "Readiness Gates",
            "Extra conditions of readiness that hold, of all.",
        )
        .wide(),
    ]
}

/// One Pod.
#[must_use]
pub fn row(pod: &Pod, include: IncludeObject, now: Time) -> Row {
    let nothing = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&nothing);
    let metadata = &pod.metadata;
    let deleting = metadata.deletion_timestamp.is_some();
    let shown = columns::columns(&pod.spec, status, deleting, now);
    let or_none = |text: Option<&str>| {
        let text = text.filter(|text| !text.is_empty());
        text.unwrap_or(NONE).to_owned()
    };
    let first_ip = status.pod_ips.first().map(|ip| ip.ip.as_str());
    let cells = [
        metadata.name.clone().unwrap_or_default(),
        shown.ready,
        shown.status,
        shown.restarts,
        age(metadata.creation_timestamp, now),
        or_none(first_ip.or(status.pod_ip.as_deref())),
        or_none(pod.spec.node_name.as_deref()),
        or_none(status.nominated_node_name.as_deref()),
        readiness_gates(pod, status),
    ];
    Row {
        cells: cells.into_iter().map(Into::into).collect(),
        conditions: completed(status),
        object: include.of(metadata, pod),
    }
}

fn readiness_gates(pod: &Pod, status: &PodStatus) -> String {
    let gates = &pod.spec.readiness_gates;
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let holds = |gate: &str| {
        let condition = status.conditions.iter().find(|c| c.type_ == gate);
        condition.is_some_and(|c| c.status == ConditionStatus::True)
    };
    let true_gates = gates.iter().filter(|gate| holds(&gate.condition_type));
    format!("{}/{}", true_gates.count(), gates.len())
}

/// Rows of Pods that have ended say so, for clients that leave them out.
fn completed(status: &PodStatus) -> Vec<RowCondition> {
    let message = match status.phase {
        Some(PodPhase::Succeeded) => "The pod has completed successfully.",
        Some(PodPhase::Failed) => "The pod failed.",
        _ => return Vec::new(),
    };
    vec![RowCondition {
        r#type: "Completed".to_owned(),
        status: "True".to_owned(),
        reason: status.phase.unwrap_or_default().to_string(),
        message: message.to_owned(),
    }]
}
