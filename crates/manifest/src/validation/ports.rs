//! Container ports and conflicts between host ports.

use std::collections::HashSet;

use crate::core::v1::{Container, ContainerPort, PodSpec};
use crate::findings::Findings;
use crate::path::Path;

use super::names;

pub(super) fn ports(findings: &mut Findings, path: &Path, ports: &[ContainerPort]) {
    let mut seen = HashSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = &path.index(index);
        if let Some(name) = &port.name {
            let faults = names::port_name(name);
            if faults.is_empty() && !seen.insert(name) {
                findings.duplicate(&path.child("name"), name);
            }
            findings.invalid_all(&path.child("name"), name, faults);
        }
        if port.container_port == 0 {
            findings.required(&path.child("containerPort"), "");
        } else {
            for fault in names::port_number(port.container_port) {
                findings.invalid(&path.child("containerPort"), port.container_port, fault);
            }
        }
        if let Some(number) = port.host_port {
            for fault in names::port_number(number) {
                findings.invalid(&path.child("hostPort"), number, fault);
            }
        }
    }
}

/// Host ports of these containers that collide; a port counts with its protocol and address (R14.10).
pub(super) fn conflicts<'a>(
    findings: &mut Findings,
    path: &Path,
    containers: impl Iterator<Item = (usize, &'a Container)>,
) {
    let mut seen = HashSet::new();
    for (index, container) in containers {
        for (port_index, port) in container.ports.iter().enumerate() {
            let Some(number) = port.host_port else {
                continue;
            };
            let protocol = port.protocol.unwrap_or_default();
            let address = port.host_ip.as_deref().unwrap_or("");
            let claim = format!("{protocol}/{address}/{number}");
            if seen.contains(&claim) {
                let path = path
                    .index(index)
                    .child("ports")
                    .index(port_index)
                    .child("hostPort");
                findings.duplicate(&path, claim);
            } else {
                seen.insert(claim);
            }
        }
    }
}

/// With the machine's network a host port is the container port.
pub(super) fn host_network(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    if spec.host_network != Some(true) {
        return;
    }
    for (index, container) in spec.containers.iter().enumerate() {
        for (port_index, port) in container.ports.iter().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if host_port != port.container_port {
                let path = path
                    .index(index)
                    .child("ports")
                    .index(port_index)
                    .child("hostPort");
                let detail = "must match `containerPort` when `hostNetwork` is true";
                findings.invalid(&path, host_port, detail);
            }
        }
    }
}
