//! Security contexts (upstream: `ValidateSecurityContext`, `ValidatePodSecurityContext`).

use std::collections::HashSet;

use crate::core::v1::{
    AppArmorProfile, PodSpec, ProcMountType, SeccompProfile, SeccompProfileType, SecurityContext,
    Sysctl,
};
use crate::findings::Findings;
use crate::path::Path;

use super::names;

pub(super) fn container(
    findings: &mut Findings,
    path: &Path,
    context: &SecurityContext,
    spec: &PodSpec,
) {
    for (field, id) in [
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ] {
        ids(findings, &path.child(field), id);
    }
    if context.proc_mount == Some(ProcMountType::Unmasked) && spec.host_users != Some(false) {
        let detail = "`hostUsers` must be false to use `Unmasked`";
        findings.invalid(&path.child("procMount"), "Unmasked", detail);
    }
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            findings.invalid(path, false, detail);
        }
        let added = context
            .capabilities
            .iter()
            .flat_map(|capabilities| &capabilities.add);
        if added
            .into_iter()
            .any(|capability| capability == "CAP_SYS_ADMIN")
        {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            findings.invalid(path, false, detail);
        }
    }
    profiles(
        findings,
        path,
        context.seccomp_profile.as_ref(),
        context.app_armor_profile.as_ref(),
    );
}

pub(super) fn pod(findings: &mut Findings, spec_path: &Path, spec: &PodSpec) {
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let path = &spec_path.child("shareProcessNamespace");
        findings.invalid(
            path,
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
    let Some(context) = &spec.security_context else {
        return;
    };
    let path = &spec_path.child("securityContext");
    let single = [
        ("fsGroup", context.fs_group),
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ];
    for (field, id) in single {
        ids(findings, &path.child(field), id);
    }
    for (index, group) in context.supplemental_groups.iter().enumerate() {
        ids(
            findings,
            &path.child("supplementalGroups").index(index),
            Some(*group),
        );
    }
    sysctls(findings, &path.child("sysctls"), &context.sysctls, spec);
    profiles(
        findings,
        path,
        context.seccomp_profile.as_ref(),
        context.app_armor_profile.as_ref(),
    );
}

/// A user namespace of the Pod's own goes with none of the machine's namespaces.
pub(super) fn host_users(findings: &mut Findings, path: &Path, spec: &PodSpec) {
    if spec.host_users != Some(false) {
        return;
    }
    let shared = [
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ];
    for (field, set) in shared {
        if set == Some(true) {
            findings.forbidden(&path.child(field), "when `hostUsers` is false");
        }
    }
}

fn ids(findings: &mut Findings, path: &Path, id: Option<i64>) {
    let Some(id) = id else { return };
    for fault in names::id(id) {
        findings.invalid(path, id, fault);
    }
}

fn sysctls(findings: &mut Findings, path: &Path, sysctls: &[Sysctl], spec: &PodSpec) {
    let mut seen = HashSet::new();
    for (index, sysctl) in sysctls.iter().enumerate() {
        let path = &path.index(index).child("name");
        let name = sysctl.name.as_str();
        let dotted = name.replace('/', ".");
        if name.is_empty() {
            findings.required(path, "");
        } else if !names::is_sysctl(name) {
            let detail = "must have at most 253 characters and match regex \
                ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$";
            findings.invalid(path, name, detail);
        } else if !seen.insert(dotted.clone()) {
            findings.duplicate(path, name);
        }
        let ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."]
            .iter()
            .any(|prefix| dotted.starts_with(prefix))
            || dotted == "kernel.sem";
        if names::is_sysctl(name) && !name.is_empty() && !ipc && !dotted.starts_with("net.") {
            // The kubelet's word (`SysctlForbidden`), said before anything runs: it would change the whole machine.
            let detail = format!(
                "forbidden sysctl: \"{name}\" not allowlisted: it belongs to no namespace of the Pod; \
                 net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* do"
            );
            findings.forbidden(path, &detail);
        }
        if spec.host_network == Some(true) && dotted.starts_with("net.") {
            findings.invalid(
                path,
                name,
                "may not be specified when 'hostNetwork' is true",
            );
        }
        if spec.host_ipc == Some(true) && ipc {
            findings.invalid(path, name, "may not be specified when 'hostIPC' is true");
        }
    }
}

fn profiles(
    findings: &mut Findings,
    path: &Path,
    seccomp: Option<&SeccompProfile>,
    app_armor: Option<&AppArmorProfile>,
) {
    if let Some(profile) = seccomp {
        let path = &path.child("seccompProfile").child("localhostProfile");
        match (profile.type_, &profile.localhost_profile) {
            (SeccompProfileType::Localhost, None) => {
                findings.required(path, "must be set when seccomp type is Localhost");
            }
            (SeccompProfileType::Localhost, Some(file)) => {
                findings.invalid_all(path, file, names::descending(file));
            }
            (_, Some(file)) => {
                findings.invalid(path, file, "can only be set when seccomp type is Localhost");
            }
            (_, None) => {}
        }
    }
    let Some(profile) = app_armor else { return };
    let path = &path.child("appArmorProfile");
    let types = ["Localhost", "RuntimeDefault", "Unconfined"];
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("", _) => findings.required(&path.child("type"), ""),
        ("Localhost", None) => findings.required(
            &path.child("localhostProfile"),
            "must be set when AppArmor type is Localhost",
        ),
        ("RuntimeDefault" | "Unconfined", Some(name)) => findings.invalid(
            &path.child("localhostProfile"),
            name,
            "can only be set when AppArmor type is Localhost",
        ),
        (type_, _) if !types.contains(&type_) => {
            findings.not_supported(&path.child("type"), type_, &types);
        }
        _ => {}
    }
}
