//! Connections to the app: reused, retired, replaced, waited for.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Instant, sleep};

use super::support::*;
use crate::backend::Endpoint;
use crate::proxy_protocol::{self, Header, Version};
use crate::reason::Reason;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One exchange on a connection of the backend that is there already.
async fn exchange(client: &mut Client, backend: &mut Client, response: &str) {
    client.send(GET).await;
    backend.until("\r\n\r\n").await;
    backend.send(response).await;
    assert!(client.message().await.ends_with("ok"));
}

#[tokio::test]
async fn a_request_that_meets_a_close_is_sent_again_where_that_does_no_harm() {
    local(async {
        for (request, body, again) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", true),
            (
                "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
                "body",
                true,
            ),
            ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "", true),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
                "body",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: 1\r\nContent-Length: 4\r\n\r\n",
                "body",
                true,
            ),
            (
                "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
                "body",
                false,
            ),
        ] {
            let (proxy, app) = pair(|_| {}).await;
            let mut client = proxy.connect().await;
            client.send(GET).await;
            let mut first = app.accept().await;
            first.until("\r\n\r\n").await;
            first.send(OK).await;
            client.message().await;
            // The app closes after it has taken the request, and before it says anything.
            client.send(format!("{request}{body}")).await;
            first.until("\r\n\r\n").await;
            first.until(body).await;
            drop(first);
            if again {
                let mut second = app.accept().await;
                assert_eq!(second.until("\r\n\r\n").await, request);
                assert_eq!(second.until(body).await, body);
                second.send(OK).await;
                assert!(client.message().await.ends_with("ok"));
                assert_eq!(proxy.reasons(), [None, None]);
            } else {
                assert!(
                    client.message().await.contains("backend_closed"),
                    "{request}"
                );
                assert_eq!(proxy.reasons(), [None, Some(Reason::BackendClosed)]);
            }
            assert_eq!(proxy.seen.replays.get(), usize::from(again), "{request}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_again_after_a_byte_of_response_or_on_a_new_connection() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let mut first = app.accept().await;
        first.until("\r\n\r\n").await;
        drop(first);
        assert!(client.message().await.contains("backend_closed"));
        client.send(GET).await;
        let mut second = app.accept().await;
        second.until("\r\n\r\n").await;
        second.send(OK).await;
        client.message().await;
        client.send(GET).await;
        second.until("\r\n\r\n").await;
        second.send("H").await;
        drop(second);
        assert!(client.message().await.contains("truncated_response"));
        assert_eq!(proxy.seen.replays.get(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_closed_connection_is_not_chosen() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let mut first = app.accept().await;
        first.until("\r\n\r\n").await;
        first.send(OK).await;
        client.message().await;
        drop(first);
        while proxy.backend.idle_connections() > 0 {
            tokio::task::yield_now().await;
        }
        // So also a request that could not be sent again goes through.
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            .await;
        let mut second = app.accept().await;
        second.until("\r\n\r\n").await;
        second.send(OK).await;
        assert!(client.message().await.ends_with("ok"));
        assert_eq!(proxy.seen.replays.get(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn connections_are_retired_before_the_app_closes_them() {
    paused(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        let said = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=20\r\nContent-Length: 2\r\n\r\nok";
        backend.send(said).await;
        client.message().await;
        let idle = Instant::now();
        assert_eq!(backend.rest().await, "");
        let after = idle.elapsed().as_secs();
        assert!((16..20).contains(&after), "{after}");
        assert_eq!(proxy.backend.idle_timeout(), Duration::from_secs(18));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_closes_in_silence_is_learned_from() {
    paused(async {
        let (proxy, app) =
            pair(|setup| setup.options.idle_timeout = Duration::from_secs(900)).await;
        for _ in 0..2 {
            let mut client = proxy.connect().await;
            client.send(GET).await;
            let mut backend = app.accept().await;
            backend.until("\r\n\r\n").await;
            backend.send(OK).await;
            client.message().await;
            sleep(Duration::from_secs(300)).await;
            drop(backend);
            while proxy.backend.idle_connections() > 0 {
                tokio::task::yield_now().await;
            }
        }
        let learned = proxy.backend.idle_timeout().as_secs();
        assert!((290..330).contains(&learned), "{learned}");
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend.send(OK).await;
        client.message().await;
        let idle = Instant::now();
        assert_eq!(backend.rest().await, "");
        assert!(idle.elapsed().as_secs() < 340, "{:?}", idle.elapsed());
    })
    .await;
}

#[tokio::test]
async fn one_connection_serves_clients_in_turn_and_none_is_kept_that_may_not_be() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut one = proxy.connect().await;
        one.send(GET).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend.send(OK).await;
        one.message().await;
        exchange(&mut proxy.connect().await, &mut backend, OK).await;
        exchange(&mut proxy.connect().await, &mut backend, OK).await;
        assert_eq!(proxy.backend.idle_connections(), 1);
        let last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        exchange(&mut one, &mut backend, last).await;
        assert_eq!(backend.rest().await, "");
        assert_eq!(proxy.backend.idle_connections(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_an_app_that_starts() {
    paused(async {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let mut setup = Setup::new(Endpoint::Localhost(address.port()));
        setup.options.hold.time = Duration::from_secs(10);
        setup.options.hold.requests = 2;
        let proxy = Proxy::start(setup).await;
        let mut waiting = Vec::new();
        for held in 1..=2 {
            let mut client = proxy.connect().await;
            client.send(GET).await;
            waiting.push(client);
            while proxy.backend.held() < held {
                tokio::task::yield_now().await;
            }
        }
        let response = proxy.ask("GET / HTTP/1.0\r\n\r\n").await;
        assert!(response.contains("hold_queue_full") && response.contains("Retry-After: 1"));
        sleep(Duration::from_secs(3)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        for _ in 0..2 {
            let mut backend = Client::new(listener.accept().await.unwrap().0);
            backend.until("\r\n\r\n").await;
            backend
                .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                .await;
        }
        for client in &mut waiting {
            assert!(client.message().await.ends_with("ok"));
        }
        assert_eq!(proxy.backend.held(), 0);
        // It goes away: patience ends, with a reason.
        drop(listener);
        let asked = Instant::now();
        let response = proxy.ask("GET / HTTP/1.0\r\n\r\n").await;
        assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
        assert!(response.contains("connect_failed"), "{response}");
        assert!(
            (10..14).contains(&asked.elapsed().as_secs()),
            "{:?}",
            asked.elapsed()
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_waiting_does_not_stop_the_others() {
    paused(async {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let mut setup = Setup::new(Endpoint::Address(address));
        setup.options.hold.time = Duration::from_secs(60);
        let proxy = Proxy::start(setup).await;
        let mut first = proxy.connect().await;
        first.send(GET).await;
        let mut second = proxy.connect().await;
        second.send(GET).await;
        while proxy.backend.held() < 2 {
            tokio::task::yield_now().await;
        }
        drop(first);
        while proxy.backend.held() > 1 {
            tokio::task::yield_now().await;
        }
        let listener = TcpListener::bind(address).await.unwrap();
        let mut backend = Client::new(listener.accept().await.unwrap().0);
        backend.until("\r\n\r\n").await;
        backend.send(OK).await;
        assert!(second.message().await.ends_with("ok"));
        assert_eq!(proxy.reasons(), [Some(Reason::ClientClosed), None]);
    })
    .await;
}

#[tokio::test]
async fn localhost_is_where_the_app_listens() {
    local(async {
        for bound in ["127.0.0.1:0", "[::1]:0", "127.9.9.9:0"] {
            let listener = TcpListener::bind(bound).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let mut setup = Setup::new(Endpoint::Localhost(port));
            setup.options.pod_addresses = vec![IpAddr::V4(Ipv4Addr::new(127, 9, 9, 9))];
            let proxy = Proxy::start(setup).await;
            for _ in 0..2 {
                let mut client = proxy.connect().await;
                client.send(GET).await;
                let mut backend = Client::new(listener.accept().await.unwrap().0);
                backend.until("\r\n\r\n").await;
                backend
                    .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                    .await;
                assert!(client.message().await.ends_with("ok"), "{bound}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_unix_socket_is_an_endpoint() {
    local(async {
        let directory = std::env::temp_dir().join(format!("pillion-proxy-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("app.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let proxy = Proxy::start(Setup::new(
            format!("unix:{}", path.display()).parse().unwrap(),
        ))
        .await;
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; GET.len()];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut request)
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, OK.as_bytes())
            .await
            .unwrap();
        assert!(client.message().await.ends_with("ok"));
        std::fs::remove_dir_all(directory).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_app_is_told_the_clients_address() {
    local(async {
        for version in [Version::V1, Version::V2] {
            let (proxy, app) = pair(|setup| setup.options.proxy_protocol = Some(version)).await;
            let mut client = proxy.connect().await;
            for _ in 0..2 {
                client.send(GET).await;
                let mut backend = app.accept().await;
                let mut bytes = vec![0; 300];
                let count = tokio::io::AsyncReadExt::read(&mut backend.stream, &mut bytes)
                    .await
                    .unwrap();
                let Ok(Header::Complete(length, Some((source, destination)))) =
                    proxy_protocol::parse(&bytes[..count])
                else {
                    unreachable!("{:?}", &bytes[..count]);
                };
                assert_eq!(source, client.stream.local_addr().unwrap());
                assert_eq!(destination, proxy.address);
                assert_eq!(&bytes[length..count], GET.as_bytes());
                backend.send(OK).await;
                assert!(client.message().await.ends_with("ok"));
                // Its next client may be another.
                assert_eq!(backend.rest().await, "");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn there_are_no_more_connections_than_allowed() {
    local(async {
        let (proxy, app) = pair(|setup| setup.options.connections = Some(1)).await;
        let mut one = proxy.connect().await;
        one.send(GET).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        let mut two = proxy.connect().await;
        two.send(GET).await;
        assert!(two.message().await.contains("too_many_connections"));
        backend.send(OK).await;
        one.message().await;
        exchange(&mut two, &mut backend, OK).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_along() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client.send(GET).await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        drop(client);
        assert_eq!(backend.rest().await, "");
        assert_eq!(proxy.reasons(), [Some(Reason::ClientClosed)]);
    })
    .await;
}
