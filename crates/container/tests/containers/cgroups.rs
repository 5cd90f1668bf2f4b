//! Real cgroups of this machine.

use container::cgroup::{Cgroups, Limits, Mode, QosClass};

use crate::fixture::{Fixture, collect};

pub(crate) const TESTS: &[crate::Test] = &[
    (
        "containers_are_born_in_a_v2_cgroup",
        containers_are_born_in_a_v2_cgroup,
    ),
    (
        "limits_hold_and_oom_kills_are_told",
        limits_hold_and_oom_kills_are_told,
    ),
    (
        "the_container_sees_its_own_cgroup",
        the_container_sees_its_own_cgroup,
    ),
    (
        "fork_bombs_are_bounded_and_killed",
        fork_bombs_are_bounded_and_killed,
    ),
];

/// A base of this process's own, so that tests never meet.
fn base() -> String {
    format!("pillion-test-{}", std::process::id())
}

fn limits_hold_and_oom_kills_are_told() {
    let cgroups = Cgroups::detect().expect("detect");
    let (parent, degraded) =
        cgroups.create_pod(&base(), QosClass::Burstable, "oom", &Limits::default());
    assert_eq!(degraded.0, Vec::<String>::new());
    let limits = Limits {
        memory_bytes: Some(16 << 20),
        cpu_shares: Some(100),
        cpu_quota_micros: Some(50_000),
        ..Limits::default()
    };
    let (cgroup, degraded) = parent.create_child("app-0", &limits);
    assert_eq!(degraded.0, Vec::<String>::new());
    let pod = Fixture::new();
    // dd's buffer is memory of the process; a file in /dev/shm would be charged as well.
    let mut spec = pod.spec(&["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"]);
    spec.cgroup = Some(cgroup.clone());
    let status = pod.run(&spec).status;
    assert_eq!((status.code, status.signal), (137, Some(9)));
    assert_eq!(cgroup.oom_kills().expect("count"), 1);

    let (calm, _) = parent.create_child("app-1", &limits);
    let mut spec = pod.spec(&["sleep", "1000"]);
    spec.cgroup = Some(calm.clone());
    let (running, files) = pod.start(&spec);
    let running = running.expect("start");
    assert_eq!(calm.processes().expect("list"), [running.pid()]);
    calm.kill().expect("kill");
    assert_eq!(collect(&running, files).status.signal, Some(9));
    assert_eq!(
        calm.oom_kills().expect("count"),
        0,
        "killed, but not for memory"
    );
    assert_eq!(cgroups.pods(&base()).len(), 1);
    parent.remove().expect("remove");
    cgroups.prune(&base());
    assert!(cgroups.pods(&base()).is_empty());
}

fn the_container_sees_its_own_cgroup() {
    let cgroups = Cgroups::detect().expect("detect");
    let (parent, _) = cgroups.create_pod(&base(), QosClass::BestEffort, "see", &Limits::default());
    let limits = Limits {
        memory_bytes: Some(64 << 20),
        ..Limits::default()
    };
    let (cgroup, _) = parent.create_child("app-0", &limits);
    let pod = Fixture::new();
    let mut spec = pod.shell(
        "grep -E ':(memory|):' /proc/self/cgroup | grep -vE '^0::/$' | cut -d: -f3 | sort -u; \
         cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; \
         mkdir /sys/fs/cgroup/memory/x /sys/fs/cgroup/x 2>/dev/null && echo writable",
    );
    spec.cgroup = Some(cgroup);
    let outcome = pod.run(&spec);
    assert_eq!(outcome.stdout, "/\n67108864\n", "{outcome:?}");
    parent.remove().expect("remove");
    cgroups.prune(&base());
}

fn fork_bombs_are_bounded_and_killed() {
    let cgroups = Cgroups::detect().expect("detect");
    let (parent, _) = cgroups.create_pod(&base(), QosClass::Guaranteed, "bomb", &Limits::default());
    let (cgroup, _) = parent.create_child(
        "app-0",
        &Limits {
            pids: Some(40),
            ..Limits::default()
        },
    );
    let pod = Fixture::new();
    let mut spec = pod.shell("bomb() { bomb & bomb & }; bomb; sleep 1000");
    spec.cgroup = Some(cgroup.clone());
    let (running, _files) = pod.start(&spec);
    let running = running.expect("start");
    cgroup.kill().expect("kill");
    assert!(cgroup.processes().expect("list").is_empty());
    assert_eq!(running.wait().expect("wait").signal, Some(9));
    parent.remove().expect("remove");
    cgroups.prune(&base());
}

/// On the v2 hierarchy of this machine alone, whether or not it has controllers.
fn containers_are_born_in_a_v2_cgroup() {
    let table = std::fs::read_to_string("/proc/self/mountinfo").expect("read");
    let v2: String = table
        .lines()
        .filter(|line| line.contains(" - cgroup2 "))
        .collect();
    assert!(
        !v2.is_empty(),
        "this test needs a mounted cgroup v2 hierarchy"
    );
    let cgroups = Cgroups::from_mountinfo(&v2);
    assert_eq!(cgroups.mode(), Mode::V2);
    let (parent, _) = cgroups.create_pod(&base(), QosClass::Burstable, "v2", &Limits::default());
    let (cgroup, _) = parent.create_child("app-0", &Limits::default());
    let pod = Fixture::new();
    let mut spec = pod.shell(
        "grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x || sleep 1000",
    );
    spec.cgroup = Some(cgroup.clone());
    let (running, [mut out, _err]) = pod.start(&spec);
    let running = running.expect("start");
    let mut seen = [0; 8];
    std::io::Read::read_exact(&mut out, &mut seen).expect("read");
    assert_eq!(
        &seen, b"0::/\n1\n3",
        "its own cgroup is its root, with itself and `cat` in it"
    );
    assert!(cgroup.processes().expect("list").contains(&running.pid()));
    let (stdio, files) = crate::fixture::pipes();
    let process = container::Process::new(["grep", "^0:", "/proc/self/cgroup"]);
    let exec = pod
        .launcher
        .exec(&running, &process, stdio)
        .expect("exec")
        .finish()
        .expect("exec");
    assert_eq!(collect(&exec, files).stdout, "0::/\n");
    cgroup.kill().expect("kill");
    assert_eq!(running.wait().expect("wait").signal, Some(9));
    parent.remove().expect("remove");
    cgroups.prune(&base());
}
