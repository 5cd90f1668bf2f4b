//! Patience, on a clock that goes on only when nothing else can be done.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::support::*;
use crate::reason::Reason;

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// The clock of these tests goes by seconds, and bytes may take one or two to arrive.
fn about(seconds: u64, since: Instant) {
    let elapsed = since.elapsed().as_secs();
    assert!(
        (seconds..=seconds + 3).contains(&elapsed),
        "{elapsed} s instead of {seconds}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_in_drops_is_cut_off() {
    paused(async {
        let (proxy, _app) = pair(|_| {}).await;
        let started = Instant::now();
        let mut client = proxy.connect().await;
        for byte in "GET / HT".split_inclusive("") {
            client.send(byte).await;
            seconds(1).await;
        }
        let response = client.rest().await;
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        about(15, started);
        assert_eq!(proxy.reasons(), [Some(Reason::HeadTimeout)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn silent_connections_are_closed_in_silence() {
    paused(async {
        let (proxy, _app) = pair(|_| {}).await;
        let started = Instant::now();
        assert_eq!(proxy.connect().await.rest().await, "");
        about(15, started);
        let mut client = proxy.connect().await;
        client.send("GET /here HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.message().await;
        let answered = Instant::now();
        assert_eq!(client.rest().await, "");
        about(75, answered);
        assert_eq!(proxy.reasons(), [None]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_answered() {
    paused(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome")
            .await;
        let mut backend = app.accept().await;
        backend.until("some").await;
        for _ in 0..5 {
            seconds(50).await;
            client.send("a").await;
            backend.until("a").await;
        }
        let stopped = Instant::now();
        let response = client.rest().await;
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        about(60, stopped);
        assert_eq!(proxy.reasons(), [Some(Reason::BodyTimeout)]);
        assert_eq!(backend.rest().await, "");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_has_time_for_its_head_its_body_and_the_whole() {
    paused(async {
        let (proxy, app) = pair(|setup| {
            setup.timeouts.response = Some(Duration::from_secs(30));
            setup.timeouts.idle = Some(Duration::from_secs(10));
        })
        .await;
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut backend = app.accept().await;
        let asked = Instant::now();
        assert!(client.message().await.starts_with("HTTP/1.1 504 "));
        about(30, asked);
        assert!(backend.rest().await.starts_with("GET /"));

        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut backend = app.accept().await;
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            .await;
        client.until("\r\n\r\n").await;
        for _ in 0..5 {
            seconds(7).await;
            backend.send("a").await;
            client.until("a").await;
        }
        let stopped = Instant::now();
        client.rest().await;
        about(10, stopped);
        assert_eq!(
            proxy.reasons(),
            [Some(Reason::BackendTimeout), Some(Reason::IdleTimeout)]
        );

        let (proxy, app) =
            pair(|setup| setup.timeouts.request = Some(Duration::from_secs(20))).await;
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        let begun = Instant::now();
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            .await;
        client.until("\r\n\r\n").await;
        for _ in 0..3 {
            seconds(5).await;
            backend.send("a").await;
            client.until("a").await;
        }
        client.rest().await;
        about(20, begun);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_outlives_the_time_for_requests() {
    paused(async {
        let (proxy, app) = pair(|setup| {
            setup.timeouts.request = Some(Duration::from_secs(20));
            setup.timeouts.tunnel_idle = Some(Duration::from_secs(600));
            setup.upgrades = crate::exchange::decision::Upgrades::WebSocket;
        })
        .await;
        let mut client = proxy.connect().await;
        client
            .send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
            .await;
        client.until("\r\n\r\n").await;
        for _ in 0..3 {
            seconds(500).await;
            backend.send("a").await;
            client.until("a").await;
        }
        let silent = Instant::now();
        client.rest().await;
        about(600, silent);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_its_answer_is_let_go() {
    paused(async {
        let (proxy, app) = pair(|setup| setup.timeouts.idle = Some(Duration::from_secs(10))).await;
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        let sent = Instant::now();
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            .await;
        let piece = vec![b'a'; 1 << 20];
        // As much as the kernel's buffers take, and then no more.
        while tokio::io::AsyncWriteExt::write(&mut backend.stream, &piece)
            .await
            .is_ok()
        {}
        about(10, sent);
        assert_eq!(proxy.reasons(), [Some(Reason::ClientTimeout)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_last_response_is_dropped_for_a_while() {
    paused(async {
        let (proxy, _app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("POST /here HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
            .await;
        client.message().await;
        let answered = Instant::now();
        client.send(vec![b'a'; 10_000]).await;
        // The end has come, and the connection is not reset by what was sent.
        assert_eq!(client.rest().await, "");
        while tokio::io::AsyncWriteExt::write(&mut client.stream, b"a")
            .await
            .is_ok()
        {
            seconds(1).await;
        }
        about(5, answered);
    })
    .await;
}
