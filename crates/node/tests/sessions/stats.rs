//! What containers use.

use std::time::Duration;

use crate::fixture::Fixture;

crate::tests! {
    who_works_uses_more,
    no_sandbox_no_figures,
}

const SPEC: &str = "terminationGracePeriodSeconds: 0\ninitContainers:\n\
    - {name: busy, image: busybox, restartPolicy: Always, command: [sh, -c, 'while :; do :; done']}\n\
    containers:\n- {name: idle, image: busybox, command: [sleep, '1000']}";

async fn who_works_uses_more() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(SPEC).await;
    let usage = pod.control.usage(Duration::from_millis(200)).await;
    let usage = usage.expect("usage");
    assert!(usage.window >= Duration::from_millis(200));
    let stats = pod.control.stats().await.expect("stats");
    if std::fs::read_to_string("/proc/mounts").is_ok_and(|mounts| !mounts.contains(" cgroup")) {
        println!("no cgroup file system is mounted: nothing counts");
        return pod.end().await;
    }
    let [busy, idle] = &usage.containers[..] else {
        panic!("two containers: {usage:?}");
    };
    assert_eq!((&*busy.name, &*idle.name), ("busy", "idle"));
    assert!(busy.cpu_nanocores > idle.cpu_nanocores, "{usage:?}");
    assert!(idle.cpu_nanocores < Some(500_000_000), "{usage:?}");
    assert!(
        stats.cpu_ns() > 0 && stats.working_set_bytes() > 4096,
        "{stats:?}"
    );
    pod.end().await;
}

async fn no_sandbox_no_figures() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(SPEC).await;
    let control = pod.control.clone();
    pod.end().await;
    assert!(control.stats().await.is_err());
}
