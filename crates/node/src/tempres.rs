//! temp
use manifest::core::v1::{Container, Pod, PodSpec};
pub(crate) struct CgroupValues { pub memory_bytes: Option<u64>, pub cpu_shares: u64, pub cpu_quota_micros: Option<u64> }
pub(crate) fn container_cgroup(c: &Container) -> CgroupValues {
    let m = c.resources.as_ref().and_then(|r| r.limits.get("memory")).map(|q| q.to_bytes());
    CgroupValues { memory_bytes: m, cpu_shares: 2, cpu_quota_micros: None }
}
pub(crate) fn pod_cgroup(_: &PodSpec) -> CgroupValues { CgroupValues { memory_bytes: None, cpu_shares: 2, cpu_quota_micros: None } }
pub(crate) fn oom_score_adj(_: &Pod, _: &Container, _: u64) -> i32 { 1000 }
