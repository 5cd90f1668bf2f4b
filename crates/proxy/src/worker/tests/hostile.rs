//! What is refused, byte for byte, and that nothing of it reaches the backend.

use super::support::*;
use crate::http1::Limits;
use crate::reason::Reason;

/// Each of these gets its answer and an end, and the backend hears nothing.
async fn refused(cases: &[(&str, Vec<u8>, Reason)], limits: Limits) {
    let (proxy, app) = pair(|setup| setup.limits = limits).await;
    for (what, bytes, reason) in cases {
        let mut sent = bytes.clone();
        sent.extend_from_slice(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let response = proxy.ask(&sent).await;
        let expected = format!("HTTP/1.1 {} ", reason.status());
        assert!(response.starts_with(&expected), "{what}: {response:?}");
        assert_eq!(
            response.matches("HTTP/1.1").count(),
            1,
            "{what}: {response:?}"
        );
        assert!(
            response.contains(&format!("details=\"{reason}\"")),
            "{what}: {response:?}"
        );
        assert!(
            response.contains("\r\nConnection: close\r\n"),
            "{what}: {response:?}"
        );
        assert_eq!(proxy.reasons().last(), Some(&Some(*reason)), "{what}");
    }
    // The first that the backend sees is what is in order.
    let mut client = proxy.connect().await;
    client.send("GET /fine HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        app.accept()
            .await
            .until("\r\n\r\n")
            .await
            .starts_with("GET /fine ")
    );
}

fn with(fields: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}").into_bytes()
}

fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\nHost: a\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn smuggling() {
    use Reason::{AmbiguousFraming, BadHost, MalformedRequest, UnsupportedTransferCoding};
    let cases = [
        (
            "CL.TE",
            with(
                "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
                "0\r\n\r\nG",
            ),
            AmbiguousFraming,
        ),
        (
            "TE.CL",
            with(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                "5c\r\nGPOST",
            ),
            AmbiguousFraming,
        ),
        (
            "TE.TE",
            with(
                "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n",
                "5c\r\n",
            ),
            AmbiguousFraming,
        ),
        (
            "TE list",
            with("Transfer-Encoding: identity, chunked\r\n", ""),
            AmbiguousFraming,
        ),
        (
            "TE with tab",
            with("Transfer-Encoding:\tchunked\x0b\r\n", ""),
            MalformedRequest,
        ),
        (
            "TE with space",
            with("Transfer-Encoding : chunked\r\n", ""),
            MalformedRequest,
        ),
        (
            "TE with CR",
            with("Transfer-Encoding: chunked\rX: y\r\n", ""),
            MalformedRequest,
        ),
        (
            "TE gzip",
            with("Transfer-Encoding: gzip\r\n", ""),
            UnsupportedTransferCoding,
        ),
        (
            "TE folded",
            with("Transfer-Encoding:\r\n chunked\r\n", ""),
            MalformedRequest,
        ),
        ("folded", with("X: a\r\n\tb\r\n", ""), MalformedRequest),
        (
            "first folded",
            b"GET / HTTP/1.1\r\n Host: a\r\n\r\n".to_vec(),
            MalformedRequest,
        ),
        (
            "CGI's TE",
            with("Transfer_Encoding: chunked\r\n", "0\r\n\r\n"),
            AmbiguousFraming,
        ),
        (
            "lengths",
            with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
            AmbiguousFraming,
        ),
        (
            "same lengths",
            with("Content-Length: 5\r\nContent-Length: 5\r\n", "h"),
            AmbiguousFraming,
        ),
        (
            "list of lengths",
            with("Content-Length: 5, 5\r\n", "hello"),
            AmbiguousFraming,
        ),
        (
            "signed length",
            with("Content-Length: +5\r\n", "hello"),
            AmbiguousFraming,
        ),
        (
            "length, NUL",
            with("Content-Length: 5\0\r\n", "hello"),
            MalformedRequest,
        ),
        (
            "bare LF",
            b"GET / HTTP/1.1\nHost: a\n\n".to_vec(),
            MalformedRequest,
        ),
        (
            "LF in fields",
            with("X: a\nTransfer-Encoding: chunked\r\n", ""),
            MalformedRequest,
        ),
        (
            "bare LF at the end",
            b"GET / HTTP/1.1\r\nHost: a\r\n\n".to_vec(),
            MalformedRequest,
        ),
        ("bare CR", with("X: a\rb\r\n", ""), MalformedRequest),
        ("NUL in a value", with("X: a\0b\r\n", ""), MalformedRequest),
        ("NUL in a name", with("X\0: a\r\n", ""), MalformedRequest),
        ("no colon", with("X\r\n", ""), MalformedRequest),
        ("no name", with(": x\r\n", ""), MalformedRequest),
        ("two Hosts", with("Host: b\r\n", ""), BadHost),
        (
            "Host against target",
            line("GET http://b/ HTTP/1.1"),
            BadHost,
        ),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n".to_vec(), BadHost),
        (
            "Host with a path",
            b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".to_vec(),
            BadHost,
        ),
        (
            "TE in 1.0",
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
            AmbiguousFraming,
        ),
        (
            "CONNECT with a body",
            { b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabc".to_vec() },
            AmbiguousFraming,
        ),
    ];
    // The answer to a client of HTTP/1.0 has no need to say that the connection ends.
    let (of_ten, others): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|(what, ..)| *what == "TE in 1.0");
    local(async {
        refused(&others, Limits::default()).await;
        let (proxy, _app) = pair(|_| {}).await;
        for (_, bytes, reason) in of_ten {
            let response = proxy.ask(bytes).await;
            assert!(response.starts_with("HTTP/1.1 400 "), "{response:?}");
            assert!(response.contains(reason.name()), "{response:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn first_lines() {
    use Reason::{MalformedRequest, UnsupportedVersion};
    let cases = [
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            MalformedRequest,
        ),
        ("HTTP/0.9", b"GET /\r\n\r\n".to_vec(), MalformedRequest),
        ("version", line("GET / HTTP/2.0"), UnsupportedVersion),
        ("version 1.2", line("GET / HTTP/1.2"), UnsupportedVersion),
        (
            "version with space",
            line("GET / HTTP/1.1 "),
            MalformedRequest,
        ),
        ("lower case", line("GET / http/1.1"), MalformedRequest),
        ("two spaces", line("GET  / HTTP/1.1"), MalformedRequest),
        ("tabs", line("GET\t/\tHTTP/1.1"), MalformedRequest),
        ("method", line("GE(T / HTTP/1.1"), MalformedRequest),
        ("fragment", line("GET /#a HTTP/1.1"), MalformedRequest),
        ("NUL", line("GET /a\0b HTTP/1.1"), MalformedRequest),
        ("user", line("GET http://u@a/ HTTP/1.1"), MalformedRequest),
        ("asterisk", line("GET * HTTP/1.1"), MalformedRequest),
        (
            "empty lines",
            b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            MalformedRequest,
        ),
        (
            "expectation",
            with("Expect: tea\r\n", ""),
            Reason::ExpectationFailed,
        ),
        (
            "CONNECT",
            line("CONNECT a:1 HTTP/1.1").replace_host("a:1"),
            Reason::ConnectRefused,
        ),
    ];
    // One connection can go on after the last of these: what it asks for is refused, not how.
    let (sound, others): (Vec<_>, Vec<_>) = cases.into_iter().partition(|(_, _, reason)| {
        matches!(reason, Reason::ConnectRefused | Reason::ExpectationFailed)
    });
    local(async {
        refused(&others, Limits::default()).await;
        let (proxy, _app) = pair(|_| {}).await;
        for (_, bytes, reason) in sound {
            let mut client = proxy.connect().await;
            client.send(bytes).await;
            let response = client.message().await;
            assert!(response.contains(reason.name()), "{response:?}");
        }
    })
    .await;
}

trait ReplaceHost {
    fn replace_host(self, host: &str) -> Self;
}

impl ReplaceHost for Vec<u8> {
    fn replace_host(self, host: &str) -> Self {
        String::from_utf8(self)
            .unwrap()
            .replace("Host: a\r", &format!("Host: {host}\r"))
            .into()
    }
}

#[tokio::test]
async fn too_much_of_everything() {
    let limits = Limits {
        head_bytes: 8_000,
        target_bytes: 1_000,
        fields: 10,
        body_bytes: Some(1_000),
        ..Limits::default()
    };
    let cases = [
        (
            "target",
            line(&format!("GET /{} HTTP/1.1", "a".repeat(1_000))),
            Reason::TargetTooLong,
        ),
        ("endless line", vec![b'a'; 20_000], Reason::TargetTooLong),
        (
            "large field",
            with(&format!("X: {}\r\n", "a".repeat(8_000)), ""),
            Reason::HeadTooLarge,
        ),
        (
            "many fields",
            with(&"X: y\r\n".repeat(10), ""),
            Reason::HeadTooLarge,
        ),
        (
            "more than many",
            with(&"X: y\r\n".repeat(200), ""),
            Reason::HeadTooLarge,
        ),
        (
            "endless fields",
            {
                let mut head = b"GET / HTTP/1.1\r\n".to_vec();
                head.extend(b"a: b\r\n".repeat(10_000));
                head
            },
            Reason::HeadTooLarge,
        ),
        (
            "body",
            with("Content-Length: 1001\r\n", &"a".repeat(1001)),
            Reason::BodyTooLarge,
        ),
    ];
    local(refused(&cases, limits)).await;
}

#[tokio::test]
async fn chunks() {
    let long = format!("1;{}\r\na\r\n", "e".repeat(300));
    let many = format!("1;{}\r\na\r\n", "e".repeat(200)).repeat(100);
    let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(101));
    let cases: Vec<(&str, &str)> = vec![
        ("negative", "-1\r\na\r\n0\r\n\r\n"),
        ("0x", "0x1\r\na\r\n0\r\n\r\n"),
        ("space", "1 \r\na\r\n0\r\n\r\n"),
        ("leading space", " 1\r\na\r\n0\r\n\r\n"),
        ("empty size", "\r\na\r\n0\r\n\r\n"),
        ("overflow", "10000000000000001\r\na\r\n0\r\n\r\n"),
        ("sixteen digits", "ffffffffffffffff\r\na\r\n0\r\n\r\n"),
        ("bare LF", "1\na\r\n0\r\n\r\n"),
        ("bare CR", "1\ra\r\n0\r\n\r\n"),
        ("LF behind data", "1\r\na\n0\r\n\r\n"),
        ("longer than said", "1\r\nab\r\n0\r\n\r\n"),
        ("LF in an extension", "1;a\nb\r\na\r\n0\r\n\r\n"),
        ("CR in an extension", "1;a\rb\r\na\r\n0\r\n\r\n"),
        ("long extension", &long),
        ("many extensions", &many),
        ("trailer with LF", "0\r\nX: y\n\r\n"),
        ("trailer that frames", "0\r\nContent-Length: 5\r\n\r\n"),
        ("trailer that routes", "0\r\nHost: b\r\n\r\n"),
        ("folded trailer", "0\r\nX: y\r\n z\r\n\r\n"),
        ("many trailers", &trailers),
    ];
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        for (what, body) in cases {
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
            let bytes = with(
                "Transfer-Encoding: chunked\r\n",
                &format!("{body}{smuggled}"),
            );
            let serve = async {
                let mut backend = app.accept().await;
                backend.rest().await
            };
            let (response, seen) = tokio::join!(proxy.ask(&bytes), serve);
            assert!(
                response.starts_with("HTTP/1.1 400 "),
                "{what}: {response:?}"
            );
            assert!(response.contains("malformed_body"), "{what}: {response:?}");
            assert_eq!(
                response.matches("HTTP/1.1").count(),
                1,
                "{what}: {response:?}"
            );
            // The backend got no end of this body, so nothing that it could take for done.
            assert!(
                !seen.contains("\r\n0\r\n\r\n") && !seen.contains("smuggled"),
                "{what}: {seen:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_above_the_limit_in_chunks() {
    local(async {
        let (proxy, app) = pair(|setup| setup.limits.body_bytes = Some(10)).await;
        let bytes = with(
            "Transfer-Encoding: chunked\r\n",
            "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n",
        );
        let serve = async { app.accept().await.rest().await };
        let (response, seen) = tokio::join!(proxy.ask(bytes), serve);
        assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
        assert!(!seen.contains("\r\n0\r\n\r\n"), "{seen}");
    })
    .await;
}

#[tokio::test]
async fn what_the_backend_says_cannot_split_the_response() {
    let cases = [
        (
            "bare LF",
            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            Reason::MalformedResponse,
        ),
        (
            "LF in a value",
            "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "CR in a value",
            "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "NUL",
            "HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "name",
            "HTTP/1.1 200 OK\r\nX y: a\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "space",
            "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "folded",
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
            Reason::MalformedResponse,
        ),
        (
            "length and coding",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "coding",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "coding in 1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "status",
            "HTTP/1.1 99 OK\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "status 600",
            "HTTP/1.1 600 OK\r\n\r\n",
            Reason::MalformedResponse,
        ),
        ("no HTTP", "SSH-2.0-OpenSSH\r\n", Reason::MalformedResponse),
        (
            "HTTP/2",
            "HTTP/2.0 200 OK\r\n\r\n",
            Reason::MalformedResponse,
        ),
        (
            "cut head",
            "HTTP/1.1 200 OK\r\nX",
            Reason::TruncatedResponse,
        ),
        ("nothing", "", Reason::BackendClosed),
        (
            "101 unasked",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            Reason::UnexpectedUpgrade,
        ),
    ];
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let huge = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(70_000));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50);
        let more = [
            ("huge", huge.as_str(), Reason::ResponseHeadTooLarge),
            (
                "interim without end",
                interim.as_str(),
                Reason::MalformedResponse,
            ),
        ];
        for (what, bytes, reason) in cases.into_iter().chain(more) {
            let mut client = proxy.connect().await;
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let mut backend = app.accept().await;
            backend.until("\r\n\r\n").await;
            backend.send(bytes).await;
            if !bytes.is_empty() {
                let _ = tokio::io::AsyncWriteExt::shutdown(&mut backend.stream).await;
            }
            drop(backend);
            let response = client.message().await;
            assert!(
                response.starts_with("HTTP/1.1 502 "),
                "{what}: {response:?}"
            );
            assert!(
                response.contains(&format!("details=\"{reason}\"")),
                "{what}: {response:?}"
            );
            assert!(!response.contains("Set-Cookie"), "{what}: {response:?}");
            // The client did nothing wrong: its connection goes on.
            client.send("GET /here HTTP/1.1\r\nHost: a\r\n\r\n").await;
            assert!(client.message().await.ends_with("made here\n"), "{what}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_response_that_breaks_off_is_seen_to_break_off() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        for (begin, shown) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
                "hello",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "5\r\nhello\r\n",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nnonsense\r\n",
                "5\r\nhello\r\n",
            ),
        ] {
            let mut client = proxy.connect().await;
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let mut backend = app.accept().await;
            backend.until("\r\n\r\n").await;
            backend.send(begin).await;
            client.until("\r\n\r\n").await;
            drop(backend);
            assert_eq!(client.rest().await, shown);
        }
        assert!(proxy.reasons().iter().all(Option::is_some));
        // To a client of HTTP/1.0 the end of the connection is the end of the body.
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.0\r\n\r\n").await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            .await;
        client.until("hello").await;
        drop(backend);
        assert_eq!(client.rest().await, "[reset]");
    })
    .await;
}

#[tokio::test]
async fn what_follows_a_response_is_no_response_to_the_next() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        for (request, response) in [
            (
                "GET / HTTP/1.1",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            ),
            (
                "HEAD / HTTP/1.1",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            ),
            ("GET / HTTP/1.1", "HTTP/1.1 204 No Content\r\n\r\n"),
            (
                "GET / HTTP/1.1",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            ),
        ] {
            let mut client = proxy.connect().await;
            client.send(line(request)).await;
            let mut backend = app.accept().await;
            backend.until("\r\n\r\n").await;
            let poison = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            backend.send(format!("{response}{poison}")).await;
            client.until("\r\n\r\n").await;
            // Nobody gets the second response: the connection is not used again.
            client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let mut other = app.accept().await;
            assert!(other.until("\r\n\r\n").await.starts_with("GET /next"));
            drop(other);
        }
    })
    .await;
}
