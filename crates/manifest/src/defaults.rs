//! Defaults as the API server sets them when an object is created.

use crate::core::v1::{
    ConfigMap, Container, DnsPolicy, EmptyDirVolumeSource, GrpcAction, HostPathType, HttpGetAction,
    LifecycleHandler, Pod, PodSecurityContext, PodSpec, Probe, ProcMountType, Protocol, PullPolicy,
    RestartPolicy, Secret, TerminationMessagePolicy, UriScheme, Volume,
};
use crate::meta::v1::ObjectMeta;
use crate::{ByteString, IntOrString};

/// Mode of files in configMap, secret, downwardAPI and projected volumes.
const FILE_MODE: i32 = 0o644;

/// Seconds between the request to stop and SIGKILL.
pub const GRACE_PERIOD_SECONDS: i64 = 30;

/// Completes a Pod (R14.7, R11.5, R5.1). What was seen of it elsewhere is dropped: status belongs to the runner.
pub fn pod(pod: &mut Pod) {
    meta(&mut pod.metadata);
    pod.status = None;
    pod_spec(&mut pod.spec);
}

/// Completes a ConfigMap.
pub fn config_map(config_map: &mut ConfigMap) {
    meta(&mut config_map.metadata);
}

/// Completes a Secret: `stringData` goes into `data`, where it wins.
pub fn secret(secret: &mut Secret) {
    meta(&mut secret.metadata);
    secret.type_.get_or_insert_with(|| "Opaque".to_owned());
    for (key, text) in std::mem::take(&mut secret.string_data) {
        secret.data.insert(key, ByteString(text.into_bytes()));
    }
}

fn meta(meta: &mut ObjectMeta) {
    meta.namespace.get_or_insert_with(|| "default".to_owned());
}

/// Completes the spec of a Pod.
pub fn pod_spec(spec: &mut PodSpec) {
    spec.restart_policy.get_or_insert(RestartPolicy::Always);
    spec.dns_policy.get_or_insert(DnsPolicy::ClusterFirst);
    spec.enable_service_links.get_or_insert(true);
    spec.security_context
        .get_or_insert_with(PodSecurityContext::default);
    spec.scheduler_name
        .get_or_insert_with(|| "default-scheduler".to_owned());
    let grace = spec
        .termination_grace_period_seconds
        .get_or_insert(GRACE_PERIOD_SECONDS);
    if *grace < 0 {
        *grace = 1;
    }
    spec.volumes.iter_mut().for_each(volume);
    let host_network = spec.host_network == Some(true);
    for container in spec.init_containers.iter_mut().chain(&mut spec.containers) {
        self::container(container);
        if host_network {
            // On the machine's network a port is the machine's port.
            for port in &mut container.ports {
                port.host_port.get_or_insert(port.container_port);
            }
        }
    }
}

fn container(container: &mut Container) {
    let image = container.image.as_deref().unwrap_or("");
    container
        .image_pull_policy
        .get_or_insert_with(|| pull_policy(image));
    container
        .termination_message_path
        .get_or_insert_with(|| "/dev/termination-log".to_owned());
    container
        .termination_message_policy
        .get_or_insert(TerminationMessagePolicy::File);
    for port in &mut container.ports {
        port.protocol.get_or_insert(Protocol::Tcp);
    }
    if let Some(resources) = &mut container.resources {
        for (name, limit) in &resources.limits {
            resources.requests.entry(name.clone()).or_insert(*limit);
        }
    }
    for variable in &mut container.env {
        let Some(from) = &mut variable.value_from else {
            continue;
        };
        if let Some(field) = &mut from.field_ref {
            field.api_version.get_or_insert_with(|| "v1".to_owned());
        }
        if let Some(key) = &mut from.file_key_ref {
            key.optional.get_or_insert(false);
        }
    }
    let probes = [
        &mut container.liveness_probe,
        &mut container.readiness_probe,
        &mut container.startup_probe,
    ];
    probes.into_iter().flatten().for_each(probe);
    if let Some(lifecycle) = &mut container.lifecycle {
        [&mut lifecycle.post_start, &mut lifecycle.pre_stop]
            .into_iter()
            .flatten()
            .for_each(hook);
    }
    if let Some(security) = &mut container.security_context {
        security.proc_mount.get_or_insert(ProcMountType::Default);
    }
}

/// `Always` for the tag `latest` or none, else `IfNotPresent`; a digest alone counts as a tag (R11.5).
#[must_use]
pub fn pull_policy(image: &str) -> PullPolicy {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "latest")) => PullPolicy::Always,
        None if !digest && !name.is_empty() => PullPolicy::Always,
        _ => PullPolicy::IfNotPresent,
    }
}

fn probe(probe: &mut Probe) {
    probe.timeout_seconds.get_or_insert(1);
    probe.period_seconds.get_or_insert(10);
    probe.success_threshold.get_or_insert(1);
    probe.failure_threshold.get_or_insert(3);
    probe.http_get.iter_mut().for_each(http_get);
    if let Some(GrpcAction { service, .. }) = &mut probe.grpc {
        service.get_or_insert_with(String::new);
    }
}

fn hook(hook: &mut LifecycleHandler) {
    hook.http_get.iter_mut().for_each(http_get);
}

fn http_get(http: &mut HttpGetAction) {
    http.path.get_or_insert_with(|| "/".to_owned());
    http.scheme.get_or_insert(UriScheme::Http);
}

fn volume(volume: &mut Volume) {
    if crate::validation::volume_sources(volume)
        .iter()
        .all(|(_, set)| !set)
    {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert(HostPathType::Unset);
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    let mut files = Vec::new();
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(FILE_MODE);
        files.extend(&mut source.items);
    }
    if let Some(source) = &mut volume.projected {
        source.default_mode.get_or_insert(FILE_MODE);
        for projection in &mut source.sources {
            files.extend(
                projection
                    .downward_api
                    .iter_mut()
                    .flat_map(|source| &mut source.items),
            );
            if let Some(token) = &mut projection.service_account_token {
                token.expiration_seconds.get_or_insert(60 * 60);
            }
        }
    }
    for field in files.into_iter().filter_map(|file| file.field_ref.as_mut()) {
        field.api_version.get_or_insert_with(|| "v1".to_owned());
    }
    if let Some(source) = &mut volume.image {
        let reference = source.reference.as_deref().unwrap_or("");
        source
            .pull_policy
            .get_or_insert_with(|| pull_policy(reference));
    }
}

/// The number of a port that a probe or hook names: itself, or the container port of that name.
#[must_use]
pub fn port_number(port: &IntOrString, container: &Container) -> Option<u16> {
    let number = match port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let found = container
                .ports
                .iter()
                .find(|port| port.name.as_ref() == Some(name));
            match found {
                Some(port) => port.container_port,
                // Go falls back to a number written as text.
                None => name.parse().ok()?,
            }
        }
    };
    u16::try_from(number).ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests;
