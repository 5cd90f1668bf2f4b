//! Resource arithmetic over a whole Pod: effective requests and limits (R13.1), QoS class (R13.3).

use crate::core::v1::{
    Container, PodSpec, QosClass, ResourceList, ResourceRequirements, RestartPolicy,
};

/// Whether an entry of `initContainers` is a sidecar: it has a restart policy of its own, `Always`.
#[must_use]
pub fn is_sidecar(init: &Container) -> bool {
    init.restart_policy == Some(RestartPolicy::Always)
}

/// What the Pod as a whole asks for, by resource (R13.1). Expects defaults to be applied, which set a missing request
/// to the limit.
#[must_use]
pub fn effective_requests(spec: &PodSpec) -> ResourceList {
    let mut total = effective(spec, |resources| &resources.requests);
    for (name, amount) in &spec.overhead {
        *total.entry(name.clone()).or_default() += *amount;
    }
    total
}

/// What the Pod as a whole may use, by resource (R13.1). A resource is left out when nothing limits it; one that only
/// some containers limit is no bound on the Pod, see [`every_container_limits`].
#[must_use]
pub fn effective_limits(spec: &PodSpec) -> ResourceList {
    let mut total = effective(spec, |resources| &resources.limits);
    for (name, amount) in &spec.overhead {
        // Overhead raises a limit and makes none.
        total
            .entry(name.clone())
            .and_modify(|limit| *limit += *amount);
    }
    total
}

/// Whether every container limits this resource, so that the effective limit bounds the Pod (R13.8).
#[must_use]
pub fn every_container_limits(spec: &PodSpec, resource: &str) -> bool {
    spec.init_containers
        .iter()
        .chain(&spec.containers)
        .all(|container| {
            amounts(container, |r| &r.limits).is_some_and(|l| l.contains_key(resource))
        })
}

/// Max over the inits of (init + sidecars before it), and the sum of sidecars and apps.
fn effective(
    spec: &PodSpec,
    part: impl Fn(&ResourceRequirements) -> &ResourceList + Copy,
) -> ResourceList {
    let mut sidecars = ResourceList::new();
    let mut peak = ResourceList::new();
    for init in &spec.init_containers {
        let own = amounts(init, part);
        let mut now = sidecars.clone();
        add(&mut now, own);
        raise(&mut peak, &now);
        if is_sidecar(init) {
            sidecars = now;
        }
    }
    let mut total = sidecars;
    for app in &spec.containers {
        add(&mut total, amounts(app, part));
    }
    raise(&mut total, &peak);
    total
}

fn amounts(
    container: &Container,
    part: impl Fn(&ResourceRequirements) -> &ResourceList,
) -> Option<&ResourceList> {
    container.resources.as_ref().map(part)
}

fn add(total: &mut ResourceList, amounts: Option<&ResourceList>) {
    for (name, amount) in amounts.into_iter().flatten() {
        *total.entry(name.clone()).or_default() += *amount;
    }
}

fn raise(total: &mut ResourceList, to: &ResourceList) {
    for (name, amount) in to {
        let entry = total.entry(name.clone()).or_insert(*amount);
        if *entry < *amount {
            *entry = *amount;
        }
    }
}

/// The QoS class over all containers, inits and sidecars included; cpu and memory only (R13.3).
#[must_use]
pub fn qos_class(spec: &PodSpec) -> QosClass {
    let mut any = false;
    let mut all = true;
    for container in spec.init_containers.iter().chain(&spec.containers) {
        for resource in ["cpu", "memory"] {
            let limit = positive(container, |r| &r.limits, resource);
            let request = positive(container, |r| &r.requests, resource).or(limit);
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && limit == request;
        }
    }
    match (any, all) {
        (false, _) => QosClass::BestEffort,
        (true, true) => QosClass::Guaranteed,
        (true, false) => QosClass::Burstable,
    }
}

/// An amount that is there and not zero.
fn positive(
    container: &Container,
    part: impl Fn(&ResourceRequirements) -> &ResourceList,
    resource: &str,
) -> Option<crate::quantity::Quantity> {
    amounts(container, part)?
        .get(resource)
        .copied()
        .filter(|amount| !amount.is_zero())
}

#[cfg(test)]
mod tests;
