//! Further processes in running containers.

use node::session::{ExecRequest, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Fixture, collect, request, sleeper};

crate::tests! {
    streams_and_exit_code,
    unwanted_output_is_lost_and_nobody_is_hurt,
    it_runs_as_the_container_does,
    end_of_signal,
    what_cannot_be_executed,
    unknown_and_ended_containers,
    standard_input_until_it_is_closed,
    a_terminal_with_its_size,
    a_dropped_terminal_hangs_up,
    a_dropped_session_leaves_the_process,
    execs_end_with_their_container,
    execs_end_with_their_container_in_a_shared_namespace,
    many_at_once_are_bounded,
}

async fn streams_and_exit_code() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let outcome = pod.shell("echo out; echo err >&2; exit 7").await;
    assert_eq!(outcome.code, 7);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", "err\n"));
    pod.end().await;
}

async fn unwanted_output_is_lost_and_nobody_is_hurt() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let request = ExecRequest {
        stdout: false,
        ..request(&["sh", "-c", "seq 100000; echo done >&2; exit 3"])
    };
    let session = pod.control.exec(request).await.expect("exec");
    assert!(session.stdout.is_none() && session.stdin.is_none());
    let outcome = collect(session).await;
    assert_eq!((outcome.code, &*outcome.stderr), (3, "done\n"));
    pod.end().await;
}

async fn it_runs_as_the_container_does() {
    let fixture = Fixture::new().await;
    let spec = sleeper(
        "env: [{name: A, value: b}], workingDir: /tmp, securityContext: {runAsUser: 1000, runAsGroup: 1001, \
         allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}",
    );
    let pod = fixture.pod(&spec).await;
    let script = "id -u; id -g; pwd; echo $A $TERM; grep -E 'CapBnd|Seccomp:|NoNew' /proc/self/status; \
                  for n in pid mnt net uts ipc cgroup; do \
                  test $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) || echo other $n; done; \
                  test \"$(cat /proc/1/cgroup)\" = \"$(cat /proc/self/cgroup)\" || echo other cgroup";
    let outcome = pod
        .shell(&script.replace("grep -E", "busybox grep -E"))
        .await;
    assert_eq!(
        outcome.stdout,
        "1000\n1001\n/tmp\nb\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
        "{outcome:?}"
    );
    pod.end().await;
}

async fn end_of_signal() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    assert_eq!(pod.shell("kill -9 $$").await.code, 137);
    assert_eq!(pod.shell("kill -15 $$").await.code, 143);
    pod.end().await;
}

async fn what_cannot_be_executed() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    for (command, words) in [
        (
            &["nope"][..],
            "exec: \"nope\": executable file not found in $PATH",
        ),
        (
            &["/nope"],
            "exec: \"/nope\": stat /nope: no such file or directory",
        ),
        (&["/etc/passwd"], "exec: \"/etc/passwd\": permission denied"),
        (&["/etc"], "exec: \"/etc\": is a directory"),
        (&[], "no command specified"),
    ] {
        let error = pod
            .control
            .exec(request(command))
            .await
            .expect_err("must fail");
        assert_eq!(
            error.to_string(),
            format!("failed to exec in container: unable to start container process: {words}")
        );
    }
    pod.end().await;
}

async fn unknown_and_ended_containers() {
    let fixture = Fixture::new().await;
    let spec = "restartPolicy: Never\nterminationGracePeriodSeconds: 0\ncontainers:\n\
                - {name: app, image: busybox, command: ['true']}\n\
                - {name: other, image: busybox, command: [sleep, '1000']}";
    let pod = fixture.started(spec).await;
    let ended = |pod: &std::sync::Arc<manifest::core::v1::Pod>| {
        let status = pod.status.as_ref();
        status.is_some_and(|s| {
            s.container_statuses.iter().any(|c| {
                c.state
                    .as_ref()
                    .is_some_and(|state| state.terminated.is_some())
            })
        })
    };
    pod.handle.status().wait_for(ended).await.expect("status");
    let error = pod
        .control
        .exec(request(&["true"]))
        .await
        .expect_err("ended");
    assert_eq!(error.to_string(), "container not found (\"app\")");
    let nobody = ExecRequest {
        container: "nobody".into(),
        ..request(&["true"])
    };
    let error = pod.control.exec(nobody).await.expect_err("unknown");
    assert_eq!(error.to_string(), "container not found (\"nobody\")");
    let control = pod.control.clone();
    pod.end().await;
    let error = control.exec(request(&["true"])).await.expect_err("no Pod");
    assert_eq!(error.to_string(), "container not found (\"app\")");
}

async fn standard_input_until_it_is_closed() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let request = ExecRequest {
        stdin: true,
        ..request(&["sh", "-c", "cat; echo end"])
    };
    let mut session = pod.control.exec(request).await.expect("exec");
    let mut stdin = session.stdin.take().expect("stdin");
    // More than pipes hold, so that both sides have to wait for each other.
    let much = vec![b'x'; 1 << 20];
    let writer = tokio::spawn(async move {
        stdin.write_all(&much).await.expect("write");
        stdin.shutdown().await.expect("close");
        assert!(stdin.write_all(b"more").await.is_err());
    });
    let outcome = collect(session).await;
    writer.await.expect("writer");
    assert_eq!(outcome.stdout.len(), (1 << 20) + 4);
    assert!(outcome.stdout.ends_with("xend\n"));
    pod.end().await;
}

async fn a_terminal_with_its_size() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let request = ExecRequest {
        stdin: true,
        tty: true,
        size: Some(TerminalSize {
            rows: 22,
            columns: 66,
        }),
        ..request(&[
            "sh",
            "-c",
            "tty; echo $TERM; stty size; read line; stty size; echo got $line >&2; exit 4",
        ])
    };
    let mut session = pod.control.exec(request).await.expect("exec");
    assert!(session.stderr.is_none(), "all is on the terminal");
    let mut stdout = session.stdout.take().expect("stdout");
    let mut seen = String::new();
    while !seen.ends_with("22 66\r\n") {
        seen.push(stdout.read_u8().await.expect("read").into());
    }
    let size = TerminalSize {
        rows: 33,
        columns: 111,
    };
    session.resize(size).expect("resize");
    let mut stdin = session.stdin.take().expect("stdin");
    stdin.write_all(b"word\r").await.expect("write");
    stdout.read_to_string(&mut seen).await.expect("read");
    assert_eq!(session.wait().await, 4);
    let mut lines: Vec<&str> = seen.lines().collect();
    // What is typed is echoed, before or after the first lines.
    lines.retain(|line| *line != "word");
    let joined = lines.join("|").replace("word", "");
    assert_eq!(joined, "/dev/pts/0|xterm|22 66|33 111|got ", "{seen:?}");
    pod.end().await;
}

async fn a_dropped_terminal_hangs_up() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let request = ExecRequest {
        stdin: true,
        tty: true,
        ..request(&[
            "sh",
            "-c",
            "trap 'echo hup >/tmp/hup; exit' HUP; echo ready; while :; do read x; done",
        ])
    };
    let mut session = pod.control.exec(request).await.expect("exec");
    let mut first = [0; 5];
    session
        .stdout
        .as_mut()
        .expect("stdout")
        .read_exact(&mut first)
        .await
        .expect("read");
    assert_eq!(&first, b"ready");
    drop(session);
    let outcome = pod
        .shell("until test -s /tmp/hup; do sleep 0.01; done; cat /tmp/hup")
        .await;
    assert_eq!(outcome.stdout, "hup\n");
    pod.end().await;
}

async fn a_dropped_session_leaves_the_process() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let session = pod
        .control
        .exec(request(&["sleep", "999"]))
        .await
        .expect("exec");
    drop(session);
    let count =
        "n=0; for f in /proc/[0-9]*/cmdline; do grep -q 999 $f && n=$((n+1)); done; echo $n";
    let count = count.replace("grep", "busybox grep");
    // The shell that counts names it too.
    assert_eq!(pod.shell(&count).await.stdout, "2\n");
    pod.end().await;
}

async fn execs_end_with_their_container() {
    end_together("").await;
}

async fn execs_end_with_their_container_in_a_shared_namespace() {
    end_together("shareProcessNamespace: true\n").await;
}

async fn end_together(pod_wide: &str) {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&format!("{pod_wide}{}", sleeper(""))).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(
            pod.control
                .exec(request(&["sleep", "1000"]))
                .await
                .expect("exec"),
        );
    }
    let control = pod.control.clone();
    control.kill();
    for session in sessions {
        assert_eq!(session.wait().await, 137);
    }
    pod.end().await;
}

async fn many_at_once_are_bounded() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let mut open = Vec::new();
    let error = loop {
        let request = ExecRequest {
            stdout: false,
            stderr: false,
            ..request(&["sleep", "1000"])
        };
        match pod.control.exec(request).await {
            Ok(session) => open.push(session),
            Err(error) => break error,
        }
    };
    assert_eq!(open.len(), 256);
    assert!(
        error
            .to_string()
            .starts_with("too many sessions: 256 are open"),
        "{error}"
    );
    pod.control.kill();
    for session in open {
        assert_eq!(session.wait().await, 137);
    }
    pod.end().await;
}
