//! Kubernetes Events about a Pod.

use lifecycle::{PodEvent, Time};
use manifest::core::v1::{Event, EventSource, ObjectReference, Pod};

/// The Event object for something that the state machine, or the node, has to say.
pub(crate) fn event(pod: &Pod, node_name: &str, event: &PodEvent, number: u64, now: Time) -> Event {
    let metadata = &pod.metadata;
    let name = metadata.name.clone().unwrap_or_default();
    let mut object = Event {
        involved_object: ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            field_path: event
                .container
                .as_deref()
                .map(|container| field_path(pod, container)),
            ..ObjectReference::default()
        },
        reason: Some(event.reason.clone()),
        message: Some(event.message.clone()),
        source: Some(EventSource {
            component: Some("kubelet".into()),
            host: Some(node_name.into()),
        }),
        first_timestamp: Some(now.to_meta()),
        last_timestamp: Some(now.to_meta()),
        count: Some(1),
        type_: Some(event.kind.to_string()),
        reporting_component: "kubelet".into(),
        reporting_instance: node_name.into(),
        ..Event::default()
    };
    // Named as Kubernetes names them: the object and a hexadecimal number that makes it unique.
    object.metadata.name = Some(format!(
        "{name}.{:x}",
        (now.0 as u64) << 20 | (number & 0xf_ffff)
    ));
    object.metadata.namespace = metadata.namespace.clone();
    object.metadata.creation_timestamp = Some(now.to_meta());
    object
}

fn field_path(pod: &Pod, container: &str) -> String {
    let is_init = pod
        .spec
        .init_containers
        .iter()
        .any(|init| init.name == container);
    let list = if is_init {
        "initContainers"
    } else {
        "containers"
    };
    format!("spec.{list}{{{container}}}")
}
