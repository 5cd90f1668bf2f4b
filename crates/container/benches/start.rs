//! One container's start to exit of `/bin/true`, beside `runc` with the same root file system, namespaces and masks.
//!
//! `cargo bench -p pillion-container`; needs root, busybox-static and runc. Prints the median and the fastest of 40 runs; judge
//! by the ratio, both sides run in turn.

#![allow(missing_docs, reason = "a benchmark")]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

extern crate pillion_container as container;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use container::cgroup::{CgroupHandle, Cgroups, Limits, QosClass};
use container::{ContainerSpec, Launcher, Process, Rootfs, Sandbox, SandboxSpec, Stdio};

const RUNS: usize = 40;

fn main() -> ExitCode {
    if let Some(code) = container::helper_main(std::env::args_os().next().as_deref()) {
        return code;
    }
    let dir = tempfile::tempdir().unwrap();
    let rootfs = dir.path().join("rootfs");
    for sub in ["bin", "proc", "sys", "dev", "etc"] {
        std::fs::create_dir_all(rootfs.join(sub)).unwrap();
    }
    std::fs::copy("/bin/busybox", rootfs.join("bin/true")).unwrap();
    let launcher = Launcher::new().unwrap();
    let spec = SandboxSpec {
        hostname: Some("bench".into()),
        ..Default::default()
    };
    report("sandbox", || {
        launcher.create_sandbox(&spec).unwrap().finish().unwrap();
    });
    let sandbox = launcher.create_sandbox(&spec).unwrap().finish().unwrap();
    report("container, no cgroup", || {
        start(&launcher, &sandbox, &rootfs, None);
    });
    report_times("  of that, until its program runs", || {
        let start = Instant::now();
        let spec = container_spec(&rootfs, None);
        let running = launcher
            .start(&sandbox, &spec, null())
            .unwrap()
            .finish()
            .unwrap();
        let elapsed = start.elapsed();
        running.wait().unwrap();
        elapsed
    });
    let cgroups = Cgroups::detect().unwrap();
    let base = format!("pillion-bench-{}", std::process::id());
    let (pod, _) = cgroups.create_pod(&base, QosClass::BestEffort, "b", &Limits::default());
    let (cgroup, _) = pod.create_child(
        "c",
        &Limits {
            memory_bytes: Some(1 << 28),
            ..Limits::default()
        },
    );
    report("container, in its cgroup", || {
        start(&launcher, &sandbox, &rootfs, Some(&cgroup));
    });
    // After a pause the kernel makes a v1 join wait for a grace period of its RCU again.
    let pause = || std::thread::sleep(Duration::from_millis(50));
    report_times("  the same after a pause", || {
        pause();
        let started = Instant::now();
        start(&launcher, &sandbox, &rootfs, Some(&cgroup));
        started.elapsed()
    });
    report_times("  the same, prepared before a pause", || {
        let helper = launcher.prepare(Some(&cgroup)).unwrap();
        pause();
        let started = Instant::now();
        let spec = container_spec(&rootfs, Some(&cgroup));
        helper
            .start(&sandbox, &spec, null())
            .unwrap()
            .finish()
            .unwrap()
            .wait()
            .unwrap();
        started.elapsed()
    });
    report("three prepared at once, in a cgroup", || {
        let prepared: Vec<_> = (0..3)
            .map(|_| launcher.prepare(Some(&cgroup)).unwrap())
            .collect();
        for helper in prepared {
            let spec = container_spec(&rootfs, Some(&cgroup));
            helper
                .start(&sandbox, &spec, null())
                .unwrap()
                .finish()
                .unwrap()
                .wait()
                .unwrap();
        }
    });
    pod.remove().unwrap();
    cgroups.prune(&base);
    if Command::new("runc").arg("--version").output().is_ok() {
        let bundle = dir.path();
        Command::new("runc")
            .arg("spec")
            .current_dir(bundle)
            .status()
            .unwrap();
        let config = std::fs::read_to_string(bundle.join("config.json")).unwrap();
        let config = config
            .replace("\"terminal\": true", "\"terminal\": false")
            .replace("\"sh\"", "\"/bin/true\"");
        std::fs::write(bundle.join("config.json"), config).unwrap();
        report("runc run", || {
            let status = Command::new("runc")
                .args(["run", "bench"])
                .current_dir(bundle)
                .status();
            assert!(status.unwrap().success());
        });
    }
    ExitCode::SUCCESS
}

fn container_spec(rootfs: &Path, cgroup: Option<&CgroupHandle>) -> ContainerSpec {
    ContainerSpec {
        id: "bench".into(),
        rootfs: Rootfs::Directory(rootfs.into()),
        read_only_root: false,
        process: Process::new(["/bin/true"]),
        privileged: false,
        proc_mount: container::ProcMount::Default,
        mounts: vec![],
        cgroup: cgroup.cloned(),
    }
}

fn null() -> Stdio {
    let open = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/null")
            .unwrap()
            .into()
    };
    Stdio {
        stdin: None,
        stdout: open(),
        stderr: open(),
    }
}

fn start(launcher: &Launcher, sandbox: &Sandbox, rootfs: &Path, cgroup: Option<&CgroupHandle>) {
    let spec = container_spec(rootfs, cgroup);
    launcher
        .start(sandbox, &spec, null())
        .unwrap()
        .finish()
        .unwrap()
        .wait()
        .unwrap();
}

fn report(what: &str, mut run: impl FnMut()) {
    report_times(what, || {
        let start = Instant::now();
        run();
        start.elapsed()
    });
}

fn report_times(what: &str, mut run: impl FnMut() -> Duration) {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what:<36} median {:7.2} ms   fastest {:7.2} ms",
        ms(times[RUNS / 2]),
        ms(times[0])
    );
}
