//! An image that can be run: its configuration and the directories of its layers.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use crate::digest::Digest;
use crate::documents::ContainerConfig;
use crate::reference::Reference;

/// An image of the store. As long as this value or a clone of it lives, its layers stay on the
/// disk, whatever other processes remove or prune.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name by which the image was found; `None` for one without a name.
    pub reference: Option<Reference>,
    /// The digest of its configuration: what Docker calls the image ID.
    pub id: Digest,
    /// The digest of its manifest: what stands after `@` in a reference.
    pub manifest: Digest,
    /// How its containers are run.
    pub config: ImageConfig,
    /// The unpacked layers from bottom to top, ready as lower directories of overlayfs. Layers that
    /// are hidden as a whole by one above are left out. Never write to them.
    pub layers: Vec<PathBuf>,
    /// What was left out when it was imported, for the person who did it; empty for an image that
    /// was found.
    pub warnings: Vec<String>,
    pub(crate) locks: Arc<[OwnedFd]>,
}

/// What an image says about its containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The program and its first arguments; `command` of a container replaces it.
    pub entrypoint: Vec<String>,
    /// Further arguments; `args` of a container replaces it.
    pub cmd: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// User and perhaps group, by name or number: `nginx`, `1000:1000`. Empty for root.
    pub user: String,
    /// Empty for `/`.
    pub working_dir: String,
    /// The signal that asks the container to end: `SIGQUIT`, `3`.
    pub stop_signal: Option<String>,
    /// `80/tcp`; what the image says it listens on, for information.
    pub exposed_ports: Vec<String>,
    /// Directories that the image wants to be volumes.
    pub volumes: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl Image {
    /// The descriptors that hold the layers (shared `flock`, closed on exec). A process that
    /// outlives this one and keeps the layers mounted must inherit them, so that nobody removes the
    /// layers under it.
    pub fn locks(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.locks.iter().map(AsFd::as_fd)
    }
}

impl From<ContainerConfig> for ImageConfig {
    fn from(config: ContainerConfig) -> ImageConfig {
        ImageConfig {
            entrypoint: config.entrypoint,
            cmd: config.cmd,
            env: config.env,
            user: config.user,
            working_dir: config.working_dir,
            stop_signal: Some(config.stop_signal).filter(|signal| !signal.is_empty()),
            exposed_ports: config.exposed_ports.into_keys().collect(),
            volumes: config.volumes.into_keys().collect(),
            labels: config.labels,
        }
    }
}
