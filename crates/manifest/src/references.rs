//! Checks across objects: two of one name, two Pods that want one port, references that lead nowhere.

use std::collections::{BTreeSet, HashMap};

use crate::core::v1::{Container, Pod};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Finding;
use crate::load::{Located, Names, Object};
use crate::path::Path;

/// `incomplete`: some object may be missing because it could not be read, so references are not judged.
pub(crate) fn check(objects: &[Object], incomplete: bool) -> Vec<Diagnostic> {
    let mut messages = Vec::new();
    unique(objects, &mut messages);
    let pods: Vec<&Located<Pod>> = objects
        .iter()
        .filter_map(|object| match object {
            Object::Pod(pod) => Some(pod),
            _ => None,
        })
        .collect();
    host_ports(&pods, &mut messages);
    if !incomplete {
        let mut names = Names::new();
        for object in objects {
            let meta = object.metadata();
            let namespace = meta.namespace.as_deref().unwrap_or("");
            names
                .entry((object.kind(), namespace))
                .or_default()
                .extend(meta.name.as_deref());
        }
        for pod in pods {
            references(pod, &names, &mut messages);
            keys(pod, objects, &mut messages);
        }
    }
    messages
}

/// Two objects of one kind, namespace and name: the second would replace the first.
fn unique(objects: &[Object], messages: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<(&str, &str, &str), &Object> = HashMap::new();
    for object in objects {
        let meta = object.metadata();
        let (Some(name), Some(namespace)) = (meta.name.as_deref(), meta.namespace.as_deref())
        else {
            continue;
        };
        let key = (object.kind(), namespace, name);
        let Some(first) = seen.get(&key) else {
            seen.insert(key, object);
            continue;
        };
        let path = &Path::root().child("metadata").child("name");
        let message = format!("{} {name:?} is given twice", object.kind());
        let finding = Finding::plain(path, message).hint("give one of them another name");
        let mut message = object.origin().diagnostic(Severity::Error, &finding);
        let first = first.origin();
        let related = first
            .source
            .excerpt(path.locate(&first.tree), "first given here", &[]);
        message.excerpts.push(related);
        messages.push(message);
    }
}

/// A port of the machine that two Pods want: the second to start cannot have it.
fn host_ports(pods: &[&Located<Pod>], messages: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (pod_index, pod) in pods.iter().enumerate() {
        for (path, container) in containers(&pod.object) {
            for (port_index, port) in container.ports.iter().enumerate() {
                let Some(number) = port.host_port else {
                    continue;
                };
                let protocol = port.protocol.unwrap_or_default();
                let claim = format!(
                    "{protocol}/{}/{number}",
                    port.host_ip.as_deref().unwrap_or("")
                );
                let first = *seen.entry(claim).or_insert(pod_index);
                if first == pod_index {
                    continue;
                }
                let path = path.child("ports").index(port_index).child("hostPort");
                let other = pods[first].object.metadata.name.as_deref().unwrap_or("");
                let message =
                    format!("Pod {other:?} wants port {number}/{protocol} of this machine too");
                let finding = Finding::at(&path, message).hint("only one of the two can have it");
                messages.push(pod.origin.diagnostic(Severity::Warning, &finding));
            }
        }
    }
}

/// References to ConfigMaps and Secrets that are not among the manifests: the Pod would wait for them (R11.3, R11.4).
fn references(pod: &Located<Pod>, names: &Names<'_>, messages: &mut Vec<Diagnostic>) {
    let namespace = pod.object.metadata.namespace.as_deref().unwrap_or("");
    for (path, kind, name, optional) in wanted(&pod.object) {
        let known = names.get(&(kind, namespace));
        if optional == Some(true) || known.is_some_and(|known| known.contains(name.as_str())) {
            continue;
        }
        let message =
            format!("no {kind} {name:?} is among the manifests; the Pod would wait for it");
        let near = crate::nearest::nearest(name, known.into_iter().flatten().copied());
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to the manifests, or set `optional: true`".to_owned(),
        };
        let finding = Finding::at(&path, message).hint(hint);
        messages.push(pod.origin.diagnostic(Severity::Warning, &finding));
    }
}

/// The ConfigMaps and Secrets that a Pod refers to, as kind and name; they are in its own namespace.
#[must_use]
pub fn referenced(pod: &Pod) -> BTreeSet<(&'static str, &str)> {
    let wanted = wanted(pod).into_iter();
    wanted
        .map(|(_, kind, name, _)| (kind, name.as_str()))
        .collect()
}

fn wanted(pod: &Pod) -> Vec<Wanted<'_>> {
    let mut wanted = Vec::new();
    let spec = &Path::root().child("spec");
    for (path, container) in containers(pod) {
        container_references(&path, container, &mut wanted);
    }
    for (index, volume) in pod.spec.volumes.iter().enumerate() {
        let path = &spec.child("volumes").index(index);
        if let Some(source) = &volume.config_map {
            let path = path.child("configMap").child("name");
            wanted.push((path, "ConfigMap", &source.name, source.optional));
        }
        if let Some(source) = &volume.secret {
            let path = path.child("secret").child("secretName");
            wanted.push((path, "Secret", &source.secret_name, source.optional));
        }
        let sources = volume
            .projected
            .iter()
            .flat_map(|projected| &projected.sources);
        for (index, projection) in sources.enumerate() {
            let path = &path.child("projected").child("sources").index(index);
            if let Some(source) = &projection.config_map {
                let path = path.child("configMap").child("name");
                wanted.push((path, "ConfigMap", &source.name, source.optional));
            }
            if let Some(source) = &projection.secret {
                let path = path.child("secret").child("name");
                wanted.push((path, "Secret", &source.name, source.optional));
            }
        }
    }
    wanted
}

/// Keys that variables take from ConfigMaps and Secrets which have none of that name (R11.3).
fn keys(pod: &Located<Pod>, objects: &[Object], messages: &mut Vec<Diagnostic>) {
    let mut judge = |path: Path, kind: &str, name: &str, key: &str, optional: Option<bool>| {
        let known = keys_of(objects, pod, kind, name);
        let Some(known) = known.filter(|known| optional != Some(true) && !known.contains(&key))
        else {
            return;
        };
        let message = format!("{kind} {name:?} has no key {key:?}; the Pod would wait for it");
        let mut finding = Finding::at(&path.child("key"), message);
        if let Some(near) = crate::nearest::nearest(key, known.into_iter()) {
            finding = finding.hint(format!("did you mean `{near}`?"));
        }
        messages.push(pod.origin.diagnostic(Severity::Warning, &finding));
    };
    for (path, container) in containers(&pod.object) {
        for (index, variable) in container.env.iter().enumerate() {
            let Some(from) = &variable.value_from else {
                continue;
            };
            let path = path.child("env").index(index).child("valueFrom");
            if let Some(source) = &from.config_map_key_ref {
                let path = path.child("configMapKeyRef");
                judge(
                    path,
                    "ConfigMap",
                    &source.name,
                    &source.key,
                    source.optional,
                );
            }
            if let Some(source) = &from.secret_key_ref {
                let path = path.child("secretKeyRef");
                judge(path, "Secret", &source.name, &source.key, source.optional);
            }
        }
    }
}

/// All containers of a Pod and where they stand, in the order in which they start.
fn containers(pod: &Pod) -> impl Iterator<Item = (Path, &Container)> {
    let lists = [
        ("initContainers", &pod.spec.init_containers),
        ("containers", &pod.spec.containers),
    ];
    lists.into_iter().flat_map(|(field, list)| {
        let path = Path::root().child("spec").child(field);
        list.iter()
            .enumerate()
            .map(move |(index, container)| (path.index(index), container))
    })
}

/// The keys of the object of this kind and name in the Pod's namespace, if it is among the manifests.
fn keys_of<'a>(
    objects: &'a [Object],
    pod: &Located<Pod>,
    kind: &str,
    name: &str,
) -> Option<Vec<&'a str>> {
    let wanted = |object: &&Object| {
        let meta = object.metadata();
        object.kind() == kind
            && meta.name.as_deref() == Some(name)
            && meta.namespace == pod.object.metadata.namespace
    };
    match objects.iter().find(wanted)? {
        Object::ConfigMap(map) => Some(map.object.data.keys().map(String::as_str).collect()),
        Object::Secret(secret) => Some(secret.object.data.keys().map(String::as_str).collect()),
        Object::Pod(_) => None,
    }
}

type Wanted<'a> = (Path, &'static str, &'a String, Option<bool>);

fn container_references<'a>(path: &Path, container: &'a Container, wanted: &mut Vec<Wanted<'a>>) {
    for (index, source) in container.env_from.iter().enumerate() {
        let path = &path.child("envFrom").index(index);
        if let Some(source) = &source.config_map_ref {
            let path = path.child("configMapRef").child("name");
            wanted.push((path, "ConfigMap", &source.name, source.optional));
        }
        if let Some(source) = &source.secret_ref {
            let path = path.child("secretRef").child("name");
            wanted.push((path, "Secret", &source.name, source.optional));
        }
    }
    for (index, variable) in container.env.iter().enumerate() {
        let Some(from) = &variable.value_from else {
            continue;
        };
        let path = &path.child("env").index(index).child("valueFrom");
        if let Some(source) = &from.config_map_key_ref {
            let path = path.child("configMapKeyRef").child("name");
            wanted.push((path, "ConfigMap", &source.name, source.optional));
        }
        if let Some(source) = &from.secret_key_ref {
            let path = path.child("secretKeyRef").child("name");
            wanted.push((path, "Secret", &source.name, source.optional));
        }
    }
}
