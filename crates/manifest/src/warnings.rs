//! What a Pod asks for and does not get here, field by field, and what will hardly work as meant.
//!
//! The first part follows the support table in the schema. Fields whose effect depends on their value are judged by
//! [`asks`].

use crate::core::v1::{Container, Pod, Protocol};
use crate::findings::{Finding, Findings};
use crate::path::Path;
use crate::schema::{Kind, ObjectSchema, Support};
use crate::yaml::{Entry, Node, Value};
use crate::{IntOrString, core};

/// Fields that are set and not honoured: warnings, and errors for what cannot work.
///
/// `text` is where the tree was read from.
pub(crate) fn unsupported(
    root: &Node,
    schema: &'static ObjectSchema,
    text: &str,
) -> (Findings, Findings) {
    let mut walk = Walk {
        text,
        warnings: Findings::default(),
        refusals: Findings::default(),
    };
    walk.object(root, schema, &Path::root());
    (walk.warnings, walk.refusals)
}

struct Walk<'a> {
    text: &'a str,
    warnings: Findings,
    refusals: Findings,
}

impl Walk<'_> {
    fn object(&mut self, node: &Node, schema: &'static ObjectSchema, path: &Path) {
        let Value::Map(entries) = &node.value else {
            return;
        };
        for entry in entries {
            let Some(field) = schema.field(&entry.key) else {
                continue;
            };
            // The runner writes the status itself.
            if is_empty(&entry.value)
                || schema.name == core::v1::Pod::SCHEMA.name && field.name == "status"
            {
                continue;
            }
            let path = &path.child(field.name);
            match field.support {
                Support::Honoured => self.below(&entry.value, &field.kind, path),
                Support::Warn(would) => {
                    if asks(schema.name, field.name, &entry.value) {
                        self.warnings.push(warning(path, would));
                    }
                }
                Support::Refused(hint) => {
                    let message = "not supported on one machine";
                    self.refusals.push(Finding::at(path, message).hint(hint));
                }
                Support::Later(hint) => {
                    self.refusals
                        .push(Finding::at(path, "not supported yet").hint(hint));
                }
            }
        }
    }

    fn below(&mut self, node: &Node, kind: &'static Kind, path: &Path) {
        match (kind, &node.value) {
            (Kind::Object(schema), _) => self.object(node, schema, path),
            (Kind::List(item), Value::List(items)) => {
                for (index, node) in items.iter().enumerate() {
                    self.below(node, item, &path.index(index));
                }
            }
            (Kind::Map(item), Value::Map(entries)) => {
                for entry in entries {
                    self.reread_key(entry, path);
                    self.below(&entry.value, item, &path.key(&entry.key));
                }
            }
            _ => {}
        }
    }
}

impl Walk<'_> {
    /// A key such as `y` or `010`, which YAML 1.1 reads as something else.
    fn reread_key(&mut self, entry: &Entry, path: &Path) {
        let written = self
            .text
            .get(entry.key_span.start..entry.key_span.end)
            .unwrap_or("");
        let plain = !written.starts_with(['"', '\'', '|', '>', '!', '&', '*', '?']);
        if plain && written != entry.key && written.len() <= 40 && !written.is_empty() {
            let message = format!("the key {written} is read as {:?}", entry.key);
            let hint = format!("put it in quotes: \"{written}\"");
            self.warnings
                .push(Finding::at(&path.key(&entry.key), message).hint(hint));
        }
    }
}

fn warning(path: &Path, would: &str) -> Finding {
    Finding::at(path, format_args!("not honoured; it would {would}"))
}

/// Whether this value asks for something beyond what happens anyway.
fn asks(object: &str, field: &str, value: &Node) -> bool {
    let text = value.as_str().unwrap_or("");
    match (object, field) {
        ("PodSpec", "schedulerName") => text != "default-scheduler",
        ("PodSpec", "serviceAccountName" | "serviceAccount") => text != "default",
        ("PodSpec", "automountServiceAccountToken") => value.value == Value::Bool(true),
        ("PodSpec", "hostUsers") => value.value == Value::Bool(false),
        ("PodSpec", "priority") => value.value != Value::Int(0),
        (_, "appArmorProfile") => value.get("type").and_then(Node::as_str) != Some("Unconfined"),
        _ => true,
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// What depends on values: resources that are not limited here, ports that nothing can reach, names that lead nowhere.
pub(crate) fn pod(pod: &Pod) -> Findings {
    let mut warnings = Findings::default();
    let spec = &Path::root().child("spec");
    let lists = [
        ("initContainers", &pod.spec.init_containers),
        ("containers", &pod.spec.containers),
    ];
    for (field, containers) in lists {
        for (index, container) in containers.iter().enumerate() {
            let path = &spec.child(field).index(index);
            self::container(&mut warnings, path, container);
            file_keys(&mut warnings, path, container, pod);
        }
    }
    for (index, volume) in pod.spec.volumes.iter().enumerate() {
        let medium = volume
            .empty_dir
            .as_ref()
            .and_then(|source| source.medium.as_deref());
        let path = spec
            .child("volumes")
            .index(index)
            .child("emptyDir")
            .child("medium");
        match medium {
            None | Some("" | "Memory") => {}
            Some(medium) if medium.starts_with("HugePages") => {
                warnings.push(warning(
                    &path,
                    "back the volume with huge pages; the disk is used here",
                ));
            }
            Some(medium) => {
                let message =
                    format!("{medium:?} is no medium that Kubernetes knows; the disk is used");
                warnings.push(Finding::at(&path, message).hint("leave it out, or write `Memory`"));
            }
        }
    }
    warnings
}

/// Variables out of files of volumes that nobody mounts: the container would never start, optional or not (R19.9).
fn file_keys(warnings: &mut Findings, path: &Path, container: &Container, pod: &Pod) {
    let containers = || pod.spec.init_containers.iter().chain(&pod.spec.containers);
    for (index, variable) in container.env.iter().enumerate() {
        let from = variable.value_from.as_ref();
        let Some(file) = from.and_then(|from| from.file_key_ref.as_ref()) else {
            continue;
        };
        let name = &file.volume_name;
        let mut mounts = containers().flat_map(|container| &container.volume_mounts);
        if mounts.any(|mount| mount.name == *name) {
            continue;
        }
        let mut known = pod.spec.volumes.iter().map(|volume| volume.name.as_str());
        let path = path.child("env").index(index).child("valueFrom");
        let path = path.child("fileKeyRef").child("volumeName");
        warnings.push(if known.clone().any(|known| known == name) {
            let message =
                format!("no container mounts the volume {name:?}; this one would wait for it");
            Finding::at(&path, message).hint("mount it where the file is written")
        } else {
            let message =
                format!("no volume of this Pod is named {name:?}; the container would wait for it");
            let finding = Finding::at(&path, message);
            match crate::nearest::nearest(name, &mut known) {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None => finding.hint("add it to `volumes`, and mount it where the file is written"),
            }
        });
    }
}

fn container(warnings: &mut Findings, path: &Path, container: &Container) {
    for (field, list) in [
        (
            "limits",
            container
                .resources
                .as_ref()
                .map(|resources| &resources.limits),
        ),
        (
            "requests",
            container
                .resources
                .as_ref()
                .map(|resources| &resources.requests),
        ),
    ] {
        for name in list.into_iter().flat_map(|list| list.keys()) {
            // A request that comes from a limit was named with it.
            let limited = container
                .resources
                .iter()
                .any(|r| r.limits.contains_key(name));
            if field == "requests" && limited {
                continue;
            }
            let would = match name.as_str() {
                "cpu" | "memory" => continue,
                "ephemeral-storage" if field == "limits" => {
                    "evict the Pod when its files grow beyond this"
                }
                "ephemeral-storage" => "reserve room for files",
                _ => "give the container these devices or huge pages",
            };
            let path = path.child("resources").child(field).key(name);
            warnings.push(warning(&path, would));
        }
    }
    for (index, port) in container.ports.iter().enumerate() {
        if port.protocol == Some(Protocol::Sctp) && port.host_port.is_some() {
            let path = path.child("ports").index(index).child("hostPort");
            warnings.push(warning(&path, "forward SCTP from the machine's port"));
        }
    }
    let hook =
        |hook: Option<&core::v1::LifecycleHandler>| hook.and_then(|hook| hook.http_get.clone());
    let lifecycle = container.lifecycle.as_ref();
    let probes = [
        ("livenessProbe", container.liveness_probe.as_ref()),
        ("readinessProbe", container.readiness_probe.as_ref()),
        ("startupProbe", container.startup_probe.as_ref()),
    ];
    let mut named = Vec::new();
    for (field, probe) in probes {
        let Some(probe) = probe else { continue };
        let path = path.child(field);
        named.extend(
            probe
                .http_get
                .as_ref()
                .map(|http| (path.child("httpGet"), http.port.clone())),
        );
        named.extend(
            probe
                .tcp_socket
                .as_ref()
                .map(|tcp| (path.child("tcpSocket"), tcp.port.clone())),
        );
    }
    for (field, hook) in [
        (
            "postStart",
            hook(lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref())),
        ),
        (
            "preStop",
            hook(lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref())),
        ),
    ] {
        let path = path.child("lifecycle").child(field).child("httpGet");
        named.extend(hook.map(|http| (path, http.port)));
    }
    for (path, port) in named {
        if let IntOrString::String(name) = &port
            && crate::defaults::port_number(&port, container).is_none()
        {
            let known = container
                .ports
                .iter()
                .filter_map(|port| port.name.as_deref());
            let near = crate::nearest::nearest(name, known);
            let message =
                format!("no port of this container is named {name:?}, so this always fails");
            let finding = Finding::at(&path.child("port"), message);
            warnings.push(match near {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None => finding.hint("name a port in `ports`, or give its number"),
            });
        }
    }
}
