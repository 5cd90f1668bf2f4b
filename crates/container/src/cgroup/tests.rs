use std::fs::{create_dir_all, read_to_string, write as put};

use super::*;

const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu\\040cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

#[test]
fn modes_are_told_apart() {
    let hybrid = Cgroups::from_mountinfo(HYBRID);
    assert_eq!(hybrid.mode(), Mode::Hybrid);
    let mounts: Vec<_> = hybrid
        .hierarchies
        .iter()
        .map(|h| h.mount.to_str())
        .collect();
    assert_eq!(
        mounts,
        [
            Some("/sys/fs/cgroup/cpu cpuacct"),
            Some("/sys/fs/cgroup/memory"),
            Some("/sys/fs/cgroup/pids")
        ],
        "the escape is undone, the named hierarchy left alone"
    );
    let v1: String = HYBRID
        .lines()
        .filter(|line| !line.contains("cgroup2"))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(Cgroups::from_mountinfo(&v1).mode(), Mode::V1);
    assert_eq!(
        Cgroups::from_mountinfo("22 27 0:21 / /proc rw - proc proc rw").mode(),
        Mode::None
    );
    assert_eq!(
        Cgroups::from_mountinfo("garbage\n\n - \n").mode(),
        Mode::None
    );
}

/// A directory that looks like a v2 mount. The kernel makes control files in new directories; here the test does.
struct FakeV2 {
    dir: tempfile::TempDir,
    cgroups: Cgroups,
}

fn fake_v2(controllers: &str) -> FakeV2 {
    let dir = tempfile::tempdir().expect("temporary directory");
    put(dir.path().join("cgroup.controllers"), controllers).expect("write");
    let mount = format!(
        "30 23 0:26 / {} rw - cgroup2 cgroup2 rw",
        dir.path().display()
    );
    let cgroups = Cgroups::from_mountinfo(&mount);
    let fake = FakeV2 { dir, cgroups };
    for level in [
        "",
        "b",
        "b/kubepods",
        "b/kubepods/besteffort",
        "b/kubepods/besteffort/podu",
    ] {
        fake.populate(level, controllers);
    }
    fake.populate("b/kubepods/besteffort/podu/app-0", "");
    fake
}

impl FakeV2 {
    fn populate(&self, level: &str, enabled: &str) {
        let path = self.dir.path().join(level);
        create_dir_all(&path).expect("mkdir");
        put(path.join("cgroup.subtree_control"), enabled).expect("write");
        for file in [
            "cpu.weight",
            "cpu.max",
            "memory.max",
            "memory.swap.max",
            "memory.oom.group",
            "pids.max",
            "cgroup.procs",
            "cgroup.kill",
        ] {
            put(path.join(file), "").expect("write");
        }
    }

    fn read(&self, path: &str) -> String {
        read_to_string(self.dir.path().join(path)).expect("read")
    }
}

#[test]
fn v2_limits_land_in_the_right_files() {
    let fake = fake_v2("cpuset cpu io memory pids");
    assert_eq!(fake.cgroups.mode(), Mode::V2);
    let limits = Limits {
        memory_bytes: Some(16 << 20),
        cpu_shares: Some(512),
        cpu_quota_micros: Some(50_000),
        pids: Some(100),
    };
    let (pod, degraded) =
        fake.cgroups
            .create_pod("b", QosClass::BestEffort, "u", &Limits::default());
    assert_eq!(degraded, Degraded::default());
    let (app, degraded) = pod.create_child("app-0", &limits);
    assert_eq!(degraded, Degraded::default());
    let at = |file: &str| fake.read(&format!("b/kubepods/besteffort/podu/app-0/{file}"));
    assert_eq!(at("memory.max"), "16777216");
    assert_eq!(at("memory.swap.max"), "0");
    assert_eq!(at("memory.oom.group"), "1");
    assert_eq!(at("cpu.weight"), "59");
    assert_eq!(at("cpu.max"), "50000 100000");
    assert_eq!(at("pids.max"), "100");
    assert!(app.limits_memory());
    assert!(!pod.limits_memory());
    assert_eq!(fake.read("b/kubepods/besteffort/cpu.weight"), "1");
    assert!(
        app.birthplace()
            .is_some_and(|path| path.ends_with("podu/app-0"))
    );
    assert!(app.v1_views().next().is_none());
}

#[test]
fn v2_without_a_controller_says_so() {
    let fake = fake_v2("cpu pids");
    let limits = Limits {
        memory_bytes: Some(1),
        pids: Some(5),
        ..Limits::default()
    };
    let (_, degraded) = fake
        .cgroups
        .create_pod("b", QosClass::BestEffort, "u", &limits);
    assert_eq!(
        degraded.0,
        ["this machine has no memory cgroup controller; the memory limit is not enforced"]
    );
    assert_eq!(fake.read("b/kubepods/besteffort/podu/pids.max"), "5");
}

#[test]
fn a_machine_without_cgroups_runs_pods() {
    let cgroups = Cgroups::from_mountinfo("");
    let limits = Limits {
        memory_bytes: Some(1),
        ..Limits::default()
    };
    let (pod, degraded) = cgroups.create_pod("b", QosClass::Guaranteed, "u", &limits);
    assert!(pod.is_empty());
    assert_eq!(degraded.0.len(), 2, "{degraded:?}");
    let (child, _) = pod.create_child("c", &Limits::default());
    assert!(child.is_empty() && child.processes().expect("none").is_empty());
    assert!(child.remove().is_ok() && child.kill().is_ok());
}

#[test]
fn oom_kills_are_counted_on_both_versions() {
    let dir = tempfile::tempdir().expect("temporary directory");
    put(
        dir.path().join("memory.events"),
        "low 0\noom 3\noom_kill 2\noom_group_kill 1\n",
    )
    .expect("write");
    put(
        dir.path().join("memory.oom_control"),
        "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
    )
    .expect("write");
    let handle = |v2| CgroupHandle {
        v2,
        dirs: vec![Dir {
            path: dir.path().into(),
            controllers: vec![Controller::Memory],
        }],
    };
    assert_eq!(handle(true).oom_kills().expect("count"), 2);
    assert_eq!(handle(false).oom_kills().expect("count"), 5);
    let none = CgroupHandle {
        v2: true,
        dirs: vec![],
    };
    assert_eq!(
        none.oom_kills().expect_err("none").kind(),
        io::ErrorKind::NotFound
    );
}

#[test]
fn leftovers_are_found_across_hierarchies() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let mount = |name: &str| dir.path().join(name);
    create_dir_all(mount("memory/b/kubepods/burstable/podx/app")).expect("mkdir");
    create_dir_all(mount("pids/b/kubepods/burstable/podx")).expect("mkdir");
    create_dir_all(mount("pids/b/kubepods/pody")).expect("mkdir");
    create_dir_all(mount("pids/other/kubepods/podz")).expect("mkdir");
    let cgroups = Cgroups {
        mode: Mode::V1,
        hierarchies: vec![
            Hierarchy {
                mount: mount("memory"),
                controllers: vec![Controller::Memory],
            },
            Hierarchy {
                mount: mount("pids"),
                controllers: vec![Controller::Pids],
            },
        ],
    };
    let mut pods = cgroups.pods("b");
    pods.sort_by(|a, b| a.0.cmp(&b.0));
    let found: Vec<_> = pods
        .iter()
        .map(|(uid, handle)| (uid.as_str(), handle.dirs.len()))
        .collect();
    assert_eq!(found, [("x", 2), ("y", 1)]);
    for (_, handle) in &pods {
        handle.remove().expect("remove");
    }
    cgroups.prune("b");
    assert!(!mount("memory/b").exists() && !mount("pids/b").exists());
    assert!(mount("pids/other/kubepods/podz").exists());
}

#[test]
fn weights_follow_the_curve() {
    for (shares, weight) in [(2, 1), (512, 59), (1024, 100), (262_144, 10_000), (0, 1)] {
        assert_eq!(cpu::weight(shares), weight, "shares {shares}");
    }
}

#[test]
fn handles_travel_as_json() {
    let handle = CgroupHandle {
        v2: false,
        dirs: vec![Dir {
            path: "/a/b".into(),
            controllers: vec![Controller::Cpu],
        }],
    };
    let json = serde_json::to_string(&handle).expect("write");
    assert_eq!(
        serde_json::from_str::<CgroupHandle>(&json).expect("read"),
        handle
    );
}
