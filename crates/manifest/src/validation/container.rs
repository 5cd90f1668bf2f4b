//! Inits, sidecars and apps (upstream: `validateContainers`, `validateInitContainers`).

use std::collections::HashSet;

use crate::core::v1::{Container, PodSpec};
use crate::findings::Findings;
use crate::path::Path;
use crate::resources::is_sidecar;

use super::{env, names, ports, probe, resources, restart, security, volume_mounts};

pub(super) fn containers(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    if spec.containers.is_empty() {
        return findings.required(path, "");
    }
    let mut seen = HashSet::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let path = &path.index(index);
        common(findings, path, container, spec);
        unique(findings, path, container, &mut seen);
        probe::all(findings, path, container, spec);
    }
    ports::conflicts(findings, path, spec.containers.iter().enumerate());
}

pub(super) fn init_containers(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    let mut seen: HashSet<&str> = spec
        .containers
        .iter()
        .map(|container| container.name.as_str())
        .collect();
    for (index, container) in spec.init_containers.iter().enumerate() {
        let own = &path.index(index);
        common(findings, own, container, spec);
        unique(findings, own, container, &mut seen);
        // Inits run one by one, so each is checked against itself only; upstream does the same for sidecars.
        ports::conflicts(findings, path, std::iter::once((index, container)));
        if is_sidecar(container) {
            probe::all(findings, own, container, spec);
        } else {
            probe::none(findings, own, container);
        }
        if !container.resize_policy.is_empty() && !is_sidecar(container) {
            let detail = "must not be set for init containers";
            findings.invalid(
                &own.child("resizePolicy"),
                container.resize_policy.len(),
                detail,
            );
        }
    }
}

/// A name that another container has already (R14.5). An empty one was reported as missing.
fn unique<'a>(
    findings: &mut Findings,
    path: &Path,
    container: &'a Container,
    seen: &mut HashSet<&'a str>,
) {
    if !container.name.is_empty() && !seen.insert(&container.name) {
        findings.duplicate(&path.child("name"), &container.name);
    }
}

fn common(findings: &mut Findings, path: &Path, container: &Container, spec: &PodSpec) {
    let name = &path.child("name");
    if container.name.is_empty() {
        findings.required(name, "");
    } else {
        findings.invalid_all(name, &container.name, names::label(&container.name));
    }
    match container.image.as_deref() {
        None | Some("") => findings.required(&path.child("image"), ""),
        Some(image) if image.trim() != image => {
            let detail = "must not have leading or trailing whitespace";
            findings.invalid(&path.child("image"), image, detail);
        }
        Some(_) => {}
    }
    ports::ports(findings, &path.child("ports"), &container.ports);
    env::env(findings, &path.child("env"), &container.env);
    env::env_from(findings, &path.child("envFrom"), &container.env_from);
    volume_mounts::mounts(findings, &path.child("volumeMounts"), container, spec);
    if let Some(required) = &container.resources {
        resources::requirements(findings, &path.child("resources"), required, spec);
    }
    resize_policy(findings, &path.child("resizePolicy"), container);
    if let Some(context) = &container.security_context {
        security::container(findings, &path.child("securityContext"), context, spec);
    }
    restart::rules(findings, path, container);
}

fn resize_policy(findings: &mut Findings, path: &Path, container: &Container) {
    let mut seen = HashSet::new();
    for (index, policy) in container.resize_policy.iter().enumerate() {
        let path = &path.index(index);
        if !seen.insert(&policy.resource_name) {
            findings.duplicate(path, &policy.resource_name);
        }
        for (field, word, words) in [
            ("resourceName", &policy.resource_name, ["cpu", "memory"]),
            (
                "restartPolicy",
                &policy.restart_policy,
                ["NotRequired", "RestartContainer"],
            ),
        ] {
            if word.is_empty() {
                findings.required(&path.child(field), "");
            } else if !words.contains(&word.as_str()) {
                findings.not_supported(&path.child(field), word, &words);
            }
        }
    }
}
