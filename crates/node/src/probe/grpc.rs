//! `grpc` probes: the standard health check (`grpc.health.v1.Health/Check`), as R6.9 judges it.
//!
//! The two messages have one field each, so they are read and written here without a protobuf library:
//! `HealthCheckRequest { string service = 1; }` and `HealthCheckResponse { ServingStatus status = 1; }`.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use lifecycle::ProbeOutcome;
use tokio::net::TcpStream;

use super::{Answer, KUBERNETES_VERSION, authority};

/// Asks the health service at `host:port` about `service`; dialling and the call share `timeout`.
pub(crate) async fn probe(host: &str, port: u16, service: &str, timeout: Duration) -> Answer {
    let at = authority(host, port);
    let deadline = tokio::time::Instant::now() + timeout;
    let failure = |text: String| Answer::new(ProbeOutcome::Failure, text);
    let stream = match tokio::time::timeout_at(deadline, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) | Err(_) => {
            return failure(format!(
                "timeout: failed to connect service \"{at}\" within {}s: context deadline exceeded",
                timeout.as_secs()
            ));
        }
    };
    match tokio::time::timeout_at(deadline, check(stream, &at, service)).await {
        Err(_) => failure(format!(
            "timeout: health rpc did not complete within {}s",
            timeout.as_secs()
        )),
        Ok(Err(error)) => failure(format!("error: health rpc probe failed: {error}")),
        Ok(Ok(1)) => Answer::new(ProbeOutcome::Success, "service healthy"),
        Ok(Ok(status)) => failure(format!(
            "service unhealthy (responded with \"{}\")",
            status_name(status)
        )),
    }
}

fn status_name(status: u64) -> &'static str {
    match status {
        0 => "UNKNOWN",
        1 => "SERVING",
        2 => "NOT_SERVING",
        3 => "SERVICE_UNKNOWN",
        _ => "UNRECOGNIZED",
    }
}

async fn check(stream: TcpStream, at: &str, service: &str) -> Result<u64, String> {
    let text = |error: hyper::Error| error.to_string();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(text)?;
    let connection = tokio::spawn(connection);
    let request = Request::post(format!("http://{at}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", format!("kube-probe/{KUBERNETES_VERSION}"))
        .body(Full::new(Bytes::from(frame(service))))
        .map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(text)?;
        let early = response.headers().get("grpc-status").cloned();
        if !response.status().is_success() {
            return Err(format!("unexpected HTTP status {}", response.status()));
        }
        let body = response.into_body().collect().await.map_err(text)?;
        let late = body
            .trailers()
            .and_then(|trailers| trailers.get("grpc-status"))
            .cloned();
        match late.or(early) {
            Some(code) if code != "0" => Err(format!(
                "rpc error: code = {}",
                code.to_str().unwrap_or("?")
            )),
            _ => serving_status(&body.to_bytes()),
        }
    }
    .await;
    connection.abort();
    answer
}

/// A gRPC length-prefixed message with one string field, or none when the string is empty.
fn frame(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(service.as_bytes());
    }
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap_or(0).to_be_bytes());
    frame.extend_from_slice(&message);
    frame
}

/// The enumeration value of field 1; a message without it means 0.
fn serving_status(frame: &[u8]) -> Result<u64, String> {
    let message = frame
        .get(5..)
        .ok_or("answer is shorter than a gRPC message")?;
    match message {
        [] => Ok(0),
        [0x08, value, ..] if *value < 0x80 => Ok(u64::from(*value)),
        _ => Err("answer is no HealthCheckResponse".into()),
    }
}

#[cfg(test)]
mod tests;
