//! The downward API: fields and resources of the Pod as values (R19.6, R19.7).

use std::net::IpAddr;

use manifest::Quantity;
use manifest::core::v1::{Container, Pod, ResourceFieldSelector};

use super::ConfigError;

/// What the node knows about itself and about a running Pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeFacts {
    /// The node's name.
    pub(crate) node_name: String,
    /// The node's addresses, the primary one first.
    pub(crate) host_ips: Vec<IpAddr>,
    /// The Pod's addresses, the primary one first.
    pub(crate) pod_ips: Vec<IpAddr>,
    /// CPUs of the node, in millicores: what an absent limit falls back to.
    pub(crate) cpu_millis: i64,
    /// Memory of the node, in bytes.
    pub(crate) memory_bytes: i64,
}

/// The value of a field path that an environment variable or a volume may refer to.
pub(crate) fn field(pod: &Pod, facts: &NodeFacts, path: &str) -> Result<String, ConfigError> {
    let metadata = &pod.metadata;
    if let Some(key) = subscript(path, "metadata.labels") {
        return Ok(metadata.labels.get(key).cloned().unwrap_or_default());
    }
    if let Some(key) = subscript(path, "metadata.annotations") {
        return Ok(metadata.annotations.get(key).cloned().unwrap_or_default());
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let join = |ips: &[IpAddr]| {
        ips.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let first = |ips: &[IpAddr]| ips.first().map(ToString::to_string).unwrap_or_default();
    Ok(match path {
        "metadata.name" => text(&metadata.name),
        "metadata.namespace" => metadata
            .namespace
            .clone()
            .unwrap_or_else(|| "default".into()),
        "metadata.uid" => text(&metadata.uid),
        "metadata.labels" => lines(&metadata.labels),
        "metadata.annotations" => lines(&metadata.annotations),
        "spec.nodeName" => facts.node_name.clone(),
        "spec.serviceAccountName" => pod
            .spec
            .service_account_name
            .clone()
            .unwrap_or_else(|| "default".into()),
        "status.podIP" => first(&facts.pod_ips),
        "status.podIPs" => join(&facts.pod_ips),
        "status.hostIP" => first(&facts.host_ips),
        "status.hostIPs" => join(&facts.host_ips),
        _ => return Err(ConfigError::Field(format!("unsupported fieldPath: {path}"))),
    })
}

/// `key="escaped value"` a line, sorted by key.
fn lines(map: &std::collections::BTreeMap<String, String>) -> String {
    map.iter()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn subscript<'a>(path: &'a str, of: &str) -> Option<&'a str> {
    path.strip_prefix(of)?
        .strip_prefix("['")?
        .strip_suffix("']")
}

/// The value of a resource of a container, divided by the divisor and rounded up.
pub(crate) fn resource(
    pod: &Pod,
    container: &Container,
    facts: &NodeFacts,
    reference: &ResourceFieldSelector,
) -> Result<String, ConfigError> {
    let container = match &reference.container_name {
        None => container,
        Some(name) => pod
            .spec
            .containers
            .iter()
            .chain(&pod.spec.init_containers)
            .find(|container| container.name == *name)
            .ok_or_else(|| ConfigError::Field(format!("container {name} not found")))?,
    };
    let wrong = || {
        ConfigError::Field(format!(
            "unsupported container resource: {}",
            reference.resource
        ))
    };
    let (which, name) = reference.resource.split_once('.').ok_or_else(wrong)?;
    let resources = container.resources.as_ref();
    let value = match which {
        "limits" => resources.and_then(|resources| resources.limits.get(name)),
        "requests" => resources.and_then(|resources| resources.requests.get(name)),
        _ => return Err(wrong()),
    };
    let value = match (value, which, name) {
        (Some(value), _, _) => *value,
        (None, "limits", "cpu") => Quantity::from_millis(facts.cpu_millis),
        (None, "limits", "memory") => Quantity::from_bytes(facts.memory_bytes),
        _ => Quantity::ZERO,
    };
    Ok(value
        .divided_by(reference.divisor.unwrap_or(Quantity::ZERO))
        .to_string())
}
