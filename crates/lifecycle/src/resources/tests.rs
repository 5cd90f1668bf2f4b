//! Values of section 13.

use manifest::core::v1::{ResourceRequirements, RestartPolicy};

use super::*;

const GIB: u64 = 1 << 30;

fn container(name: &str, requests: &[(&str, &str)], limits: &[(&str, &str)]) -> Container {
    let list = |amounts: &[(&str, &str)]| {
        let amounts = amounts.iter();
        amounts
            .map(|(name, amount)| ((*name).to_owned(), amount.parse().unwrap()))
            .collect()
    };
    let resources = ResourceRequirements {
        requests: list(requests),
        limits: list(limits),
        ..ResourceRequirements::default()
    };
    Container {
        name: name.to_owned(),
        resources: Some(resources),
        ..Container::default()
    }
}

fn pod(sidecars: Vec<Container>, apps: Vec<Container>) -> Pod {
    let mut pod = Pod::default();
    pod.spec.init_containers = sidecars;
    for sidecar in &mut pod.spec.init_containers {
        sidecar.restart_policy = Some(RestartPolicy::Always);
    }
    pod.spec.containers = apps;
    pod
}

#[test]
fn r13_4_guaranteed_best_effort_and_critical() {
    let both = [("cpu", "1"), ("memory", "1Gi")];
    let guaranteed = pod(vec![], vec![container("a", &both, &both)]);
    assert_eq!(
        oom_score_adj(&guaranteed, &guaranteed.spec.containers[0], 8 * GIB),
        -997
    );
    let mut plain = pod(vec![], vec![container("a", &[], &[])]);
    assert_eq!(
        oom_score_adj(&plain, &plain.spec.containers[0], 8 * GIB),
        1000
    );
    // The class decides, and not the number alone.
    for (class, priority, expected) in [
        (None, Some(2_000_001_000), 1000),
        (Some("system-cluster-critical"), Some(2_000_000_000), 1000),
        (Some("system-node-critical"), Some(2_000_001_000), -997),
        (Some("system-node-critical"), None, -997),
        (Some("system-node-critical"), Some(0), 1000),
    ] {
        plain.spec.priority = priority;
        plain.spec.priority_class_name = class.map(str::to_owned);
        let score = oom_score_adj(&plain, &plain.spec.containers[0], 8 * GIB);
        assert_eq!(score, expected, "{class:?} {priority:?}");
    }
}

/// Facts of upstream's `TestGetContainerOOMScoreAdjust` (`pkg/kubelet/qos/policy_test.go`, commit 054d429d).
#[test]
fn r13_5_upstreams_table() {
    type Amounts<'a> = &'a [(&'a str, &'a str)];
    let both: Amounts<'_> = &[("memory", "10G"), ("cpu", "5m")];
    let cases: [(Amounts<'_>, Amounts<'_>, u64, i32); 7] = [
        (&[], &[("cpu", "10")], 4_000_000_000, 999),
        (&[("cpu", "0")], &[("memory", "10G")], 8_000_000_000, 999),
        (&[], &[("memory", "0")], 7_230_457_451, 1000),
        (&[], &[], 4_000_000_000, 1000),
        (both, both, 123_456_789, -997),
        (
            &[("memory", "4000000000"), ("cpu", "5m")],
            &[("memory", "10G")],
            8_000_000_000,
            500,
        ),
        (
            &[("memory", "7999999999"), ("cpu", "5m")],
            &[],
            8_000_000_000,
            3,
        ),
    ];
    for (requests, limits, memory, expected) in cases {
        let pod = pod(vec![], vec![container("a", requests, limits)]);
        let score = oom_score_adj(&pod, &pod.spec.containers[0], memory);
        assert_eq!(score, expected, "{requests:?} {limits:?}");
    }
}

#[test]
fn r13_5_burstable_by_share_of_the_machine_and_clamped() {
    for (request, expected) in [
        ("1Gi", 875),
        ("1", 999),
        ("8Gi", 3),
        ("16Gi", 3),
        ("3Gi", 625),
    ] {
        let pod = pod(vec![], vec![container("a", &[("memory", request)], &[])]);
        let score = oom_score_adj(&pod, &pod.spec.containers[0], 8 * GIB);
        assert_eq!(score, expected, "{request}");
    }
}

#[test]
fn r13_6_a_sidecar_gets_the_lower_of_its_own_and_the_least_apps() {
    let small = container("s", &[("memory", "16Mi")], &[]);
    let large = container("t", &[("memory", "4Gi")], &[]);
    let apps = vec![
        container("a", &[("memory", "1Gi")], &[]),
        container("b", &[("memory", "2Gi")], &[]),
    ];
    let pod = pod(vec![small, large], apps);
    let scores = pod
        .spec
        .init_containers
        .iter()
        .map(|s| oom_score_adj(&pod, s, 8 * GIB));
    assert_eq!(scores.collect::<Vec<_>>(), [875, 500]);
}

#[test]
fn r13_7_shares_and_weights() {
    for (millis, shares) in [
        (0, 2),
        (1, 2),
        (500, 512),
        (1000, 1024),
        (1_000_000, 262_144),
    ] {
        assert_eq!(cpu_shares(millis), shares, "{millis}m");
    }
    for (shares, weight) in [(0, 1), (2, 1), (512, 59), (1024, 100), (262_144, 10_000)] {
        assert_eq!(cpu_weight(shares), weight, "{shares} shares");
    }
    let limited = container("a", &[], &[("cpu", "500m")]);
    assert_eq!(container_cgroup(&limited).cpu_shares, 512);
}

#[test]
fn r13_8_quota_and_pod_limits() {
    for (millis, quota) in [
        (0, None),
        (1, Some(1000)),
        (250, Some(25_000)),
        (2000, Some(200_000)),
    ] {
        assert_eq!(cpu_quota_us(millis), quota, "{millis}m");
    }
    let limits = [("cpu", "500m"), ("memory", "64Mi")];
    let all = pod(
        vec![container("s", &limits, &limits)],
        vec![container("a", &[("cpu", "250m")], &limits)],
    );
    let values = pod_cgroup(&all.spec);
    assert_eq!(values.cpu_shares, 768);
    assert_eq!(values.cpu_quota_us, Some(100_000));
    assert_eq!(values.memory_limit_bytes, Some(128 << 20));
    let some = pod(
        vec![container("s", &[], &[])],
        vec![container("a", &limits, &limits)],
    );
    assert_eq!(pod_cgroup(&some.spec).memory_limit_bytes, None);
    assert_eq!(pod_cgroup(&some.spec).cpu_quota_us, None);
}
