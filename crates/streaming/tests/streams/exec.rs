//! Exec over WebSocket.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use manifest::meta::status::Status;
use pillion_streaming::client::ClientError;
use pillion_streaming::{Outcome, TerminalSize, client};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::{ask, exec, read_all, serve, streams};

#[tokio::test]
async fn all_streams_carry_their_own_bytes() {
    let (mut command, mut session) = exec("ioe").await;
    let mut stdin = command.stdin.take().expect("stdin");
    stdin.write_all(b"question").await.expect("write");
    stdin.shutdown().await.expect("shutdown");
    assert_eq!(
        read_all(session.stdin.as_mut().expect("stdin")).await,
        b"question"
    );

    let (mut stdout, mut stderr) = (session.stdout.expect("out"), session.stderr.expect("err"));
    stdout.write_all(b"answer").await.expect("write");
    stderr.write_all(b"warning").await.expect("write");
    session.end.finish(Outcome::ExitCode(7)).await.expect("end");
    assert!(stdout.write_all(b"late").await.is_err());

    assert_eq!(read_all(&mut command.stdout.expect("out")).await, b"answer");
    assert_eq!(
        read_all(&mut command.stderr.expect("err")).await,
        b"warning"
    );
    let outcome = command.result.outcome().await.expect("an outcome");
    assert_eq!(outcome, Outcome::ExitCode(7));
}

#[tokio::test]
async fn every_outcome_arrives() {
    let refused = Status::failure(404, "NotFound", "container not found");
    for outcome in [
        Outcome::Success,
        Outcome::ExitCode(137),
        Outcome::internal_error("exec failed"),
        Outcome::Failure(Box::new(refused)),
    ] {
        let (command, session) = exec("o").await;
        session.end.finish(outcome.clone()).await.expect("end");
        assert_eq!(command.result.outcome().await.expect("outcome"), outcome);
    }
}

#[tokio::test]
async fn a_terminal_tells_its_sizes_and_has_no_stderr() {
    let (command, session) = exec("ioet").await;
    assert!(command.stderr.is_none() && session.stderr.is_none());
    let resizer = command.resizer.expect("a terminal");
    let mut sizes = session.sizes.expect("a terminal");
    for (width, height) in [(80, 24), (132, 43)] {
        let size = TerminalSize { width, height };
        resizer.resize(size).await.expect("resize");
        assert_eq!(sizes.next().await, Some(size));
    }
    drop((resizer, command.stdin, command.stdout, command.result));
    assert_eq!(sizes.next().await, None);
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_there() {
    let (command, session) = exec("e").await;
    assert!(command.stdin.is_none() && session.stdin.is_none());
    assert!(command.stdout.is_none() && session.stdout.is_none());
    assert!(command.resizer.is_none() && session.sizes.is_none());
}

#[tokio::test]
async fn a_client_that_leaves_is_seen() {
    let (command, session) = exec("io").await;
    drop(command);
    session.end.gone().await;
    assert!(read_all(&mut session.stdin.expect("in")).await.is_empty());
    let mut stdout = session.stdout.expect("out");
    assert!(stdout.write_all(b"unheard").await.is_err());
    assert!(session.end.finish(Outcome::Success).await.is_err());
}

#[tokio::test]
async fn a_server_that_dies_leaves_no_outcome() {
    let (mut command, session) = exec("io").await;
    session
        .stdout
        .expect("out")
        .write_all(b"half")
        .await
        .expect("write");
    drop((session.stdin, session.end));
    assert_eq!(
        read_all(command.stdout.as_mut().expect("out")).await,
        b"half"
    );
    let lost = command.result.outcome().await.expect_err("no outcome");
    assert!(matches!(lost, ClientError::Lost), "{lost}");
}

#[tokio::test]
async fn a_session_goes_on_without_stdin_and_without_its_readers() {
    let (mut command, mut session) = exec("ioe").await;
    // The process closes its standard input, and the client sends on.
    drop(session.stdin.take());
    let mut stdin = command.stdin.take().expect("in");
    for _ in 0..100 {
        stdin.write_all(&[b'x'; 10_000]).await.expect("write");
    }
    // The client does not care for standard error.
    drop(command.stderr.take());
    let mut stderr = session.stderr.take().expect("err");
    let mut stdout = session.stdout.take().expect("out");
    for _ in 0..100 {
        stderr.write_all(&[b'x'; 10_000]).await.expect("write");
    }
    stdout.write_all(b"here").await.expect("write");
    session.end.finish(Outcome::Success).await.expect("end");
    assert_eq!(read_all(&mut command.stdout.expect("out")).await, b"here");
    let outcome = command.result.outcome().await.expect("outcome");
    assert_eq!(outcome, Outcome::Success);
}

/// How much a writer takes before it makes one wait, with nobody reading at the other end.
async fn capacity(writer: &mut (impl AsyncWrite + Unpin)) -> usize {
    let mut taken = 0;
    let chunk = [0; 32 << 10];
    loop {
        // What was taken is passed on as far as it goes.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let write =
            poll_fn(|context| Poll::Ready(Pin::new(&mut *writer).poll_write(context, &chunk)));
        match write.await {
            Poll::Ready(length) => taken += length.expect("write"),
            Poll::Pending => return taken,
        }
    }
}

#[tokio::test]
async fn who_writes_waits_for_who_reads() {
    let (mut command, mut session) = exec("io").await;
    // Kernel buffers of a few hundred KiB, and ours.
    let limit = 2 << 20;
    let out = capacity(session.stdout.as_mut().expect("out")).await;
    let back = capacity(command.stdin.as_mut().expect("in")).await;
    assert!(
        out < limit && back < limit,
        "{out} and {back} bytes are held"
    );

    // Nothing of it is lost.
    let mut stdout = command.stdout.take().expect("out");
    let mut buffer = vec![0; out];
    stdout.read_exact(&mut buffer).await.expect("read");
}

#[tokio::test]
async fn a_hundred_megabytes_pass_both_ways() {
    const SIZE: u64 = 100 << 20;
    let (command, session) = exec("io").await;
    let (mut there, mut back) = (command.stdin.expect("in"), command.stdout.expect("out"));
    let (mut stdin, mut stdout) = (session.stdin.expect("in"), session.stdout.expect("out"));
    let echo = async {
        let copied = tokio::io::copy(&mut stdin, &mut stdout)
            .await
            .expect("echo");
        session.end.finish(Outcome::Success).await.expect("end");
        copied
    };
    let send = async {
        let mut zeros = tokio::io::repeat(7).take(SIZE);
        tokio::io::copy(&mut zeros, &mut there).await.expect("send");
        there.shutdown().await.expect("shutdown");
    };
    let mut sink = tokio::io::sink();
    let receive = tokio::io::copy(&mut back, &mut sink);
    let (echoed, (), received) = tokio::join!(echo, send, receive);
    assert_eq!((echoed, received.expect("receive")), (SIZE, SIZE));
}

#[tokio::test]
async fn an_older_server_is_spoken_to_in_v4() {
    // By hand, since our server would choose v5.
    let (connection, mut server) = tokio::net::UnixStream::pair().expect("socket pair");
    let answer = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(server.read_u8().await.expect("a request"));
        }
        let request = String::from_utf8(request).expect("text");
        let offered = "sec-websocket-protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n";
        assert!(request.contains(offered), "{request}");
        let key = request.split("sec-websocket-key: ").nth(1).expect("a key");
        let key = key.lines().next().expect("a key");
        let digest = Sha1::new()
            .chain_update(key)
            .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
            .finalize();
        let accept = manifest::bytes::encode(&digest);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
            accept
        );
        server.write_all(answer.as_bytes()).await.expect("write");
    };
    let (command, ()) = tokio::join!(
        client::command(connection, "/exec?stdin=true", streams("i")),
        answer
    );
    let mut stdin = command.expect("an exec").stdin.expect("in");
    // There is no end of standard input in v4: nothing is sent, and nothing fails.
    stdin.shutdown().await.expect("shutdown");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_server_s_words() {
    let (connection, _session) = serve();
    let refused = client::command(connection, "/portforward?stdin=true", streams("i")).await;
    let Err(ClientError::Refused(status)) = refused else {
        panic!("it was not refused");
    };
    assert_eq!(status.code, 403);
    assert!(
        status.message.starts_with("requested protocol(s)"),
        "{}",
        status.message
    );
}

#[tokio::test]
async fn a_plain_request_is_told_to_ask_for_an_upgrade() {
    let (mut connection, _session) = serve();
    let head = ask(&mut connection, "GET /exec?stdout=1 HTTP/1.1\nhost: x\n\n").await;
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\n"), "{head}");
}
