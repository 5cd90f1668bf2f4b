//! From requests and limits to what the kernel is told: `oom_score_adj` and cgroup values (section 13).

use manifest::core::v1::{Container, Pod, PodSpec, QosClass};
use manifest::resources::{
    effective_limits, effective_requests, every_container_limits, qos_class,
};

use crate::container::Role;

const GUARANTEED_OOM_SCORE: i32 = -997;
const BEST_EFFORT_OOM_SCORE: i32 = 1000;
/// A Pod of this priority class is critical to its node (R13.4, upstream's `IsNodeCriticalPod`) ...
const NODE_CRITICAL: &str = "system-node-critical";
/// ... unless its priority is given, and below that of all critical Pods.
const CRITICAL_PRIORITY: i32 = 2_000_000_000;

/// Length of a CFS period in microseconds (R13.8).
pub const CPU_PERIOD_US: u64 = 100_000;
const LEAST_QUOTA_US: u64 = 1000;
const LEAST_SHARES: u64 = 2;
const MOST_SHARES: u64 = 262_144;

/// A container's `oom_score_adj` on a machine with so much memory (R13.4 to R13.6).
#[must_use]
pub fn oom_score_adj(pod: &Pod, container: &Container, node_memory_bytes: u64) -> i32 {
    let class = pod.spec.priority_class_name.as_deref();
    let priority = pod.spec.priority;
    if class == Some(NODE_CRITICAL) && priority.is_none_or(|p| p >= CRITICAL_PRIORITY) {
        return GUARANTEED_OOM_SCORE;
    }
    match qos_class(&pod.spec) {
        QosClass::Guaranteed => return GUARANTEED_OOM_SCORE,
        QosClass::BestEffort => return BEST_EFFORT_OOM_SCORE,
        QosClass::Burstable => {}
    }
    let own = unclamped_oom_score(memory_request(container), node_memory_bytes);
    let entries = &pod.spec.init_containers;
    let entry = entries.iter().find(|entry| entry.name == container.name);
    let sidecar = entry.is_some_and(|entry| Role::of_init_entry(entry) == Role::Sidecar);
    // R13.6: a sidecar is not to die before the app that asked for least.
    let least = pod
        .spec
        .containers
        .iter()
        .map(memory_request)
        .min()
        .filter(|_| sidecar);
    let score = least.map_or(own, |least| {
        own.min(unclamped_oom_score(least, node_memory_bytes))
    });
    let floor = 1000 + GUARANTEED_OOM_SCORE;
    i32::try_from(score)
        .unwrap_or(floor)
        .clamp(floor, BEST_EFFORT_OOM_SCORE - 1)
}

/// R13.5, before clamping.
fn unclamped_oom_score(request: u64, node_memory_bytes: u64) -> i128 {
    1000 - 1000 * i128::from(request) / i128::from(node_memory_bytes.max(1))
}

/// What the kernel is told about a cgroup.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupValues {
    /// `cpu.shares` of cgroup v1; [`cpu_weight`] makes `cpu.weight` of it.
    pub cpu_shares: u64,
    /// Microseconds of CPU time per [`CPU_PERIOD_US`]; without limit when absent.
    pub cpu_quota_us: Option<u64>,
    /// Bytes of memory; without limit when absent.
    pub memory_limit_bytes: Option<u64>,
}

/// The values of one container's cgroup.
#[must_use]
pub fn container_cgroup(container: &Container) -> CgroupValues {
    let limit = amount(container, Kind::Limit, "cpu").map(|limit| limit.0);
    let request = amount(container, Kind::Request, "cpu").map(|request| request.0);
    CgroupValues {
        cpu_shares: cpu_shares(request.or(limit).unwrap_or(0)),
        cpu_quota_us: limit.and_then(cpu_quota_us),
        memory_limit_bytes: amount(container, Kind::Limit, "memory")
            .map(|limit| limit.1)
            .filter(|bytes| *bytes > 0),
    }
}

/// The values of the Pod's cgroup: quota and memory only if every container has the limit (R13.8).
#[must_use]
pub fn pod_cgroup(spec: &PodSpec) -> CgroupValues {
    let requests = effective_requests(spec);
    let limits = effective_limits(spec);
    let millis = |quantity: &manifest::Quantity| u64::try_from(quantity.millis()).unwrap_or(0);
    let bounded = |resource| {
        limits
            .get(resource)
            .filter(|_| every_container_limits(spec, resource))
    };
    CgroupValues {
        cpu_shares: cpu_shares(requests.get("cpu").map_or(0, millis)),
        cpu_quota_us: bounded("cpu").map(millis).and_then(cpu_quota_us),
        memory_limit_bytes: bounded("memory")
            .map(|limit| limit.to_bytes())
            .filter(|bytes| *bytes > 0),
    }
}

/// `cpu.shares` of so many thousandths of a CPU (R13.7).
#[must_use]
pub fn cpu_shares(millis: u64) -> u64 {
    (millis.saturating_mul(1024) / 1000).clamp(LEAST_SHARES, MOST_SHARES)
}

/// `cpu.weight` of cgroup v2 for `cpu.shares`, as current runtimes convert (runc from 1.3.2 on, crun
/// from 1.23 on): 2, 1024 and 262144 become 1, 100 and 10000 (R13.7).
#[must_use]
pub fn cpu_weight(shares: u64) -> u64 {
    if shares <= LEAST_SHARES {
        return 1;
    }
    if shares >= MOST_SHARES {
        return 10_000;
    }
    let l = (shares as f64).log2();
    let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
    10f64.powf(exponent).ceil() as u64
}

/// The CFS quota of so many thousandths of a CPU; none for none (R13.8).
#[must_use]
pub fn cpu_quota_us(millis: u64) -> Option<u64> {
    let quota = millis.saturating_mul(CPU_PERIOD_US / 1000);
    (millis > 0).then(|| quota.max(LEAST_QUOTA_US))
}

fn memory_request(container: &Container) -> u64 {
    amount(container, Kind::Request, "memory").map_or(0, |request| request.1)
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Limit,
}

/// An amount in thousandths and in whole units.
fn amount(container: &Container, kind: Kind, resource: &str) -> Option<(u64, u64)> {
    let resources = container.resources.as_ref()?;
    let list = match kind {
        Kind::Request => &resources.requests,
        Kind::Limit => &resources.limits,
    };
    let quantity = list.get(resource)?;
    Some((
        u64::try_from(quantity.millis()).unwrap_or(0),
        quantity.to_bytes(),
    ))
}

#[cfg(test)]
mod tests;
