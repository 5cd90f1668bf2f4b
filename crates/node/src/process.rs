//! What a container runs, and as whom: the manifest's words over the image's (R18.5).

use container::{CapabilitySpec, Process, SeccompProfile, SupplementalGroupsPolicy, UserSpec};
use image::ImageConfig;
use manifest::core::v1::{Container, PodSecurityContext, SeccompProfileType, SecurityContext};

use crate::env::expand::expand;
use crate::env::{ConfigError, Variables};

/// What containerd sets where an image says nothing.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The process of a container, as far as it does not depend on where it runs.
pub(crate) fn process(
    container: &Container,
    pod: Option<&PodSecurityContext>,
    image: &ImageConfig,
    variables: &Variables,
    hostname: &str,
) -> Result<Process, ConfigError> {
    let own = container.security_context.as_ref();
    let user = user(own, pod, image)?;
    let privileged = own.and_then(|context| context.privileged) == Some(true);
    let mut environment = Variables::default();
    environment.set("PATH", DEFAULT_PATH.into());
    environment.set("HOSTNAME", hostname.into());
    if container.tty == Some(true) {
        environment.set("TERM", "xterm".into());
    }
    for entry in &image.env {
        if let Some((name, value)) = entry.split_once('=') {
            environment.set(name, value.to_owned());
        }
    }
    for (name, value) in variables.clone().into_vec() {
        environment.set(&name, value);
    }
    let cwd = container.working_dir.clone().filter(|dir| !dir.is_empty());
    let cwd = cwd.or_else(|| Some(image.working_dir.clone()).filter(|dir| !dir.is_empty()));
    Ok(Process {
        args: command(container, image, variables)?,
        env: environment.into_vec(),
        cwd: cwd.unwrap_or_else(|| "/".into()).into(),
        user,
        capabilities: capabilities(own),
        no_new_privileges: own.and_then(|context| context.allow_privilege_escalation)
            == Some(false),
        seccomp: seccomp(own, pod, privileged),
        oom_score_adj: None,
        tty: container.tty == Some(true),
        terminal_size: None,
    })
}

/// R18.5: `command` drops the image's entry point and its arguments, `args` only the latter.
fn command(
    container: &Container,
    image: &ImageConfig,
    variables: &Variables,
) -> Result<Vec<String>, ConfigError> {
    let expanded = |list: &[String]| -> Vec<String> {
        list.iter()
            .map(|text| expand(text, |name| variables.get(name).map(str::to_owned)))
            .collect()
    };
    let command = expanded(&container.command);
    let args = expanded(&container.args);
    let all: Vec<String> = match (command.is_empty(), args.is_empty()) {
        (true, true) => image.entrypoint.iter().chain(&image.cmd).cloned().collect(),
        (true, false) => image.entrypoint.iter().cloned().chain(args).collect(),
        (false, _) => command.into_iter().chain(args).collect(),
    };
    if all.is_empty() {
        return Err(ConfigError::Other(
            "no command specified: neither the container nor its image has one".into(),
        ));
    }
    Ok(all)
}

fn user(
    own: Option<&SecurityContext>,
    pod: Option<&PodSecurityContext>,
    image: &ImageConfig,
) -> Result<UserSpec, ConfigError> {
    let run_as_user = own
        .and_then(|c| c.run_as_user)
        .or(pod.and_then(|c| c.run_as_user));
    let run_as_group = own
        .and_then(|c| c.run_as_group)
        .or(pod.and_then(|c| c.run_as_group));
    let non_root = own
        .and_then(|c| c.run_as_non_root)
        .or(pod.and_then(|c| c.run_as_non_root));
    let image_user = image.user.clone();
    if non_root == Some(true) {
        non_root_user(run_as_user, &image_user)?;
    }
    let groups = pod
        .map(|context| context.supplemental_groups.as_slice())
        .unwrap_or_default();
    let mut supplemental: Vec<u32> = groups.iter().filter_map(|group| id(*group)).collect();
    supplemental.extend(pod.and_then(|context| context.fs_group).and_then(id));
    let strict = pod.and_then(|context| context.supplemental_groups_policy.as_ref());
    Ok(UserSpec {
        image_user,
        run_as_user: run_as_user.and_then(id),
        run_as_group: run_as_group.and_then(id),
        supplemental_groups: supplemental,
        supplemental_groups_policy: match strict {
            Some(manifest::core::v1::SupplementalGroupsPolicy::Strict) => {
                SupplementalGroupsPolicy::Strict
            }
            _ => SupplementalGroupsPolicy::Merge,
        },
    })
}

fn id(value: i64) -> Option<u32> {
    u32::try_from(value).ok()
}

/// `runAsNonRoot` in the kubelet's words.
fn non_root_user(run_as_user: Option<i64>, image_user: &str) -> Result<(), ConfigError> {
    let root = || {
        ConfigError::Other(match run_as_user {
            Some(_) => "container's runAsUser breaks non-root policy".into(),
            None => "container has runAsNonRoot and image will run as root".into(),
        })
    };
    if let Some(user) = run_as_user {
        return if user == 0 { Err(root()) } else { Ok(()) };
    }
    let name = image_user.split(':').next().unwrap_or_default();
    match name.parse::<u32>() {
        Ok(0) => Err(root()),
        Ok(_) => Ok(()),
        Err(_) if name.is_empty() || name == "root" => Err(root()),
        Err(_) => Err(ConfigError::Other(format!(
            "container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root"
        ))),
    }
}

fn capabilities(own: Option<&SecurityContext>) -> CapabilitySpec {
    let wanted = own.and_then(|context| context.capabilities.as_ref());
    CapabilitySpec {
        add: wanted.map(|wanted| wanted.add.clone()).unwrap_or_default(),
        drop: wanted.map(|wanted| wanted.drop.clone()).unwrap_or_default(),
    }
}

fn seccomp(
    own: Option<&SecurityContext>,
    pod: Option<&PodSecurityContext>,
    privileged: bool,
) -> SeccompProfile {
    let wanted = own
        .and_then(|context| context.seccomp_profile.as_ref())
        .or(pod.and_then(|context| context.seccomp_profile.as_ref()));
    match wanted.map(|profile| &profile.type_) {
        _ if privileged => SeccompProfile::Unconfined,
        Some(SeccompProfileType::Unconfined) => SeccompProfile::Unconfined,
        _ => SeccompProfile::RuntimeDefault,
    }
}

#[cfg(test)]
mod tests;
