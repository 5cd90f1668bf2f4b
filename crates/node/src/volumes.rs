//! A Pod's volumes: from their sources to directories and file systems in memory.
//!
//! What is secret or tells of the Pod is kept in memory only (R19.1); the rest lies under the Pod's
//! directory and goes with it.

mod host_path;
mod payload;
pub(crate) mod projection;

use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use container::PodTmpfs;
use manifest::core::v1::{EmptyDirVolumeSource, Pod, Volume};
use rustix::fs::{Mode, OFlags, openat};
use serde::{Deserialize, Serialize};

use crate::env::NodeFacts;
use crate::objects::Objects;
use crate::paths::PodPaths;

/// A volume that is ready to be mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Prepared {
    /// A directory, or a file, of the host.
    Path(PathBuf),
    /// A file system in memory of the Pod's sandbox, by name.
    Tmpfs(String),
}

/// The volumes of a Pod by name.
pub(crate) type Volumes = HashMap<String, Prepared>;

/// A volume could not be set up, in the kubelet's words (R11.4).
#[derive(Debug, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume \"{volume}\" : {message}")]
pub(crate) struct MountError {
    volume: String,
    message: String,
}

/// The file systems in memory that a Pod's sandbox must have.
pub(crate) fn tmpfs(pod: &Pod, facts: &NodeFacts) -> Vec<PodTmpfs> {
    let in_memory = |volume: &&Volume| {
        (is_projected(volume) && volume.config_map.is_none())
            || volume.empty_dir.as_ref().is_some_and(is_memory)
    };
    pod.spec
        .volumes
        .iter()
        .filter(in_memory)
        .map(|volume| PodTmpfs {
            name: volume.name.clone(),
            size_bytes: volume
                .empty_dir
                .as_ref()
                .map(|dir| memory_size(pod, dir, facts)),
            mode: 0o777,
        })
        .collect()
}

fn is_memory(dir: &EmptyDirVolumeSource) -> bool {
    dir.medium
        .as_deref()
        .is_some_and(|medium| medium.starts_with("Memory"))
}

/// R19.5: the least of the size limit, the Pod's memory limit and what the node has.
fn memory_size(pod: &Pod, dir: &EmptyDirVolumeSource, facts: &NodeFacts) -> u64 {
    let bytes = |quantity: &manifest::Quantity| quantity.to_bytes();
    let node = u64::try_from(facts.memory_bytes).unwrap_or(u64::MAX);
    let limits = pod.spec.containers.iter().map(|container| {
        container
            .resources
            .as_ref()
            .and_then(|resources| resources.limits.get("memory"))
            .map(bytes)
    });
    // The Pod has a limit only if each of its containers has one.
    let limit = limits
        .collect::<Option<Vec<u64>>>()
        .map(|all| all.into_iter().sum::<u64>());
    let wanted = dir
        .size_limit
        .as_ref()
        .map(bytes)
        .filter(|bytes| *bytes > 0);
    [wanted, limit].into_iter().flatten().fold(node, u64::min)
}

/// What volumes are made from.
pub(crate) struct Context<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) paths: &'a PodPaths,
    pub(crate) objects: &'a Objects,
    pub(crate) facts: &'a NodeFacts,
    /// Name of a new directory of projected files.
    pub(crate) stamp: String,
}

impl Context<'_> {
    fn fs_group(&self) -> Option<u32> {
        let context = self.pod.spec.security_context.as_ref()?;
        context.fs_group.and_then(|group| u32::try_from(group).ok())
    }
}

/// Makes all volumes. `memory` gives the root of a file system in memory. Run again after a failure it only does what is
/// not done yet.
pub(crate) fn set_up<'fd>(
    context: &Context<'_>,
    memory: impl Fn(&str) -> Option<BorrowedFd<'fd>>,
) -> Result<Volumes, MountError> {
    let mut volumes = Volumes::new();
    for volume in &context.pod.spec.volumes {
        let prepared = set_up_one(context, volume, &memory).map_err(|message| MountError {
            volume: volume.name.clone(),
            message,
        })?;
        volumes.insert(volume.name.clone(), prepared);
    }
    Ok(volumes)
}

/// Brings what is projected up to date; one that cannot be keeps what it has. Returns what went wrong.
pub(crate) fn refresh<'fd>(
    context: &Context<'_>,
    memory: impl Fn(&str) -> Option<BorrowedFd<'fd>>,
) -> Vec<MountError> {
    let volumes = context.pod.spec.volumes.iter();
    let projected = volumes.filter(|volume| is_projected(volume));
    projected
        .filter_map(|volume| {
            let message = set_up_one(context, volume, &memory).err()?;
            Some(MountError {
                volume: volume.name.clone(),
                message,
            })
        })
        .collect()
}

/// Whether a volume's files are made of objects, of the Pod's own or of others.
pub(crate) fn is_projected(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some()
}

fn set_up_one<'fd>(
    context: &Context<'_>,
    volume: &Volume,
    memory: &impl Fn(&str) -> Option<BorrowedFd<'fd>>,
) -> Result<Prepared, String> {
    let memory = |name: &str| reopened(memory(name)?);
    if let Some(host) = &volume.host_path {
        return host_path::check(host).map(Prepared::Path);
    }
    if let Some(dir) = &volume.empty_dir {
        if is_memory(dir) {
            if let (Some(group), Some(root)) = (context.fs_group(), memory(&volume.name)) {
                projection::give_to_group(root.as_fd(), group)
                    .map_err(|error| error.to_string())?;
            }
            return Ok(Prepared::Tmpfs(volume.name.clone()));
        }
        let path = context
            .paths
            .volume("kubernetes.io~empty-dir", &volume.name);
        make_dir(&path, 0o777)?;
        if let Some(group) = context.fs_group() {
            let dir = fs::File::open(&path).map_err(|error| error.to_string())?;
            projection::give_to_group(dir.as_fd(), group).map_err(|error| error.to_string())?;
        }
        return Ok(Prepared::Path(path));
    }
    let Some(payload) = payload::of(context, volume)? else {
        return Err("this kind of volume is not supported".into());
    };
    let written = |dir: BorrowedFd<'_>| {
        projection::write(dir, &payload, context.fs_group(), &context.stamp)
            .map_err(|error| format!("write its files: {error}"))
    };
    if volume.config_map.is_some() {
        let path = context
            .paths
            .volume("kubernetes.io~configmap", &volume.name);
        make_dir(&path, 0o755)?;
        let dir = fs::File::open(&path).map_err(|error| error.to_string())?;
        written(dir.as_fd())?;
        return Ok(Prepared::Path(path));
    }
    let root = memory(&volume.name).ok_or("its file system in memory is not there")?;
    written(root.as_fd())?;
    Ok(Prepared::Tmpfs(volume.name.clone()))
}

/// A descriptor to read and change a directory by; the sandbox gives one that only names it (`O_PATH`).
fn reopened(dir: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(dir, ".", flags, Mode::empty()).ok()
}

/// Makes a directory with exactly these permissions, whatever the umask.
fn make_dir(path: &Path, mode: u32) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("create {}: {error}", path.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)
}

#[cfg(test)]
mod tests;
