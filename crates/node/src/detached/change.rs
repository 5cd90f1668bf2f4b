//! What a second request for the same Pod changes.

use manifest::core::v1::{Container, Pod};

use super::{Record, References, Request};
use crate::node::Node;
use crate::pod::PodControl;
use crate::state::StateError;

/// How a new request differs from the one that a Pod was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// In nothing.
    None,
    /// In what Kubernetes lets one change in a running Pod: labels, annotations, images, `activeDeadlineSeconds`,
    /// tolerations; or in the data of ConfigMaps and Secrets.
    InPlace,
    /// In what makes it another Pod.
    Replace,
}

impl Difference {
    /// What the second of two requests changes.
    #[must_use]
    pub fn between(old: (&Request, &References), new: (&Request, &References)) -> Self {
        if old == new {
            return Self::None;
        }
        let rest = |request: &Request| {
            let mut request = request.clone();
            strip(&mut request.manifest);
            request
        };
        if rest(old.0) == rest(new.0) {
            Self::InPlace
        } else {
            Self::Replace
        }
    }
}

/// Takes out what can be changed.
fn strip(pod: &mut Pod) {
    let metadata = &mut pod.metadata;
    metadata.labels.clear();
    metadata.annotations.clear();
    metadata.resource_version = None;
    let spec = &mut pod.spec;
    spec.active_deadline_seconds = None;
    spec.tolerations.clear();
    let all = spec.init_containers.iter_mut().chain(&mut spec.containers);
    all.for_each(|container: &mut Container| {
        container.image = None;
        // Its default follows from the image's tag.
        container.image_pull_policy = None;
    });
}

/// In a supervisor: the Pod is to be as a new request says, which differs in place.
///
/// # Errors
/// When the request cannot be kept; nothing has changed then.
pub fn change(
    node: &Node,
    control: &PodControl,
    current: &Pod,
    request: &Request,
    references: &References,
) -> Result<(), StateError> {
    let uid = current.metadata.uid.as_deref().unwrap_or_default();
    Record::new(node.paths().pod(uid)).replace(request, references)?;
    references.put(node.objects());
    let mut pod = current.clone();
    pod.metadata
        .labels
        .clone_from(&request.manifest.metadata.labels);
    pod.metadata
        .annotations
        .clone_from(&request.manifest.metadata.annotations);
    let node_name = pod.spec.node_name.take();
    pod.spec = request.manifest.spec.clone();
    pod.spec.node_name = pod.spec.node_name.or(node_name);
    control.update(pod);
    control.objects_changed();
    Ok(())
}

#[cfg(test)]
mod tests {
    use manifest::core::v1::ConfigMap;

    use super::*;

    fn request(change: impl FnOnce(&mut Pod)) -> Request {
        let mut manifest = Pod::default();
        manifest.metadata.name = Some("web".into());
        manifest.spec.containers.push(Container {
            name: "app".into(),
            image: Some("nginx:1".into()),
            ..Container::default()
        });
        change(&mut manifest);
        Request {
            manifest,
            publish: Vec::new(),
            pull: None,
        }
    }

    #[test]
    fn what_can_be_changed_is_changed_in_place() {
        let none = References::default();
        let judge = |new: &Request, references: &References| {
            Difference::between((&request(|_| ()), &none), (new, references))
        };
        assert_eq!(judge(&request(|_| ()), &none), Difference::None);
        let image = request(|pod| pod.spec.containers[0].image = Some("nginx:2".into()));
        assert_eq!(judge(&image, &none), Difference::InPlace);
        let label = request(|pod| {
            pod.metadata.labels.insert("a".into(), "b".into());
        });
        assert_eq!(judge(&label, &none), Difference::InPlace);
        let data = References {
            config_maps: vec![ConfigMap::default()],
            secrets: Vec::new(),
        };
        assert_eq!(judge(&request(|_| ()), &data), Difference::InPlace);
        let command = request(|pod| pod.spec.containers[0].command = vec!["x".into()]);
        assert_eq!(judge(&command, &none), Difference::Replace);
        let published = Request {
            pull: Some(crate::PullPolicyOverride::Never),
            ..request(|_| ())
        };
        assert_eq!(judge(&published, &none), Difference::Replace);
    }
}
