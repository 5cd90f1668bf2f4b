//! Requests and limits (upstream: `ValidateContainerResourceRequirements`).

use crate::Quantity;
use crate::core::v1::{PodSpec, ResourceList, ResourceRequirements};
use crate::findings::Findings;
use crate::nearest::nearest;
use crate::path::Path;

use super::names;

const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

pub(super) fn requirements(
    findings: &mut Findings,
    path: &Path,
    resources: &ResourceRequirements,
    spec: &PodSpec,
) {
    amounts(findings, &path.child("limits"), &resources.limits);
    amounts(findings, &path.child("requests"), &resources.requests);
    let requests = &path.child("requests");
    for (name, request) in &resources.requests {
        let Some(limit) = resources.limits.get(name) else {
            if !overcommits(name) {
                let detail = "Limit must be set for non overcommitable resources";
                at_key(
                    findings,
                    &path.child("limits"),
                    requests,
                    name,
                    *request,
                    detail,
                );
            }
            continue;
        };
        if request > limit {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            at_key(findings, requests, requests, name, *request, &detail);
        } else if request != limit && !overcommits(name) {
            let detail = format!("must be equal to {name} limit of {limit}");
            at_key(findings, requests, requests, name, *request, &detail);
        }
    }
    let huge = |list: &ResourceList| list.keys().any(|name| is_huge_pages(name));
    let compute = |list: &ResourceList| list.contains_key("cpu") || list.contains_key("memory");
    let (limits, requests) = (&resources.limits, &resources.requests);
    if (huge(limits) || huge(requests)) && !compute(limits) && !compute(requests) {
        findings.forbidden(path, "HugePages require cpu or memory");
    }
    for (index, claim) in resources.claims.iter().enumerate() {
        let path = &path.child("claims").index(index).child("name");
        if claim.name.is_empty() {
            findings.required(path, "");
        } else if !spec
            .resource_claims
            .iter()
            .any(|known| known.name == claim.name)
        {
            findings.not_found(path, &claim.name);
        }
    }
}

/// Names and amounts of a list.
pub(super) fn amounts(findings: &mut Findings, path: &Path, list: &ResourceList) {
    for (name, amount) in list {
        let path = &path.key(name);
        resource_name(findings, path, name);
        if amount.is_negative() {
            findings.invalid(path, *amount, "must be greater than or equal to 0");
        } else if !STANDARD.contains(&name.as_str()) && !amount.is_whole() {
            findings.invalid(path, *amount, "must be an integer");
        }
    }
}

fn resource_name(findings: &mut Findings, path: &Path, name: &str) {
    let faults = names::qualified(name);
    if !faults.is_empty() {
        return findings.invalid_all(path, name, faults);
    }
    if !name.contains('/') && !STANDARD.contains(&name) && !is_huge_pages(name) {
        findings.invalid(
            path,
            name,
            "must be a standard resource type or fully qualified",
        );
        if let (Some(near), Some(finding)) =
            (nearest(name, STANDARD.into_iter()), findings.0.last_mut())
        {
            finding.hint = Some(format!("did you mean `{near}`?"));
        }
    }
}

/// A message that names the list and stands at its key.
fn at_key(
    findings: &mut Findings,
    path: &Path,
    list: &Path,
    name: &str,
    amount: Quantity,
    detail: &str,
) {
    findings.invalid(path, amount, detail);
    if let Some(finding) = findings.0.last_mut() {
        finding.path = list.key(name);
    }
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether less may be requested than allowed: not for devices and huge pages.
fn overcommits(name: &str) -> bool {
    !name.contains('/') && !is_huge_pages(name)
}
