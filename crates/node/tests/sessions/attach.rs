//! The streams of a container's own first process.

use node::session::{AttachRequest, Session, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Fixture, Pod, collect};

crate::tests! {
    output_from_now_on_until_the_end,
    standard_input_stays_open_for_the_next,
    stdin_once_closes_with_the_first,
    without_stdin_there_is_none,
    a_terminal,
}

fn spec(script: &str, more: &str) -> String {
    format!(
        "restartPolicy: Never\nterminationGracePeriodSeconds: 0\ncontainers:\n- name: app\n  image: busybox\n  \
         command: [sh, -c, {script:?}]\n{more}"
    )
}

async fn attach(pod: &Pod) -> Session {
    let request = AttachRequest {
        container: "app".into(),
        stdin: true,
        stdout: true,
        stderr: true,
    };
    pod.control.attach(request).await.expect("attach")
}

/// Reads the output until it ends with `end`.
async fn read_until(session: &mut Session, end: &str) {
    let stdout = session.stdout.as_mut().expect("stdout");
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        seen.push(stdout.read_u8().await.expect("read"));
    }
}

async fn write(session: &mut Session, text: &str) {
    let stdin = session.stdin.as_mut().expect("stdin");
    stdin.write_all(text.as_bytes()).await.expect("write");
}

async fn output_from_now_on_until_the_end() {
    let fixture = Fixture::new().await;
    let script = "echo before; until test -e /go; do sleep 0.01; done; echo -n prompt:; echo err >&2; exit 5";
    let pod = fixture.pod(&spec(script, "")).await;
    // What comes before is read before anybody is attached.
    assert_eq!(pod.shell("true").await.code, 0);
    let session = attach(&pod).await;
    assert_eq!(pod.shell("touch /go").await.code, 0);
    let outcome = collect(session).await;
    assert_eq!(outcome.code, 5);
    assert_eq!(outcome.stderr, "err\n");
    assert!(outcome.stdout.ends_with("prompt:"), "{outcome:?}");
    pod.end().await;
}

async fn standard_input_stays_open_for_the_next() {
    let fixture = Fixture::new().await;
    let script = "while read line; do echo got $line; done; echo closed";
    let pod = fixture.pod(&spec(script, "  stdin: true")).await;
    for word in ["one", "two"] {
        let mut session = attach(&pod).await;
        write(&mut session, &format!("{word}\n")).await;
        read_until(&mut session, &format!("got {word}\n")).await;
        session
            .stdin
            .as_mut()
            .expect("stdin")
            .shutdown()
            .await
            .expect("close");
    }
    pod.end().await;
}

async fn stdin_once_closes_with_the_first() {
    let fixture = Fixture::new().await;
    let script = "while read line; do echo got $line; done; echo closed; exit 9";
    let pod = fixture
        .pod(&spec(script, "  stdin: true\n  stdinOnce: true"))
        .await;
    let mut session = attach(&pod).await;
    write(&mut session, "one\n").await;
    read_until(&mut session, "got one\n").await;
    let outcome = collect(session).await;
    assert_eq!((&*outcome.stdout, outcome.code), ("closed\n", 9));
    pod.end().await;
}

async fn without_stdin_there_is_none() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&spec("sleep 1000", "")).await;
    let session = attach(&pod).await;
    assert!(session.stdin.is_none());
    session
        .resize(TerminalSize {
            rows: 1,
            columns: 1,
        })
        .expect("nothing to do");
    drop(session);
    pod.end().await;
}

async fn a_terminal() {
    let fixture = Fixture::new().await;
    let script = "while read line; do stty size; test $line = end && exit 6; done";
    let pod = fixture
        .pod(&spec(
            script,
            "  stdin: true\n  stdinOnce: true\n  tty: true",
        ))
        .await;
    let mut session = attach(&pod).await;
    assert!(session.stderr.is_none());
    let size = |rows| TerminalSize { rows, columns: 100 };
    session.resize(size(30)).expect("resize");
    write(&mut session, "x\r").await;
    read_until(&mut session, "30 100\r\n").await;
    drop(session);
    // Nobody is attached, but the terminal is there.
    let mut session = attach(&pod).await;
    session.resize(size(40)).expect("resize");
    write(&mut session, "end\r").await;
    read_until(&mut session, "40 100\r\n").await;
    assert_eq!(session.wait().await, 6);
    pod.end().await;
}
