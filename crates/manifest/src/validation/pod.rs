//! A Pod as a whole (upstream: `ValidatePodSpec`).

use std::collections::HashSet;

use crate::core::v1::{
    HostAlias, Pod, PodOs, PodReadinessGate, PodResourceClaim, PodSpec, Toleration,
};
use crate::findings::Findings;
use crate::path::Path;

use super::metadata::{metadata, of_map};
use super::{container, dns, names, ports, resources, security, volumes};

pub(crate) fn pod(findings: &mut Findings, pod: &Pod) {
    metadata(findings, &pod.metadata);
    spec(findings, &Path::root().child("spec"), &pod.spec);
}

fn spec(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    volumes::volumes(findings, &path.child("volumes"), &spec.volumes);
    resource_claims(
        findings,
        &path.child("resourceClaims"),
        &spec.resource_claims,
    );
    container::containers(findings, &path.child("containers"), spec);
    container::init_containers(findings, &path.child("initContainers"), spec);
    if !spec.ephemeral_containers.is_empty() {
        findings.forbidden(
            &path.child("ephemeralContainers"),
            "cannot be set on create",
        );
    }
    ports::host_network(findings, &path.child("containers"), spec);
    for (key, value) in &spec.node_selector {
        let path = &path.child("nodeSelector");
        of_map(findings, path, key, key, names::qualified(key));
        of_map(findings, path, key, value, names::label_value(value));
    }
    security::pod(findings, path, spec);
    dns::config(findings, &path.child("dnsConfig"), spec);
    readiness_gates(
        findings,
        &path.child("readinessGates"),
        &spec.readiness_gates,
    );
    security::host_users(findings, path, spec);
    let named = [
        ("serviceAccountName", &spec.service_account_name),
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
        ("runtimeClassName", &spec.runtime_class_name),
    ];
    for (field, name) in named {
        if let Some(name) = name {
            findings.invalid_all(&path.child(field), name, names::subdomain(name));
        }
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        let faults = names::in_range(seconds, 1, i64::from(i32::MAX));
        for fault in faults {
            findings.invalid(&path.child("activeDeadlineSeconds"), seconds, fault);
        }
    }
    host_names(findings, path, spec);
    tolerations(findings, &path.child("tolerations"), &spec.tolerations);
    host_aliases(findings, &path.child("hostAliases"), &spec.host_aliases);
    resources::amounts(findings, &path.child("overhead"), &spec.overhead);
    if let Some(os) = &spec.os {
        operating_system(findings, &path.child("os"), os);
    }
}

fn host_names(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(name) = name {
            findings.invalid_all(&path.child(field), name, names::label(name));
        }
    }
    let Some(name) = &spec.hostname_override else {
        return;
    };
    let path = &path.child("hostnameOverride");
    if name.len() > 64 {
        findings.too_long(path, 64);
    }
    findings.invalid_all(path, name, names::subdomain(name));
    if spec.set_hostname_as_fqdn == Some(true) {
        findings.forbidden(path, "cannot be set when `setHostnameAsFQDN` is true");
    }
    if spec.host_network == Some(true) {
        findings.forbidden(path, "cannot be set when `hostNetwork` is true");
    }
}

fn resource_claims(findings: &mut Findings, path: &Path, claims: &[PodResourceClaim]) {
    let mut seen = HashSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let path = &path.index(index);
        if claim.name.is_empty() {
            findings.required(&path.child("name"), "");
        } else if !seen.insert(&claim.name) {
            findings.duplicate(&path.child("name"), &claim.name);
        } else {
            findings.invalid_all(&path.child("name"), &claim.name, names::label(&claim.name));
        }
        match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
            (Some(_), Some(_)) => findings.forbidden(
                path,
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
            ),
            (None, None) => findings.required(
                path,
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            ),
            _ => {}
        }
    }
}

fn readiness_gates(findings: &mut Findings, path: &Path, gates: &[PodReadinessGate]) {
    for (index, gate) in gates.iter().enumerate() {
        let path = &path.index(index).child("conditionType");
        findings.invalid_all(
            path,
            &gate.condition_type,
            names::qualified(&gate.condition_type),
        );
    }
}

fn tolerations(findings: &mut Findings, path: &Path, tolerations: &[Toleration]) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = &path.index(index);
        let operator = toleration.operator.as_deref().unwrap_or("");
        let effect = toleration.effect.as_deref().unwrap_or("");
        let value = toleration.value.as_deref().unwrap_or("");
        match &toleration.key {
            Some(key) => findings.invalid_all(&path.child("key"), key, names::qualified(key)),
            None if operator != "Exists" => findings.invalid(
                &path.child("operator"),
                operator,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            ),
            None => {}
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            findings.invalid(&path.child("effect"), effect, detail);
        }
        match operator {
            "" | "Equal" => {
                findings.invalid_all(&path.child("operator"), value, names::label_value(value));
            }
            "Exists" if !value.is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                findings.invalid(&path.child("operator"), value, detail);
            }
            "Exists" | "Lt" | "Gt" => {}
            _ => findings.not_supported(&path.child("operator"), operator, &["Equal", "Exists"]),
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !effect.is_empty() && !effects.contains(&effect) {
            findings.not_supported(&path.child("effect"), effect, &effects);
        }
    }
}

fn host_aliases(findings: &mut Findings, path: &Path, aliases: &[HostAlias]) {
    for (index, alias) in aliases.iter().enumerate() {
        let path = &path.index(index);
        findings.invalid_all(&path.child("ip"), &alias.ip, names::ip(&alias.ip));
        for (index, name) in alias.hostnames.iter().enumerate() {
            let path = &path.child("hostnames").index(index);
            findings.invalid_all(path, name, names::subdomain(name));
        }
    }
}

fn operating_system(findings: &mut Findings, path: &Path, os: &PodOs) {
    match os.name.as_str() {
        "" => findings.required(&path.child("name"), ""),
        "linux" => {}
        "windows" => findings.forbidden(
            &path.child("name"),
            "Windows containers cannot run on Linux",
        ),
        other => findings.not_supported(&path.child("name"), other, &["linux", "windows"]),
    }
}
