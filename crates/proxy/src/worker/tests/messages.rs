//! Messages that are in order, byte for byte.

use super::support::*;

#[tokio::test]
async fn bytes_arrive_as_they_were_sent() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("GET /a%2Fb//c?d=e HTTP/1.1\r\nHOST: Example.ORG\r\nx-CaSe:  odd \r\nConnection: keep-alive\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        assert_eq!(
            backend.until("\r\n\r\n").await,
            "GET /a%2Fb//c?d=e HTTP/1.1\r\nHOST: Example.ORG\r\nx-CaSe: odd\r\n\r\n"
        );
        backend
            .send("HTTP/1.1 200 Fine\r\ncontent-LENGTH: 5\r\nX-Odd: ü\r\nKeep-Alive: timeout=5\r\n\r\nhello")
            .await;
        assert_eq!(
            client.message().await,
            "HTTP/1.1 200 Fine\r\ncontent-LENGTH: 5\r\nX-Odd: ü\r\n\r\nhello"
        );
        // Both connections are used again.
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(backend.until("\r\n\r\n").await, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        backend.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
        assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        backend.until("\r\n\r\n").await;
        backend.send("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(proxy.reasons(), [None, None, None]);
    })
    .await;
}

#[tokio::test]
async fn absolute_targets_and_old_versions_are_translated() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("GET http://a:80/b?c HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        assert_eq!(
            backend.until("\r\n\r\n").await,
            "GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        backend.send("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
        drop(backend);
        // Of unknown length: chunks for a client that knows them.
        let head = client.until("\r\n\r\n").await;
        assert_eq!(
            head,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        assert_eq!(
            client.until("0\r\n\r\n").await,
            "d\r\nuntil the end\r\n0\r\n\r\n"
        );

        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.0\r\n\r\n").await;
        let mut backend = app.accept().await;
        assert_eq!(
            backend.until("\r\n\r\n").await,
            "GET / HTTP/1.1\r\nHost: \r\n\r\n"
        );
        backend
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
            .await;
        assert_eq!(client.rest().await, "HTTP/1.1 200 OK\r\n\r\nab");

        let mut client = proxy.connect().await;
        client
            .send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab")
            .await;
        let kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nab";
        assert_eq!(client.message().await, kept);
        client.send("GET / HTTP/1.0\r\n\r\n").await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab")
            .await;
        assert_eq!(
            client.rest().await,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        );
    })
    .await;
}

#[tokio::test]
async fn chunks_and_trailers_pass_in_both_directions() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send(
                "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n\
                 3;ext=\"dropped\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 13\r\n\r\n",
            )
            .await;
        let mut backend = app.accept().await;
        assert_eq!(
            backend.until("X-Sum: 13\r\n\r\n").await,
            "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
             3\r\nabc\r\na\r\n0123456789\r\n0\r\nX-Sum: 13\r\n\r\n"
        );
        backend
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        assert_eq!(
            client.until("\r\n\r\n").await,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        // Each piece as it comes, however it is cut.
        for byte in "5\r\nhello\r\n".split_inclusive("") {
            backend.send(byte).await;
            tokio::task::yield_now().await;
        }
        backend.send("0\r\nGrpc-Status: 0\r\n\r\n").await;
        let rest = client.until("Grpc-Status: 0\r\n\r\n").await;
        let body: String = rest
            .split("\r\n")
            .skip(1)
            .step_by(2)
            .take_while(|line| !line.contains(':'))
            .collect();
        assert_eq!(body, "hello", "{rest:?}");
    })
    .await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send(
                "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\
                 GET /here HTTP/1.1\r\nHost: a\r\n\r\nPOST /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                 4\r\nfour\r\n0\r\n\r\nGET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            )
            .await;
        let mut backend = app.accept().await;
        for (request, body) in [("POST /1", "one"), ("GET /2", ""), ("POST /4", "0\r\n\r\n"), ("GET /5", "")] {
            let head = backend.until("\r\n\r\n").await;
            assert!(head.starts_with(request), "{head}");
            backend.until(body).await;
            let text = &request[request.len() - 2..];
            backend.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{text}")).await;
        }
        let all = client.rest().await;
        let bodies: Vec<_> = all.split("HTTP/1.1 200 OK").map(|each| each.split("\r\n\r\n").last().unwrap()).collect();
        assert_eq!(bodies, ["", "/1", "/2", "made here\n", "/4", "/5"]);
        assert_eq!(all.matches("Connection: close").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn interim_responses_pass() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n").await;
        let mut backend = app.accept().await;
        assert!(backend.until("\r\n\r\n").await.contains("Expect: 100-continue"));
        backend.send("HTTP/1.1 100 Continue\r\n\r\n").await;
        assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        client.send("body").await;
        backend.until("body").await;
        backend
            .send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
        let hints = client.until("\r\n\r\n").await;
        assert_eq!(hints, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        // A 100 that nobody waits for is left out.
        assert_eq!(client.message().await, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        client.send("GET / HTTP/1.0\r\n\r\n").await;
        backend.until("\r\n\r\n").await;
        backend.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(client.rest().await, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_waited_for_in_vain_closes_the_connection() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
            .await;
        // Whether four bytes of a body come now cannot be known.
        let head = client.until("\r\n\r\n").await;
        assert_eq!(
            head,
            "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(client.rest().await, "");
    })
    .await;
}

#[tokio::test]
async fn a_response_may_come_and_end_while_the_upload_goes_on() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin")
            .await;
        let mut backend = app.accept().await;
        backend.until("begin").await;
        backend
            .send("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno")
            .await;
        assert_eq!(
            client.message().await,
            "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"
        );
        // The client goes on all the same, and still gets a clean end.
        client.send(vec![b'x'; 500_000]).await;
        assert_eq!(client.rest().await, "");
        // The backend's connection has half a request in it.
        assert_eq!(backend.rest().await, "");
        assert_eq!(proxy.backend.idle_connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn both_directions_stream_at_once() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let mut client = proxy.connect().await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        backend
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        client.until("\r\n\r\n").await;
        for round in 0..5 {
            client.send(format!("2\r\np{round}\r\n")).await;
            backend.until(&format!("2\r\np{round}\r\n")).await;
            backend.send(format!("2\r\nq{round}\r\n")).await;
            client.until(&format!("2\r\nq{round}\r\n")).await;
        }
        client.send("0\r\n\r\n").await;
        backend.until("0\r\n\r\n").await;
        backend.send("0\r\n\r\n").await;
        client.until("0\r\n\r\n").await;
        // Both are used again.
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        backend.until("\r\n\r\n").await;
        assert_eq!(proxy.reasons(), [None]);
    })
    .await;
}

#[tokio::test]
async fn large_bodies_arrive_whole_and_no_faster_than_they_are_taken() {
    local(async {
        let (proxy, app) = pair(|_| {}).await;
        let body: Vec<u8> = (0..8_000_000_u32)
            .map(|at| b'a' + (at % 23) as u8)
            .collect();
        let mut client = proxy.connect().await;
        client
            .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
            .await;
        let mut backend = app.accept().await;
        backend.until("\r\n\r\n").await;
        let echo = async {
            let mut left = 8_000_000;
            backend
                .send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n")
                .await;
            let mut piece = vec![0; 100_000];
            while left > 0 {
                let count = tokio::io::AsyncReadExt::read(&mut backend.stream, &mut piece)
                    .await
                    .unwrap();
                left -= count;
                backend.send(&piece[..count]).await;
            }
        };
        let (mut reading, mut writing) = client.stream.into_split();
        let write = async {
            tokio::io::AsyncWriteExt::write_all(&mut writing, &body)
                .await
                .unwrap();
        };
        let read = async {
            let mut all = Vec::new();
            let length = body.len() + 44;
            while all.len() < length {
                tokio::io::AsyncReadExt::read_buf(&mut reading, &mut all)
                    .await
                    .unwrap();
            }
            all
        };
        let ((), (), all) = tokio::join!(echo, write, read);
        assert!(all.ends_with(&body));
    })
    .await;
}
