//! Port-forward over SPDY in a WebSocket.

use pillion_streaming::client::ClientError;
use pillion_streaming::server::{Forward, PortForwardSession};
use pillion_streaming::spdy::{Opener, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Session, ask, port_forward, read_all, serve};

/// Echoes what comes for port 7, and fails what comes for others.
fn echo(mut session: PortForwardSession) {
    tokio::spawn(async move {
        while let Some(forward) = session.next().await {
            tokio::spawn(answer(forward));
        }
    });
}

async fn answer(mut forward: Forward) {
    if forward.port != 7 {
        let message = format!("port {} is closed", forward.port);
        return forward.error.send(&message).await;
    }
    let copied = tokio::io::copy(&mut forward.reader, &mut forward.writer).await;
    if copied.is_ok() {
        forward.writer.shutdown().await.expect("shutdown");
    }
}

#[tokio::test]
async fn connections_share_one_and_do_not_mix() {
    let (client, session) = port_forward().await;
    echo(session);
    let connections = (0..50_u8).map(|number| {
        let client = client.clone();
        async move {
            let mut forwarded = client.connect(7).await.expect("a connection");
            let sent = vec![number; 20_000 * usize::from(number)];
            let send = async {
                forwarded.writer.write_all(&sent).await.expect("write");
                forwarded.writer.shutdown().await.expect("shutdown");
            };
            let ((), received) = tokio::join!(send, read_all(&mut forwarded.reader));
            assert!(received == sent, "{number}: {} bytes", received.len());
            assert_eq!(forwarded.failure.message().await, None);
        }
    });
    let mut tasks = tokio::task::JoinSet::new();
    connections.for_each(|connection| {
        tasks.spawn(connection);
    });
    tasks.join_all().await;
}

#[tokio::test]
async fn a_connection_that_fails_says_why_and_others_go_on() {
    let (client, session) = port_forward().await;
    echo(session);
    let mut good = client.connect(7).await.expect("a connection");
    let bad = client.connect(8).await.expect("a connection");
    assert_eq!(
        bad.failure.message().await.as_deref(),
        Some("port 8 is closed")
    );
    good.writer.write_all(b"still here").await.expect("write");
    let mut answer = [0; 10];
    good.reader.read_exact(&mut answer).await.expect("read");
    assert_eq!(&answer, b"still here");
}

#[tokio::test]
async fn a_connection_that_is_cut_off_is_not_taken_for_one_that_ended() {
    let (client, mut session) = port_forward().await;
    let forwarded = client.connect(7).await.expect("a connection");
    let mut forward = session.next().await.expect("a forward");
    drop(forwarded);
    assert!(forward.reader.read_u8().await.is_err());

    let mut forwarded = client.connect(7).await.expect("a connection");
    drop(session.next().await.expect("a forward"));
    assert!(forwarded.reader.read_u8().await.is_err());
    // What nobody reads is not waited for.
    while forwarded.writer.write_all(&[0; 1000]).await.is_ok() {}
}

#[tokio::test]
async fn the_end_of_one_side_is_seen_by_the_other() {
    let (client, session) = port_forward().await;
    drop(session);
    client.gone().await;
    let lost = client.connect(7).await.expect_err("nobody");
    assert!(matches!(lost, ClientError::Lost), "{lost}");

    let (client, mut session) = port_forward().await;
    let forwarded = client.connect(7).await.expect("a connection");
    let mut forward = session.next().await.expect("a forward");
    drop(client);
    // The connection lives as long as what it carries.
    let mut writer = forwarded.writer;
    writer.write_all(b"x").await.expect("write");
    assert_eq!(forward.reader.read_u8().await.expect("read"), b'x');
    drop((forwarded.reader, forwarded.failure));
    writer.shutdown().await.expect("shutdown");
    drop(writer);
    assert!(session.next().await.is_none());
}

#[tokio::test]
async fn there_are_bounds_to_what_one_client_gets() {
    let (client, mut session) = port_forward().await;
    let mut held = Vec::new();
    let refused = loop {
        match client.connect(7).await {
            Ok(forwarded) => held.push((forwarded, session.next().await)),
            Err(refused) => break refused,
        }
        assert!(held.len() < 2000);
    };
    assert!(matches!(refused, ClientError::TooMany), "{refused}");
    // Room comes back.
    held.truncate(10);
    client.connect(7).await.expect("a connection");
}

#[tokio::test]
async fn streams_without_their_counterpart_are_not_kept_without_end() {
    let (mut connection, session) = serve();
    ask(
        &mut connection,
        "POST /portforward HTTP/1.1\nhost: x\nconnection: Upgrade\nupgrade: SPDY/3.1\n\
         x-stream-protocol-version: portforward.k8s.io\n\n",
    )
    .await;
    let Ok(Session::PortForward(mut session)) = session.await else {
        panic!("no session");
    };
    let serving = tokio::spawn(async move { session.next().await.map(|forward| forward.port) });
    let opener = Opener::connect(connection, Transport::Plain);
    let mut lonely = Vec::new();
    for request in 0..100 {
        let request = request.to_string();
        let headers = [
            ("streamtype", "data"),
            ("port", "7"),
            ("requestid", &*request),
        ];
        lonely.push(opener.open(&headers, false).await.expect("opened"));
    }
    let mut last = lonely.pop().expect("opened");
    assert!(last.reader.read_u8().await.is_err(), "it waits");
    // Those before wait for their counterpart, as long as they are open.
    lonely.clear();
    for kind in ["error", "data"] {
        let headers = [("streamtype", kind), ("port", "9"), ("requestid", "x")];
        lonely.push(opener.open(&headers, false).await.expect("opened"));
    }
    assert_eq!(serving.await.expect("served"), Some(9));
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let (mut connection, session) = serve();
    ask(
        &mut connection,
        "POST /portforward HTTP/1.1\nhost: x\nconnection: Upgrade\nupgrade: SPDY/3.1\n\
         x-stream-protocol-version: portforward.k8s.io\n\n",
    )
    .await;
    let Ok(Session::PortForward(mut session)) = session.await else {
        panic!("no session");
    };
    tokio::spawn(async move { while session.next().await.is_some() {} });
    let opener = Opener::connect(connection, Transport::Plain);
    for headers in [
        [("streamtype", "data"), ("port", "0"), ("requestid", "1")],
        [
            ("streamtype", "data"),
            ("port", "70000"),
            ("requestid", "1"),
        ],
        [("streamtype", "data"), ("port", "7"), ("request", "1")],
        [("streamtype", "stdin"), ("port", "7"), ("requestid", "1")],
    ] {
        let mut opened = opener.open(&headers, false).await.expect("opened");
        assert!(opened.reader.read_u8().await.is_err(), "{headers:?}");
    }
}
