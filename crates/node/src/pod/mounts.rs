//! What is mounted into a container besides its root file system.

use std::path::{Path, PathBuf};

use container::{Mount, MountPropagation, MountSource};
use manifest::core::v1::{
    Container, MountPropagationMode, Pod, RecursiveReadOnlyMode, VolumeMount,
};

use super::sandbox::Sandbox;
use crate::env::expand::try_expand;
use crate::env::{ConfigError, Variables};
use crate::paths::PodPaths;
use crate::volumes::{Prepared, is_projected};

/// The mounts of one container.
pub(crate) fn of(
    pod: &Pod,
    container: &Container,
    sandbox: &Sandbox,
    paths: &PodPaths,
    termination_log: &Path,
    variables: &Variables,
) -> Result<Vec<Mount>, ConfigError> {
    let mut mounts = Vec::new();
    let own = |path: &str| {
        container
            .volume_mounts
            .iter()
            .any(|mount| mount.mount_path == path)
    };
    if !own("/etc/hosts") {
        mounts.push(Mount::new(MountSource::path(paths.hosts()), "/etc/hosts"));
    }
    if !own("/etc/resolv.conf") {
        mounts.push(Mount::new(
            MountSource::path(paths.resolv_conf()),
            "/etc/resolv.conf",
        ));
    }
    if let Some(path) = &container.termination_message_path
        && !path.is_empty()
    {
        mounts.push(Mount::new(MountSource::path(termination_log), path));
    }
    for mount in &container.volume_mounts {
        mounts.push(volume_mount(pod, mount, sandbox, variables)?);
    }
    Ok(mounts)
}

fn volume_mount(
    pod: &Pod,
    mount: &VolumeMount,
    sandbox: &Sandbox,
    variables: &Variables,
) -> Result<Mount, ConfigError> {
    let missing = || ConfigError::Other(format!("volume {:?} is not there", mount.name));
    let prepared = sandbox.volumes().get(&mount.name).ok_or_else(missing)?;
    let sub_path = sub_path(mount, variables)?;
    let source = match prepared {
        Prepared::Path(path) => MountSource::Path {
            path: path.clone(),
            sub_path,
        },
        Prepared::Tmpfs(name) => MountSource::PodTmpfs {
            name: name.clone(),
            sub_path,
        },
    };
    // R19.1: what is projected is read-only whatever the mount says.
    let mut volumes = pod.spec.volumes.iter();
    let projected = volumes.any(|volume| volume.name == mount.name && is_projected(volume));
    Ok(Mount {
        source,
        target: PathBuf::from(&mount.mount_path),
        read_only: projected || mount.read_only == Some(true),
        recursive_read_only: matches!(
            mount.recursive_read_only,
            Some(RecursiveReadOnlyMode::Enabled | RecursiveReadOnlyMode::IfPossible)
        ),
        propagation: match mount.mount_propagation.unwrap_or_default() {
            MountPropagationMode::None => MountPropagation::None,
            MountPropagationMode::HostToContainer => MountPropagation::HostToContainer,
            MountPropagationMode::Bidirectional => MountPropagation::Bidirectional,
        },
    })
}

fn sub_path(mount: &VolumeMount, variables: &Variables) -> Result<Option<PathBuf>, ConfigError> {
    let path = match (&mount.sub_path_expr, &mount.sub_path) {
        (Some(expression), _) if !expression.is_empty() => {
            // R18.4: unlike elsewhere, a name that is not defined is an error.
            let expanded = try_expand(expression, |name| variables.get(name).map(str::to_owned));
            expanded.map_err(|name| {
                ConfigError::Other(format!(
                    "failed to expand subPathExpr {expression:?}: missing value for {name:?}"
                ))
            })?
        }
        (_, Some(path)) if !path.is_empty() => path.clone(),
        _ => return Ok(None),
    };
    let path = PathBuf::from(path);
    let leads_out = path.is_absolute()
        || path
            .components()
            .any(|part| part == std::path::Component::ParentDir);
    if leads_out {
        return Err(ConfigError::Other(format!(
            "error subPath {:?} must not be absolute and must not contain '..'",
            path.display()
        )));
    }
    Ok(Some(path))
}
