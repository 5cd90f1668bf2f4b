use std::io::{Read, Write};

use container::{PidMode, Rootfs, SandboxSpec, Step};

use crate::fixture::{Fixture, collect, pipes, readable};

pub(crate) const TESTS: &[crate::Test] = &[
    (
        "the_entrypoint_is_pid_1_with_the_pods_host_name",
        the_entrypoint_is_pid_1_with_the_pods_host_name,
    ),
    (
        "containers_share_the_pods_namespaces",
        containers_share_the_pods_namespaces,
    ),
    (
        "host_namespaces_are_the_machines",
        host_namespaces_are_the_machines,
    ),
    (
        "a_shared_pid_namespace_shows_all_and_reaps",
        a_shared_pid_namespace_shows_all_and_reaps,
    ),
    ("exit_codes_and_signals", exit_codes_and_signals),
    (
        "start_errors_name_step_and_reason",
        start_errors_name_step_and_reason,
    ),
    ("environment_and_directory", environment_and_directory),
    ("stdin_is_what_is_given", stdin_is_what_is_given),
    ("signals_are_as_new", signals_are_as_new),
    ("no_descriptor_leaks", no_descriptor_leaks),
    (
        "a_terminal_is_the_containers_own",
        a_terminal_is_the_containers_own,
    ),
    (
        "loopback_works_and_sysctls_are_set",
        loopback_works_and_sysctls_are_set,
    ),
    (
        "prepared_helpers_start_and_can_be_dropped",
        prepared_helpers_start_and_can_be_dropped,
    ),
    (
        "a_dropped_start_leaves_nothing",
        a_dropped_start_leaves_nothing,
    ),
];

fn the_entrypoint_is_pid_1_with_the_pods_host_name() {
    let pod = Fixture::new();
    assert_eq!(pod.output("echo $$; hostname"), "1\nmy-pod\n");
    assert_ne!(rustix::system::uname().nodename().to_bytes(), b"my-pod");
}

fn namespaces(pod: &Fixture) -> Vec<String> {
    pod.output("for n in net uts ipc pid mnt cgroup; do readlink /proc/self/ns/$n; done")
        .lines()
        .map(str::to_owned)
        .collect()
}

fn own(kind: &str) -> String {
    std::fs::read_link(format!("/proc/self/ns/{kind}"))
        .expect("readlink")
        .display()
        .to_string()
}

fn containers_share_the_pods_namespaces() {
    let pod = Fixture::new();
    let (one, two) = (namespaces(&pod), namespaces(&pod));
    assert_eq!(one[..3], two[..3], "network, uts and ipc are the Pod's");
    for (index, kind) in ["net", "uts", "ipc", "pid", "mnt", "cgroup"]
        .iter()
        .enumerate()
    {
        assert_ne!(one[index], own(kind), "{kind} is not the machine's");
    }
    assert_ne!(
        namespaces(&Fixture::new())[..3],
        one[..3],
        "another Pod has others"
    );
}

fn host_namespaces_are_the_machines() {
    let pod = Fixture::with(&SandboxSpec {
        host_network: true,
        host_ipc: true,
        pid: PidMode::Host,
        ..Default::default()
    });
    assert!(pod.sandbox.network_namespace().is_none());
    let seen = namespaces(&pod);
    for (index, kind) in ["net", "uts", "ipc", "pid"].iter().enumerate() {
        assert_eq!(seen[index], own(kind), "{kind}");
    }
    let spec = pod.shell("echo $$");
    let (running, files) = pod.start(&spec);
    let running = running.expect("start");
    let pid = running.pid().to_string();
    assert_eq!(collect(&running, files).stdout.trim(), pid);
}

fn a_shared_pid_namespace_shows_all_and_reaps() {
    let pod = Fixture::with(&SandboxSpec {
        pid: PidMode::Shared,
        ..Default::default()
    });
    let (sleeper, _files) = pod.start(&pod.spec(&["sleep", "1000"]));
    let sleeper = sleeper.expect("start");
    let seen = pod.output("echo $$; ps -o pid,comm");
    assert!(!seen.starts_with("1\n"), "{seen}");
    assert!(seen.contains("1 pause") && seen.contains("sleep"), "{seen}");
    // An orphan goes to pause, which leaves no zombie of it.
    let orphan = pod.output("(sleep 0.05 & ) ; sleep 0.3; ps -o pid,stat,comm");
    assert!(!orphan.contains("Z "), "{orphan}");
    pod.sandbox.pause().expect("pause").signal(9).expect("kill");
    assert_eq!(
        sleeper.wait().expect("wait").signal,
        Some(9),
        "the namespace dies with pause"
    );
    pod.sandbox.close().expect("close");
}

fn exit_codes_and_signals() {
    let pod = Fixture::new();
    let status = |script: &str| pod.run(&pod.shell(script)).status;
    assert_eq!((status("exit 0").code, status("exit 7").code), (0, 7));
    // PID 1 is protected from its own signals, its children are not: the shell reports 128 + 9.
    assert_eq!(status("sh -c 'kill -9 $$'; exit $?").code, 137);

    let (running, _files) = pod.start(&pod.spec(&["sleep", "1000"]));
    let running = running.expect("start");
    assert_eq!(running.try_wait().expect("wait"), None);
    running.signal(9).expect("kill");
    readable(&running);
    let status = running.try_wait().expect("wait").expect("ended");
    assert_eq!((status.code, status.signal), (137, Some(9)));
    assert!(
        running.signal(15).is_ok(),
        "a signal after the end is no error"
    );
}

fn start_errors_name_step_and_reason() {
    let pod = Fixture::new();
    let case = |args: &[&str], step: Step, message: &str| {
        let error = pod.error(&pod.spec(args));
        assert_eq!((error.step, error.message.as_str()), (step, message));
    };
    case(
        &["nope"],
        Step::Exec,
        "exec: \"nope\": executable file not found in $PATH",
    );
    case(
        &["/nope"],
        Step::Exec,
        "exec: \"/nope\": stat /nope: no such file or directory",
    );
    case(
        &["/etc/passwd"],
        Step::Exec,
        "exec: \"/etc/passwd\": permission denied",
    );
    case(&["/etc"], Step::Exec, "exec: \"/etc\": is a directory");
    case(&[], Step::Exec, "no command specified");

    let script = pod.image().join("bin/script");
    std::fs::write(&script, "#!/no/interpreter\n").expect("write");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("chmod");
    case(
        &["/bin/script"],
        Step::Exec,
        "exec /bin/script: no such file or directory",
    );
    std::fs::write(&script, "no magic number").expect("write");
    case(
        &["script"],
        Step::Exec,
        "exec /bin/script: exec format error",
    );

    let mut spec = pod.spec(&["true"]);
    spec.rootfs = Rootfs::Directory("/nowhere".into());
    let error = pod.error(&spec);
    assert_eq!(error.step, Step::Rootfs);
    assert!(
        error
            .message
            .contains("/nowhere: no such file or directory"),
        "{error}"
    );

    let mut spec = pod.spec(&["true"]);
    spec.process.capabilities.add = vec!["FLYING".into()];
    assert_eq!(pod.error(&spec).step, Step::Capabilities);
}

fn environment_and_directory() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&["sh", "-c", "pwd; echo $A $HOME; umask; env | grep ^PATH"]);
    spec.process.env = vec![("A".into(), "b c".into())];
    spec.process.cwd = "/made/for me".into();
    let stdout = pod.run(&spec).stdout;
    assert!(
        stdout.starts_with("/made/for me\nb c /root\n0022\nPATH=/usr/local/sbin:"),
        "{stdout}"
    );

    let mut spec = pod.spec(&["pwd"]);
    spec.process.cwd = "relative".into();
    assert_eq!(pod.error(&spec).step, Step::WorkingDirectory);
    let mut spec = pod.spec(&["pwd"]);
    spec.process.cwd = "/etc/passwd".into();
    assert_eq!(pod.error(&spec).step, Step::WorkingDirectory);
    let mut spec = pod.spec(&["pwd"]);
    spec.process.cwd = "/proc/self/fd/0".into();
    assert_eq!(pod.error(&spec).step, Step::WorkingDirectory);
}

fn stdin_is_what_is_given() {
    let pod = Fixture::new();
    assert_eq!(
        pod.output("cat | wc -c").trim(),
        "0",
        "/dev/null without stdin"
    );
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
    let (mut stdio, files) = pipes();
    stdio.stdin = Some(read);
    let spec = pod.spec(&["cat"]);
    let starting = pod
        .launcher
        .start(&pod.sandbox, &spec, stdio)
        .expect("start");
    std::fs::File::from(write)
        .write_all(b"through")
        .expect("write");
    let outcome = collect(&starting.finish().expect("start"), files);
    assert_eq!(outcome.stdout, "through");
}

fn signals_are_as_new() {
    let pod = Fixture::new();
    let status = pod.output("exec cat /proc/self/status");
    for mask in ["SigBlk", "SigIgn", "SigCgt"] {
        assert!(
            status.contains(&format!("{mask}:\t0000000000000000")),
            "{mask} in {status}"
        );
    }
    assert!(status.contains("Threads:\t1"));
}

fn no_descriptor_leaks() {
    let pod = Fixture::new();
    // Not close-on-exec, as a careless library of the runner would open it.
    let careless = std::fs::File::open("/").expect("open");
    rustix::io::fcntl_setfd(&careless, rustix::io::FdFlags::empty()).expect("fcntl");
    let listed = pod.run(&pod.spec(&["ls", "/proc/self/fd"])).stdout;
    // 3 is `ls` reading the directory.
    assert_eq!(
        listed.split_whitespace().collect::<Vec<_>>(),
        ["0", "1", "2", "3"]
    );
}

fn a_terminal_is_the_containers_own() {
    let pod = Fixture::new();
    let mut spec = pod.spec(&[
        "sh",
        "-c",
        "tty; echo $TERM; test -c /dev/console && echo console; cat < /dev/tty",
    ]);
    spec.process.tty = true;
    let (running, _files) = pod.start(&spec);
    let mut running = running.expect("start");
    let mut terminal = std::fs::File::from(running.take_terminal().expect("a terminal"));
    terminal.write_all(b"typed\n\x04").expect("write");
    let mut seen = Vec::new();
    // Reading from a terminal whose other side is closed ends in EIO.
    let _ = terminal.read_to_end(&mut seen);
    let seen = String::from_utf8(seen).expect("text");
    assert!(
        seen.starts_with("typed\r\n/dev/pts/0\r\nxterm\r\nconsole\r\n")
            || seen.starts_with("/dev/pts/0\r\n"),
        "{seen:?}"
    );
    assert!(seen.matches("typed").count() >= 2, "echo and cat: {seen:?}");
    assert_eq!(running.wait().expect("wait").code, 0);
}

fn loopback_works_and_sysctls_are_set() {
    let pod = Fixture::with(&SandboxSpec {
        hostname: Some("p".into()),
        sysctls: vec![
            ("net.ipv4.ip_unprivileged_port_start".into(), "0".into()),
            ("kernel.shm_rmid_forced".into(), "1".into()),
        ],
        ..Default::default()
    });
    let seen = pod.output(
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced; \
         ip -o addr show lo | grep -c -e 127.0.0.1/8 -e ::1/128; ping -c1 -W1 127.0.0.1 | grep -c 'bytes from'",
    );
    assert_eq!(seen, "0\n1\n2\n1\n");
    let before = std::fs::read_to_string("/proc/sys/kernel/shm_rmid_forced").expect("read");
    assert_eq!(before.trim(), "0", "the machine's own is untouched");
    let launcher = &pod.launcher;
    let bad = SandboxSpec {
        sysctls: vec![("net.no.such".into(), "1".into())],
        ..Default::default()
    };
    let error = launcher
        .create_sandbox(&bad)
        .expect("start")
        .finish()
        .expect_err("no such");
    assert_eq!(error.step, Step::Namespaces);
    assert!(error.message.contains("net.no.such"), "{error}");
}

fn prepared_helpers_start_and_can_be_dropped() {
    let pod = Fixture::new();
    drop(pod.launcher.prepare(None).expect("prepare"));
    let prepared = pod.launcher.prepare(None).expect("prepare");
    let spec = pod.shell("echo ready");
    let (stdio, files) = pipes();
    let starting = prepared.start(&pod.sandbox, &spec, stdio).expect("start");
    readable(&starting);
    assert_eq!(
        collect(&starting.finish().expect("start"), files).stdout,
        "ready\n"
    );
}

fn a_dropped_start_leaves_nothing() {
    let pod = Fixture::new();
    let (stdio, [mut out, _err]) = pipes();
    let spec = pod.spec(&["sleep", "1000"]);
    drop(
        pod.launcher
            .start(&pod.sandbox, &spec, stdio)
            .expect("start"),
    );
    // Ends only when no process holds the other end.
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("read");
    assert_eq!(rest, "");
}
