//! Upgrades and CONNECT: bytes pass only after the backend agreed, and only where it was asked for.

use super::support::*;
use crate::exchange::decision::Upgrades;
use crate::reason::Reason;

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
const AGREE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";

#[tokio::test]
async fn a_websocket_passes_where_it_is_asked_for() {
    local(async {
        let (proxy, app) = pair(|setup| setup.upgrades = Upgrades::WebSocket).await;
        let mut client = proxy.connect().await;
        // The first frame comes with the request: it waits for the answer.
        client.send(format!("{ASK}early")).await;
        let mut backend = app.accept().await;
        assert_eq!(
            backend.until("\r\n\r\n").await,
            "GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        );
        backend.send(format!("{AGREE}first")).await;
        assert_eq!(
            client.until("\r\n\r\n").await,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        );
        client.until("first").await;
        assert_eq!(backend.until("early").await, "early");
        for _ in 0..3 {
            client.send("ping\0\r\n").await;
            assert_eq!(backend.until("\r\n").await, "ping\0\r\n");
            backend.send("pong\0\r\n").await;
            assert_eq!(client.until("\r\n").await, "pong\0\r\n");
        }
        // Either side ends alone.
        tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
        assert_eq!(backend.rest().await, "");
        backend.send("bye").await;
        drop(backend);
        assert_eq!(client.rest().await, "bye");
        assert_eq!(proxy.reasons(), [None]);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_changed_unasked_and_unknown_protocols_do_no_harm() {
    local(async {
        for (upgrades, protocol) in [
            (Upgrades::Never, "websocket"),
            (Upgrades::WebSocket, "TLS/1.2"),
            (Upgrades::Any, "h2c"),
            (Upgrades::Any, "a, b"),
        ] {
            let (proxy, app) = pair(|setup| setup.upgrades = upgrades).await;
            let mut client = proxy.connect().await;
            client.send(ASK.replace("websocket", protocol)).await;
            let mut backend = app.accept().await;
            let head = backend.until("\r\n\r\n").await;
            assert!(!head.contains("Upgrade"), "{head}");
            backend
                .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain")
                .await;
            assert!(client.message().await.ends_with("plain"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_upgrade_leaves_messages() {
    local(async {
        let (proxy, app) = pair(|setup| setup.upgrades = Upgrades::WebSocket).await;
        let mut client = proxy.connect().await;
        client.send(ASK).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
            .await;
        assert!(client.message().await.ends_with("no"));
        client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(backend.until("\r\n\r\n").await.starts_with("GET /next"));
    })
    .await;
}

#[tokio::test]
async fn the_backend_cannot_agree_to_something_else() {
    local(async {
        let (proxy, app) = pair(|setup| setup.upgrades = Upgrades::Any).await;
        let mut client = proxy.connect().await;
        client.send(ASK).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend.send(AGREE.replace("websocket", "other")).await;
        assert!(client.message().await.contains("unexpected_upgrade"));
        assert_eq!(proxy.reasons(), [Some(Reason::UnexpectedUpgrade)]);
    })
    .await;
}

#[tokio::test]
async fn connect_is_a_tunnel_after_the_backend_agreed() {
    local(async {
        let (proxy, app) = pair(|setup| setup.connect = true).await;
        let mut client = proxy.connect().await;
        client
            .send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        let head = backend.until("\r\n\r\n").await;
        assert_eq!(head, "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
        // Whatever the fields say, what follows is no body.
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw bytes")
            .await;
        assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 200 OK\r\n\r\n");
        client.until("raw bytes").await;
        client.send("GET / HTTP/1.1\r\n").await;
        backend.until("GET / HTTP/1.1\r\n").await;

        let mut client = proxy.connect().await;
        client
            .send("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno")
            .await;
        assert!(client.message().await.ends_with("no"));
    })
    .await;
}
