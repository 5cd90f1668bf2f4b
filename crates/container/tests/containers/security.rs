//! What a container must not be able to do.

use container::{ProcMount, SeccompProfile};

use crate::fixture::Fixture;

pub(crate) const TESTS: &[crate::Test] = &[
    (
        "default_capabilities_and_filter",
        default_capabilities_and_filter,
    ),
    (
        "capabilities_can_be_added_and_dropped",
        capabilities_can_be_added_and_dropped,
    ),
    ("no_new_privileges_is_set", no_new_privileges_is_set),
    ("system_calls_are_filtered", system_calls_are_filtered),
    (
        "the_filter_follows_capabilities",
        the_filter_follows_capabilities,
    ),
    ("proc_and_sys_are_masked", proc_and_sys_are_masked),
    ("proc_can_be_unmasked", proc_can_be_unmasked),
    (
        "device_nodes_of_its_own_making_are_dead",
        device_nodes_of_its_own_making_are_dead,
    ),
    ("standard_devices_work", standard_devices_work),
    (
        "the_machines_devices_keep_their_modes",
        the_machines_devices_keep_their_modes,
    ),
    ("privileged_has_all", privileged_has_all),
    ("a_linked_proc_is_refused", a_linked_proc_is_refused),
    (
        "nothing_of_the_machine_is_mounted",
        nothing_of_the_machine_is_mounted,
    ),
];

fn status(
    pod: &Fixture,
    change: impl FnOnce(&mut container::ContainerSpec),
    fields: &str,
) -> String {
    let script = format!("grep -E '^({fields}):' /proc/self/status");
    let mut spec = pod.shell(&script);
    change(&mut spec);
    pod.run(&spec).stdout
}

fn default_capabilities_and_filter() {
    let seen = status(
        &Fixture::new(),
        |_| {},
        "CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp",
    );
    assert_eq!(
        seen,
        "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n\
         CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n"
    );
}

fn capabilities_can_be_added_and_dropped() {
    let pod = Fixture::new();
    let seen = status(
        &pod,
        |spec| {
            spec.process.capabilities.add = vec!["NET_ADMIN".into()];
            spec.process.capabilities.drop = vec!["ALL".into()];
        },
        "CapEff|CapBnd",
    );
    assert_eq!(
        seen,
        "CapEff:\t0000000000001000\nCapBnd:\t0000000000001000\n"
    );
}

fn no_new_privileges_is_set() {
    let pod = Fixture::new();
    let seen = status(
        &pod,
        |spec| spec.process.no_new_privileges = true,
        "NoNewPrivs|Seccomp",
    );
    assert_eq!(seen, "NoNewPrivs:\t1\nSeccomp:\t2\n");
    let seen = status(
        &pod,
        |spec| spec.process.seccomp = SeccompProfile::Unconfined,
        "Seccomp",
    );
    assert_eq!(seen, "Seccomp:\t0\n");
}

/// `mount` and `umount` are refused for want of a capability as well; `unshare -U` needs none, so it shows the filter.
fn system_calls_are_filtered() {
    let pod = Fixture::new();
    let refused = |script: &str| {
        let outcome = pod.run(&pod.shell(script));
        assert_ne!(outcome.status.code, 0, "{script}: {outcome:?}");
        assert!(
            outcome.stderr.contains("ot permitted") || outcome.stderr.contains("ermission denied"),
            "{script}: {outcome:?}"
        );
    };
    refused("unshare -U true");
    refused("mount -t tmpfs x /tmp");
    refused("umount /proc");
    let mut spec = pod.shell("unshare -U true && echo new");
    spec.process.seccomp = SeccompProfile::Unconfined;
    assert_eq!(
        pod.run(&spec).stdout,
        "new\n",
        "it was the filter that refused"
    );
    assert_eq!(
        pod.output("chroot / true; sh -c 'echo child' & wait"),
        "child\n"
    );
}

fn the_filter_follows_capabilities() {
    let pod = Fixture::new();
    let mut spec = pod.shell("mount -t tmpfs x /tmp && echo mounted");
    spec.process.capabilities.add = vec!["CAP_SYS_ADMIN".into()];
    assert_eq!(pod.run(&spec).stdout, "mounted\n");
}

fn proc_and_sys_are_masked() {
    let pod = Fixture::new();
    let seen = pod.output(
        "for f in /proc/kcore /proc/keys /proc/timer_list; do test -e $f && cat $f | wc -c; done; \
         for d in /sys/firmware /proc/scsi /proc/acpi; do test -e $d && ls $d | wc -l; done; true",
    );
    assert!(
        !seen.is_empty() && seen.lines().all(|line| line.trim() == "0"),
        "{seen}"
    );
    for script in [
        "echo 1 > /proc/sys/kernel/panic",
        "echo b > /proc/sysrq-trigger",
        "touch /sys/x",
        "mkdir /sys/fs/cgroup/x",
    ] {
        let outcome = pod.run(&pod.shell(script));
        assert_ne!(outcome.status.code, 0, "{script}");
    }
    // Its own namespaces' settings are read-only too, as in containerd.
    let outcome = pod.run(&pod.shell("echo x > /proc/sys/kernel/hostname"));
    assert!(
        outcome.stderr.contains("Read-only file system"),
        "{outcome:?}"
    );
}

fn proc_can_be_unmasked() {
    let pod = Fixture::new();
    let mut spec = pod.shell("echo 99 > /proc/sys/net/ipv4/ip_default_ttl && echo written");
    spec.proc_mount = ProcMount::Unmasked;
    assert_eq!(pod.run(&spec).stdout, "written\n");
}

fn device_nodes_of_its_own_making_are_dead() {
    let pod = Fixture::new();
    for dir in ["/tmp", "/dev", "/dev/shm", "/root"] {
        let outcome = pod.run(&pod.shell(&format!("mknod {dir}/z c 1 5 && cat {dir}/z")));
        assert!(
            outcome.stderr.contains("Permission denied"),
            "{dir}: {outcome:?}"
        );
    }
    assert_eq!(
        pod.output(
            "grep -vE 'nodev' /proc/mounts | cut -d' ' -f2 | grep -vE '^/(dev|proc)/' | wc -l"
        )
        .trim(),
        "0"
    );
}

fn standard_devices_work() {
    let pod = Fixture::new();
    let seen = pod.output(
        "echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; \
         ls /dev | tr '\\n' ' '; df /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /dev/shm",
    );
    assert_eq!(
        seen,
        "3\n4\ncore fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero 65536\n1777\n"
    );
}

fn the_machines_devices_keep_their_modes() {
    use std::os::unix::fs::MetadataExt;
    let before = std::fs::metadata("/dev/null").expect("stat").mode();
    assert_eq!(
        Fixture::new().output("chmod 600 /dev/null; stat -c %a /dev/null"),
        "600\n"
    );
    assert_eq!(std::fs::metadata("/dev/null").expect("stat").mode(), before);
}

fn privileged_has_all() {
    let pod = Fixture::new();
    let mut spec = pod.shell(
        "grep -E '^(CapEff|Seccomp):' /proc/self/status; mount -t tmpfs x /tmp && echo mounted; \
         test -e /dev/kmsg && echo kmsg; touch /sys/fs/cgroup 2>/dev/null; echo 0 > /proc/sys/net/ipv4/ip_forward && echo rw",
    );
    spec.privileged = true;
    let own = std::fs::read_to_string("/proc/self/status").expect("read");
    let all = own
        .lines()
        .find(|line| line.starts_with("CapEff"))
        .expect("CapEff");
    assert_eq!(
        pod.run(&spec).stdout,
        format!("{all}\nSeccomp:\t0\nmounted\nkmsg\nrw\n")
    );
}

fn a_linked_proc_is_refused() {
    let pod = Fixture::new();
    std::fs::remove_dir(pod.image().join("proc")).expect("rmdir");
    std::os::unix::fs::symlink("/tmp", pod.image().join("proc")).expect("symlink");
    let error = pod.error(&pod.spec(&["true"]));
    assert!(error.message.starts_with("mount proc at /proc:"), "{error}");
}

fn nothing_of_the_machine_is_mounted() {
    let seen = Fixture::new().output("cut -d' ' -f2 /proc/mounts | sort -u");
    let known = [
        "/",
        "/dev",
        "/proc",
        "/sys",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ];
    for line in seen.lines() {
        let ours = known.contains(&line) || line.starts_with("/dev/") || line.starts_with("/proc/");
        assert!(ours, "{line} in {seen}");
    }
}
