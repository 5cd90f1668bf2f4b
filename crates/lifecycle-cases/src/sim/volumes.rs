//! The volumes of a simulated Pod.

use std::collections::BTreeMap;
use std::rc::Rc;

use manifest::core::v1::{Container, Pod, Volume};

use super::config::{Objects, Refusal, expand};
use super::fs::{Mounts, Shared, Tree};
use lifecycle::StartFailure;

/// Where `@EVENTS@` leads.
pub(crate) const EVENTS: &str = "/simulated/events";

/// Volumes of a Pod: they outlive its containers.
#[derive(Debug, Default)]
pub(crate) struct Volumes {
    trees: BTreeMap<String, Shared>,
    pub(crate) events: Shared,
}

impl Volumes {
    /// What keeps the volumes from being set up: the kubelet's words (R11.4).
    pub(crate) fn missing(pod: &Pod, objects: &Objects) -> Option<String> {
        pod.spec.volumes.iter().find_map(|volume| {
            let (kind, name, optional) = source(volume)?;
            let found = objects.get(kind, name).is_some() || optional;
            (!found).then(|| {
                format!(
                    "MountVolume.SetUp failed for volume \"{}\" : {} \"{name}\" not found",
                    volume.name,
                    kind.to_lowercase()
                )
            })
        })
    }

    /// The files that a container sees.
    pub(crate) fn mounts(
        &mut self,
        pod: &Pod,
        container: &Container,
        objects: &Objects,
        variables: &BTreeMap<String, String>,
    ) -> Result<Mounts, Refusal> {
        let root = [
            "/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sys", "/tmp", "/usr", "/var",
        ];
        let mut mounts = Mounts::new(Tree::with_directories(&root));
        for mount in &container.volume_mounts {
            let Some(volume) = pod.spec.volumes.iter().find(|v| v.name == mount.name) else {
                continue;
            };
            let tree = self.tree(volume, objects)?;
            let sub = match mount.sub_path_expr.as_deref().filter(|e| !e.is_empty()) {
                Some(expression) => {
                    // R18.4: here a name must be known.
                    let unknown = std::cell::RefCell::new(None);
                    let path = expand(expression, |name| {
                        let value = variables.get(name).cloned();
                        if value.is_none() {
                            unknown.replace(Some(name.to_owned()));
                        }
                        value
                    });
                    if let Some(name) = unknown.take() {
                        let message = format!("missing value for {name:?} in subPathExpr");
                        let failure = StartFailure::CreateContainerConfigError;
                        return Err(Refusal::Failure(failure, message));
                    }
                    path
                }
                None => mount.sub_path.clone().unwrap_or_default(),
            };
            let read_only = mount.read_only == Some(true);
            mounts.mount(&mount.mount_path, tree, &sub, read_only);
        }
        Ok(mounts)
    }

    fn tree(&mut self, volume: &Volume, objects: &Objects) -> Result<Shared, Refusal> {
        if let Some(path) = &volume.host_path {
            return if path.path == EVENTS {
                Ok(Rc::clone(&self.events))
            } else {
                Err(Refusal::Lacks(format!("the host's {}", path.path)))
            };
        }
        let there = source(volume).is_some_and(|(kind, name, _)| objects.get(kind, name).is_some());
        let plain = volume.empty_dir.is_some() || source(volume).is_some();
        if there || !plain {
            return Err(Refusal::Lacks(
                "the files of a volume made from objects".into(),
            ));
        }
        let tree = self.trees.entry(volume.name.clone()).or_default();
        Ok(Rc::clone(tree))
    }
}

/// The object that a volume is made from, and whether it may be missing.
fn source(volume: &Volume) -> Option<(&'static str, &str, bool)> {
    if let Some(from) = &volume.config_map {
        return Some(("ConfigMap", &from.name, from.optional == Some(true)));
    }
    let from = volume.secret.as_ref()?;
    Some(("Secret", &from.secret_name, from.optional == Some(true)))
}
