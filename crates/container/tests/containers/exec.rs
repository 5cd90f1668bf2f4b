//! Exec into a running container.

use std::io::{Read, Write};

use container::{Process, Running, StartError, Step};

use crate::fixture::{Fixture, Outcome, collect, pipes};

pub(crate) const TESTS: &[crate::Test] = &[
    ("exec_joins_the_container", exec_joins_the_container),
    (
        "exec_has_a_user_and_limits_of_its_own",
        exec_has_a_user_and_limits_of_its_own,
    ),
    ("exec_errors_are_told", exec_errors_are_told),
    ("exec_on_a_terminal", exec_on_a_terminal),
    ("exec_ends_with_the_container", exec_ends_with_the_container),
];

fn sleeper(pod: &Fixture) -> Running {
    pod.start(&pod.shell("touch /mark; exec sleep 1000"))
        .0
        .expect("start")
}

fn exec(pod: &Fixture, container: &Running, process: &Process) -> Result<Outcome, StartError> {
    let (stdio, files) = pipes();
    let running = pod.launcher.exec(container, process, stdio)?.finish()?;
    Ok(collect(&running, files))
}

fn end(container: &Running) {
    container.signal(9).expect("kill");
    container.wait().expect("wait");
}

fn exec_joins_the_container() {
    let pod = Fixture::new();
    let container = sleeper(&pod);
    let script = "until test -e /mark; do sleep 0.01; done; hostname; echo marked; \
                  for n in pid mnt net uts ipc cgroup; do \
                  test $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) || echo other $n; done; exit 3";
    let outcome = exec(&pod, &container, &Process::new(["sh", "-c", script])).expect("exec");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.status.code),
        ("my-pod\nmarked\n", 3),
        "{outcome:?}"
    );
    end(&container);
}

fn exec_has_a_user_and_limits_of_its_own() {
    let pod = Fixture::new();
    let container = sleeper(&pod);
    let mut process = Process::new([
        "sh",
        "-c",
        "id -u; grep -E 'CapEff|CapBnd|Seccomp:|NoNew' /proc/self/status",
    ]);
    process.user.image_user = "app".into();
    process.no_new_privileges = true;
    let outcome = exec(&pod, &container, &process).expect("exec");
    assert_eq!(
        outcome.stdout,
        "1000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    );
    end(&container);
}

fn exec_errors_are_told() {
    let pod = Fixture::new();
    let container = sleeper(&pod);
    let error = exec(&pod, &container, &Process::new(["nope"])).expect_err("no such program");
    assert_eq!(error.step, Step::Exec);
    let mut process = Process::new(["pwd"]);
    process.cwd = "/not/here".into();
    let error = exec(&pod, &container, &process).expect_err("no such directory");
    assert_eq!(error.step, Step::WorkingDirectory);
    assert_eq!(
        error.message,
        "chdir to cwd (\"/not/here\"): no such file or directory"
    );
    end(&container);
    let error = exec(&pod, &container, &Process::new(["true"])).expect_err("not running");
    assert_eq!(
        error.message,
        "cannot exec in a container that is not running"
    );
}

fn exec_on_a_terminal() {
    let pod = Fixture::new();
    let container = sleeper(&pod);
    let mut process = Process::new(["sh", "-c", "tty; cat"]);
    process.tty = true;
    let (stdio, _files) = pipes();
    let mut running = pod
        .launcher
        .exec(&container, &process, stdio)
        .expect("exec")
        .finish()
        .expect("exec");
    let mut terminal = std::fs::File::from(running.take_terminal().expect("terminal"));
    terminal.write_all(b"\x04").expect("write");
    let mut seen = Vec::new();
    let _ = terminal.read_to_end(&mut seen);
    assert_eq!(String::from_utf8_lossy(&seen), "/dev/pts/0\r\n");
    assert_eq!(running.wait().expect("wait").code, 0);
    end(&container);
}

fn exec_ends_with_the_container() {
    let pod = Fixture::new();
    let container = sleeper(&pod);
    let (stdio, _files) = pipes();
    let process = Process::new(["sleep", "1000"]);
    let exec = pod
        .launcher
        .exec(&container, &process, stdio)
        .expect("exec")
        .finish()
        .expect("exec");
    container.signal(9).expect("kill");
    // Its own exit is collected first: PID 1 cannot end before.
    assert_eq!(exec.wait().expect("wait").signal, Some(9));
    container.wait().expect("wait");
}
