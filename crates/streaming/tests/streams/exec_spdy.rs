//! Exec over SPDY, which only older clients ask for: the client's side is made of bare streams.

use pillion_streaming::server::CommandSession;
use pillion_streaming::spdy::{Opened, Opener, Transport};
use pillion_streaming::{Outcome, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Session, ask, read_all, serve};

struct Client {
    opener: Opener,
    error: Opened,
    stdin: Opened,
    stdout: Opened,
    other: Opened,
}

/// Both ends of an exec with all streams, with a terminal or not.
async fn exec(version: &str, tty: bool) -> (Client, CommandSession) {
    let (mut connection, session) = serve();
    let other = if tty { "tty=true" } else { "stderr=true" };
    let head = ask(
        &mut connection,
        &format!(
            "POST /exec?stdin=true&stdout=true&{other} HTTP/1.1\nhost: x\nconnection: Upgrade\n\
             upgrade: SPDY/3.1\nx-stream-protocol-version: {version}\n\n"
        ),
    )
    .await;
    let accepted = format!("\nx-stream-protocol-version: {version}\n");
    assert!(
        head.starts_with("HTTP/1.1 101 ") && head.contains(&accepted),
        "{head}"
    );

    let opener = Opener::connect(connection, Transport::Plain);
    let open = async |kind| {
        let opened = opener.open(&[("streamtype", kind)], false).await;
        opened.expect("a stream")
    };
    let client = Client {
        error: open("error").await,
        stdin: open("stdin").await,
        stdout: open("stdout").await,
        other: open(if tty { "resize" } else { "stderr" }).await,
        opener: opener.clone(),
    };
    match session.await {
        Ok(Session::Command(session)) => (client, *session),
        _ => panic!("no session"),
    }
}

#[tokio::test]
async fn all_streams_carry_their_own_bytes_and_end() {
    for version in ["v5.channel.k8s.io", "v4.channel.k8s.io"] {
        let (mut client, mut session) = exec(version, false).await;
        client
            .stdin
            .writer
            .write_all(b"question")
            .await
            .expect("write");
        client.stdin.writer.shutdown().await.expect("shutdown");
        assert_eq!(
            read_all(session.stdin.as_mut().expect("stdin")).await,
            b"question"
        );
        let (mut stdout, mut stderr) = (session.stdout.expect("out"), session.stderr.expect("err"));
        stdout.write_all(b"answer").await.expect("write");
        stderr.write_all(b"warning").await.expect("write");
        session.end.finish(Outcome::ExitCode(3)).await.expect("end");
        assert!(stdout.write_all(b"late").await.is_err());

        assert_eq!(read_all(&mut client.stdout.reader).await, b"answer");
        assert_eq!(read_all(&mut client.other.reader).await, b"warning");
        assert!(read_all(&mut client.stdin.reader).await.is_empty());
        let status = read_all(&mut client.error.reader).await;
        let status: serde_json::Value = serde_json::from_slice(&status).expect("a status");
        assert_eq!(status["details"]["causes"][0]["message"], "3");
    }
}

#[tokio::test]
async fn before_v4_the_outcome_is_text() {
    let outcomes = [
        (Outcome::Success, ""),
        (
            Outcome::ExitCode(3),
            "command terminated with non-zero exit code: command terminated with exit code 3",
        ),
    ];
    for (outcome, text) in outcomes {
        let (mut client, session) = exec("v3.channel.k8s.io", false).await;
        session.end.finish(outcome).await.expect("end");
        assert_eq!(read_all(&mut client.error.reader).await, text.as_bytes());
    }
}

#[tokio::test]
async fn a_terminal_tells_its_sizes() {
    let (mut client, session) = exec("v4.channel.k8s.io", true).await;
    let size = b"{\"Width\":80,\"Height\":24}\n";
    client.other.writer.write_all(size).await.expect("write");
    let size = session.sizes.expect("a terminal").next().await;
    assert_eq!(
        size,
        Some(TerminalSize {
            width: 80,
            height: 24
        })
    );
}

#[tokio::test]
async fn a_client_that_leaves_is_seen() {
    let (client, session) = exec("v4.channel.k8s.io", false).await;
    drop(client);
    session.end.gone().await;
    assert!(read_all(&mut session.stdin.expect("in")).await.is_empty());
    assert!(
        session
            .stdout
            .expect("out")
            .write_all(b"unheard")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn streams_beyond_those_of_the_session_are_refused() {
    let (client, _session) = exec("v4.channel.k8s.io", false).await;
    let more = client.opener.open(&[("streamtype", "stdin")], false).await;
    let mut more = more.expect("opened").reader;
    assert!(more.read_u8().await.is_err());
}

#[tokio::test]
async fn a_stream_of_no_known_type_ends_the_session() {
    let (mut connection, session) = serve();
    ask(
        &mut connection,
        "POST /exec?stdout=true HTTP/1.1\nhost: x\nconnection: Upgrade\nupgrade: SPDY/3.1\n\
         x-stream-protocol-version: v4.channel.k8s.io\n\n",
    )
    .await;
    let opener = Opener::connect(connection, Transport::Plain);
    let opened = opener.open(&[("streamtype", "stdfoo")], false).await;
    opener.gone().await;
    assert!(opened.expect("opened").reader.read_u8().await.is_err());
    assert!(session.await.is_err());
}
