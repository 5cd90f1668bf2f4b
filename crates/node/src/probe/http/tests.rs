use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers one canned reply a connection and keeps what was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn with(replies: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.expect("accept");
                let mut request = Vec::new();
                let mut chunk = [0; 1024];
                while !request.ends_with(b"\r\n\r\n") {
                    let length = stream.read(&mut chunk).await.expect("read");
                    request.extend_from_slice(&chunk[..length]);
                    // As HTTP servers do, answer what is no HTTP (here: TLS) at once.
                    if length == 0 || !request.starts_with(b"GET ") {
                        break;
                    }
                }
                log.lock()
                    .expect("log")
                    .push(String::from_utf8_lossy(&request).into_owned());
                let _ = stream
                    .write_all(reply.replace("PORT", &port.to_string()).as_bytes())
                    .await;
            }
        });
        Self { port, asked }
    }

    fn request(&self, headers: &[(&str, &str)]) -> HttpRequest {
        HttpRequest {
            https: false,
            host: "127.0.0.1".into(),
            port: self.port,
            path: "/path?q=1".into(),
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            agent: "kube-probe",
        }
    }

    async fn probe(&self, headers: &[(&str, &str)]) -> Answer {
        probe(&self.request(headers), Duration::from_secs(5)).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("log").clone()
    }
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn outcome(replies: Vec<String>) -> (ProbeOutcome, String) {
    let server = Server::with(replies).await;
    let answer = server.probe(&[]).await;
    (answer.outcome, answer.output)
}

#[tokio::test]
async fn r6_4_status_decides() {
    for (status, expected) in [
        ("200 OK", ProbeOutcome::Success),
        ("399 Odd", ProbeOutcome::Success),
        ("400 Bad", ProbeOutcome::Failure),
        ("503 No", ProbeOutcome::Failure),
    ] {
        assert_eq!(
            outcome(vec![reply(status, "", "x")]).await.0,
            expected,
            "{status}"
        );
    }
    let text = outcome(vec![reply("404 Not Found", "", "")]).await.1;
    assert_eq!(text, "HTTP probe failed with statuscode: 404");
}

#[tokio::test]
async fn r6_5_redirects_to_the_same_host_are_followed() {
    let followed = vec![
        reply("302 Found", "location: /other\r\n", ""),
        reply("500 Broken", "", ""),
    ];
    assert_eq!(outcome(followed).await.0, ProbeOutcome::Failure);
    let absolute = vec![
        reply("301 Moved", "location: http://127.0.0.1:PORT/x\r\n", ""),
        reply("200 OK", "", ""),
    ];
    assert_eq!(outcome(absolute).await.0, ProbeOutcome::Success);
}

#[tokio::test]
async fn r6_5_redirects_away_or_nowhere_are_a_warning() {
    let away = vec![reply(
        "302 Found",
        "location: http://example.invalid/\r\n",
        "moved",
    )];
    let (result, output) = outcome(away).await;
    assert_eq!(result, ProbeOutcome::Warning);
    assert_eq!(output, "Probe terminated redirects, Response body: moved");
    assert_eq!(
        outcome(vec![reply("302 Found", "", "")]).await.0,
        ProbeOutcome::Warning
    );
}

#[tokio::test]
async fn r6_5_at_most_ten_redirects() {
    let replies = vec![reply("302 Found", "location: /again\r\n", ""); 20];
    let (result, output) = outcome(replies).await;
    assert_eq!(result, ProbeOutcome::Failure);
    assert!(output.contains("stopped after 10 redirects"), "{output}");
}

#[tokio::test]
async fn r6_6_headers() {
    let server = Server::with(vec![reply("200 OK", "", ""); 2]).await;
    server.probe(&[]).await;
    server
        .probe(&[
            ("User-Agent", "mine"),
            ("Accept", ""),
            ("Host", "app.example"),
            ("X-A", "1"),
            ("X-A", "2"),
        ])
        .await;
    let asked = server.asked();
    assert!(
        asked[0].starts_with("GET /path?q=1 HTTP/1.1\r\n"),
        "{}",
        asked[0]
    );
    for line in [
        "user-agent: kube-probe/1.36",
        "accept: */*",
        "connection: close",
    ] {
        assert!(
            asked[0].contains(&format!("{line}\r\n")),
            "{line} in {}",
            asked[0]
        );
    }
    assert!(asked[0].contains(&format!("host: 127.0.0.1:{}\r\n", server.port)));
    assert!(!asked[0].contains("accept-encoding"));
    for line in ["user-agent: mine", "host: app.example", "x-a: 1", "x-a: 2"] {
        assert!(
            asked[1].contains(&format!("{line}\r\n")),
            "{line} in {}",
            asked[1]
        );
    }
    assert!(!asked[1].contains("accept:"));
}

#[tokio::test]
async fn what_a_url_cannot_hold_is_escaped() {
    let server = Server::with(vec![reply("200 OK", "", "")]).await;
    let request = HttpRequest {
        path: "a b/ü?q=%20|".into(),
        ..server.request(&[])
    };
    assert_eq!(
        probe(&request, Duration::from_secs(5)).await.outcome,
        ProbeOutcome::Success
    );
    assert!(
        server.asked()[0].starts_with("GET /a%20b/%C3%BC?q=%20%7C HTTP/1.1\r\n"),
        "{:?}",
        server.asked()
    );
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_failures() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let silent = Server {
        port,
        asked: Arc::default(),
    };
    let request = silent.request(&[]);
    let answer = probe(&request, Duration::from_millis(50)).await;
    assert_eq!(answer.outcome, ProbeOutcome::Failure);
    assert!(
        answer.output.contains("context deadline exceeded"),
        "{}",
        answer.output
    );
    drop(listener);
    let answer = probe(&request, Duration::from_secs(5)).await;
    assert_eq!(answer.outcome, ProbeOutcome::Failure);
    assert!(
        answer.output.ends_with("connect: connection refused"),
        "{}",
        answer.output
    );
}

#[tokio::test]
async fn r7_10_any_answer_is_a_success_for_a_hook() {
    let server = Server::with(vec![reply("500 Broken", "", "")]).await;
    assert_eq!(hook(&server.request(&[])).await, Ok(Reached::AsAsked));
    let nobody = HttpRequest {
        port: 1,
        ..server.request(&[])
    };
    assert!(hook(&nobody).await.is_err());
}

#[tokio::test]
async fn r7_10_a_hook_over_tls_falls_back_to_plain_http() {
    let plain = reply("200 OK", "", "");
    let server = Server::with(vec![plain.clone(), plain]).await;
    let request = HttpRequest {
        https: true,
        ..server.request(&[("authorization", "Basic c2VjcmV0"), ("X-Kept", "yes")])
    };
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(hook(&request).await, Ok(Reached::WithoutTls(address)));
    let asked = server.asked.lock().expect("log").clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[1].starts_with("GET /path?q=1 HTTP/1.1\r\n"));
    let plain = asked[1].to_lowercase();
    assert!(plain.contains("x-kept: yes") && !plain.contains("authorization"));
}

/// The server is gone when it is asked again: the first error is told.
#[tokio::test]
async fn r7_10_a_fall_back_that_fails_tells_the_first_error() {
    let server = Server::with(vec![reply("200 OK", "", "")]).await;
    let request = HttpRequest {
        https: true,
        ..server.request(&[])
    };
    let error = hook(&request).await.expect_err("nobody answers");
    let end = "http: server gave HTTP response to HTTPS client";
    assert!(error.ends_with(end), "{error}");
}
