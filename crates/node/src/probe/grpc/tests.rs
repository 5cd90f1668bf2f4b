use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A health service that answers each call with `message` and `grpc_status`, and keeps what it was asked.
async fn server(
    message: &'static [u8],
    grpc_status: &'static str,
) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            let log = Arc::clone(&log);
            let service = service_fn(move |request: Request<Incoming>| {
                let log = Arc::clone(&log);
                async move {
                    let agent = request.headers()["user-agent"]
                        .to_str()
                        .expect("agent")
                        .to_owned();
                    let path = request.uri().path().to_owned();
                    let body = request
                        .into_body()
                        .collect()
                        .await
                        .expect("body")
                        .to_bytes();
                    log.lock()
                        .expect("log")
                        .push(format!("{agent} {path} {body:?}"));
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", HeaderValue::from_static(grpc_status));
                    let body = Full::new(Bytes::from_static(message))
                        .with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
                    Ok::<_, Infallible>(Response::new(body))
                }
            });
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (port, asked)
}

#[tokio::test]
async fn r6_9_only_serving_succeeds() {
    let (port, asked) = server(&[0, 0, 0, 0, 2, 8, 1], "0").await;
    let answer = probe("127.0.0.1", port, "db", TIMEOUT).await;
    assert_eq!(answer.outcome, ProbeOutcome::Success, "{}", answer.output);
    let asked = asked.lock().expect("log").join("\n");
    assert!(
        asked.starts_with("kube-probe/1.36 /grpc.health.v1.Health/Check"),
        "{asked}"
    );
    assert!(asked.contains("\\n\\x02db"), "{asked}");

    let (port, _) = server(&[0, 0, 0, 0, 2, 8, 2], "0").await;
    let answer = probe("127.0.0.1", port, "", TIMEOUT).await;
    assert_eq!(answer.outcome, ProbeOutcome::Failure);
    assert_eq!(
        answer.output,
        "service unhealthy (responded with \"NOT_SERVING\")"
    );
}

#[tokio::test]
async fn r6_9_errors_of_the_call_are_failures() {
    let (port, _) = server(&[], "12").await;
    let answer = probe("127.0.0.1", port, "", TIMEOUT).await;
    assert_eq!(answer.outcome, ProbeOutcome::Failure);
    assert!(answer.output.contains("code = 12"), "{}", answer.output);
}

#[tokio::test]
async fn r6_9_nobody_there_and_no_answer_have_texts_of_their_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let answer = probe("127.0.0.1", port, "", Duration::from_secs(1)).await;
    assert_eq!(
        answer.output,
        "timeout: health rpc did not complete within 1s"
    );
    drop(listener);
    let answer = probe("127.0.0.1", port, "", TIMEOUT).await;
    assert_eq!(answer.outcome, ProbeOutcome::Failure);
    assert!(
        answer
            .output
            .starts_with("timeout: failed to connect service"),
        "{}",
        answer.output
    );
}

#[test]
fn messages_are_protobuf() {
    assert_eq!(frame(""), [0, 0, 0, 0, 0]);
    assert_eq!(frame("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
    let long = frame(&"x".repeat(200));
    assert_eq!(&long[..8], &[0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
    assert_eq!(serving_status(&[0, 0, 0, 0, 2, 8, 1]), Ok(1));
    assert_eq!(serving_status(&[0, 0, 0, 0, 0]), Ok(0));
    assert!(serving_status(&[0]).is_err());
    assert!(serving_status(&[0, 0, 0, 0, 1, 9]).is_err());
}
