//! What remains when the runner is killed: nothing that runs, nothing that is mounted.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use container::{Mount, MountSource, PidMode, SandboxSpec};

use crate::fixture::{Fixture, readable};

pub(crate) const TESTS: &[crate::Test] = &[
    (
        "kernels_without_mount_setattr_do",
        kernels_without_mount_setattr_do,
    ),
    (
        "a_killed_runner_takes_its_containers_along",
        a_killed_runner_takes_its_containers_along,
    ),
    (
        "a_killed_runner_takes_a_shared_namespace_along",
        a_killed_runner_takes_a_shared_namespace_along,
    ),
    (
        "nothing_stays_mounted_or_open",
        nothing_stays_mounted_or_open,
    ),
    (
        "started_by_hand_a_helper_fails",
        started_by_hand_a_helper_fails,
    ),
];

/// Makes this program a runner with one container instead of a test.
pub(crate) const RUNNER_ARGUMENT: &str = "be-a-runner";

/// Starts a container, prints its process number and waits to be killed.
pub(crate) fn be_a_runner(mode: &str) -> ExitCode {
    if mode == "old" {
        return be_on_an_old_kernel();
    }
    let pid = if mode == "shared" {
        PidMode::Shared
    } else {
        PidMode::PerContainer
    };
    let pod = Fixture::with(&SandboxSpec {
        pid,
        ..Default::default()
    });
    let spec = pod.spec(&["sleep", "1000"]);
    let (running, _files) = pod.start(&spec);
    let running = running.expect("start");
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", running.pid()).expect("write");
    writeln!(stdout, "{}", pod.dir.path().display()).expect("write");
    running.wait().expect("wait");
    ExitCode::SUCCESS
}

fn killed_runner(mode: &str) {
    let mut runner = Command::new(std::env::current_exe().expect("own path"))
        .args([RUNNER_ARGUMENT, mode])
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the runner");
    let mut lines = BufReader::new(runner.stdout.take().expect("stdout")).lines();
    let mut line = || lines.next().expect("a line").expect("text");
    let pid: i32 = line().parse().expect("a number");
    let dir = line();
    let pid = rustix::process::Pid::from_raw(pid).expect("a process");
    let container =
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).expect("pidfd");
    runner.kill().expect("kill");
    runner.wait().expect("wait");
    // Becomes readable when the container has ended; a container that lives on would hang the test here.
    readable(&container);
    std::fs::remove_dir_all(dir).expect("no mount keeps the directory busy");
}

fn a_killed_runner_takes_its_containers_along() {
    killed_runner("private");
}

fn a_killed_runner_takes_a_shared_namespace_along() {
    killed_runner("shared");
}

fn nothing_stays_mounted_or_open() {
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").expect("read");
    let open = || std::fs::read_dir("/proc/self/fd").expect("readdir").count();
    let children = || std::fs::read_to_string("/proc/thread-self/children").expect("read");
    let (mounts_before, open_before, children_before) = (mounts(), open(), children());
    {
        let pod = Fixture::new();
        for _ in 0..5 {
            assert_eq!(pod.output("echo x"), "x\n");
            pod.error(&pod.spec(&["nope"]));
        }
        assert_eq!(
            mounts(),
            mounts_before,
            "no mount on the machine, not even while it runs"
        );
    }
    assert_eq!(open(), open_before);
    assert_eq!(children(), children_before, "no zombie");
}

fn started_by_hand_a_helper_fails() {
    use std::os::unix::process::CommandExt;
    let status = Command::new("/proc/self/exe")
        .arg0("pillion-init")
        .stdin(Stdio::null())
        .status()
        .expect("start");
    assert_eq!(status.code(), Some(1));
}

/// Linux 5.10 and 5.11, played by a filter that our helpers inherit.
fn be_on_an_old_kernel() -> ExitCode {
    const MOUNT_SETATTR: u32 = 442;
    let i = |code, jump_true, operand| sys::seccomp::Instruction {
        code,
        jump_true,
        jump_false: 0,
        operand,
    };
    let program = [
        i(0x20, 0, 0), // load the number
        i(0x15, 1, MOUNT_SETATTR),
        i(0x06, 0, 0x7fff_0000), // allow
        i(0x06, 0, 0x0005_0026), // ENOSYS
    ];
    let pod = Fixture::new();
    let volume = pod.dir.path().join("volume");
    std::fs::create_dir(&volume).expect("mkdir");
    sys::seccomp::install(&program).expect("filter");
    let mut spec = pod.shell(
        "for f in /x /ro/x /rw/x /sys/x /proc/sys/kernel/hostname /proc/irq/x; do echo > $f || echo $f; done 2>/dev/null; \
         mknod /rw/z c 1 5 && cat /rw/z || echo nodev; echo null > /dev/null && echo null",
    );
    spec.read_only_root = true;
    spec.mounts = vec![
        Mount::new(MountSource::path(&volume), "/ro").read_only(),
        Mount::new(MountSource::path(&volume), "/rw"),
    ];
    let outcome = pod.run(&spec);
    assert_eq!(
        outcome.stdout, "/x\n/ro/x\n/sys/x\n/proc/sys/kernel/hostname\n/proc/irq/x\nnodev\nnull\n",
        "{outcome:?}"
    );
    ExitCode::SUCCESS
}

fn kernels_without_mount_setattr_do() {
    let status = Command::new(std::env::current_exe().expect("own path"))
        .args([RUNNER_ARGUMENT, "old"])
        .status()
        .expect("start the runner");
    assert!(status.success());
}
