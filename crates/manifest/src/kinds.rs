//! Which object a document is, by `apiVersion` and `kind`; for others, what to do instead.

use crate::decode::FormFinding;
use crate::findings::Finding;
use crate::nearest::nearest;
use crate::path::Path;
use crate::yaml::{Node, Value};

/// Kinds that are read.
pub(crate) enum Known {
    Pod,
    ConfigMap,
    Secret,
    List,
}

const WORKLOAD: &str =
    "a Pod of its `template` can be run: write `kind: Pod` with its `metadata` and `spec`";
const ELSEWHERE: &str = "it has no effect on one machine: leave this document out";

/// Kinds that are known and not read, their API version, and what to do about them.
const OTHERS: &[(&str, &str, &str)] = &[
    ("Deployment", "apps/v1", WORKLOAD),
    ("ReplicaSet", "apps/v1", WORKLOAD),
    ("StatefulSet", "apps/v1", WORKLOAD),
    ("DaemonSet", "apps/v1", WORKLOAD),
    ("Job", "batch/v1", WORKLOAD),
    ("CronJob", "batch/v1", WORKLOAD),
    ("ReplicationController", "v1", WORKLOAD),
    ("PodTemplate", "v1", WORKLOAD),
    (
        "Service",
        "v1",
        "publish a port of the Pod with `hostPort` or --publish, and leave this document out",
    ),
    (
        "Ingress",
        "networking.k8s.io/v1",
        "publish a port of the Pod with `hostPort` or --publish instead",
    ),
    (
        "PersistentVolumeClaim",
        "v1",
        "use a hostPath or emptyDir volume instead",
    ),
    ("PersistentVolume", "v1", "use a hostPath volume instead"),
    ("StorageClass", "storage.k8s.io/v1", ELSEWHERE),
    ("Namespace", "v1", ELSEWHERE),
    ("ServiceAccount", "v1", ELSEWHERE),
    ("Role", "rbac.authorization.k8s.io/v1", ELSEWHERE),
    ("RoleBinding", "rbac.authorization.k8s.io/v1", ELSEWHERE),
    ("ClusterRole", "rbac.authorization.k8s.io/v1", ELSEWHERE),
    (
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io/v1",
        ELSEWHERE,
    ),
    ("NetworkPolicy", "networking.k8s.io/v1", ELSEWHERE),
    ("PodDisruptionBudget", "policy/v1", ELSEWHERE),
    ("HorizontalPodAutoscaler", "autoscaling/v2", ELSEWHERE),
    ("LimitRange", "v1", ELSEWHERE),
    ("ResourceQuota", "v1", ELSEWHERE),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        ELSEWHERE,
    ),
];

const READ: [&str; 4] = ["Pod", "ConfigMap", "Secret", "List"];

pub(crate) fn identify(tree: &Node) -> Result<Known, Box<FormFinding>> {
    let refuse = |message: String, hint: &str, node: &Node| {
        let finding = Finding::plain(&Path::root(), message).hint(hint);
        let first = match &tree.value {
            Value::Map(entries) if !entries.is_empty() && std::ptr::eq(node, tree) => {
                entries[0].key_span
            }
            _ => node.span,
        };
        Err(Box::new(FormFinding {
            finding,
            span: first,
            unknown: None,
        }))
    };
    if !matches!(tree.value, Value::Map(_)) {
        let hint = "a document begins with `apiVersion: v1` and `kind: Pod`";
        return refuse("this is no Kubernetes object".to_owned(), hint, tree);
    }
    let text = |name: &str| {
        tree.get(name)
            .and_then(|node| Some((node, node.as_str().filter(|t| !t.is_empty())?)))
    };
    let Some((kind_node, kind)) = text("kind") else {
        return refuse(
            "Object 'Kind' is missing".to_owned(),
            "add `kind: Pod` or what it is",
            tree,
        );
    };
    let Some((version_node, version)) = text("apiVersion") else {
        let known = OTHERS
            .iter()
            .find(|(known, ..)| *known == kind)
            .map_or("v1", |(_, version, _)| version);
        return refuse(
            "Object 'apiVersion' is missing".to_owned(),
            &format!("add `apiVersion: {known}`"),
            tree,
        );
    };
    let known = match kind {
        "Pod" => Known::Pod,
        "ConfigMap" => Known::ConfigMap,
        "Secret" => Known::Secret,
        "List" | "PodList" | "ConfigMapList" | "SecretList" => Known::List,
        _ => {
            if let Some((_, _, hint)) = OTHERS.iter().find(|(known, ..)| *known == kind) {
                let message = format!(
                    "kind {kind} ({}) is not supported yet",
                    version.escape_debug()
                );
                return refuse(message, hint, kind_node);
            }
            let names = READ
                .into_iter()
                .chain(OTHERS.iter().map(|(known, ..)| *known));
            let message = format!("no matches for kind {kind:?} in version {version:?}");
            let hint = match nearest(kind, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("kinds that are read: {}", READ.join(", ")),
            };
            return refuse(message, &hint, kind_node);
        }
    };
    if version != "v1" {
        let message = format!("no matches for kind {kind:?} in version {version:?}");
        return refuse(message, "write `apiVersion: v1`", version_node);
    }
    Ok(known)
}
