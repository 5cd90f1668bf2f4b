//! `tcpSocket` probes (R6.8): a connection made in time is a success, and closed at once.

use std::time::Duration;

use lifecycle::ProbeOutcome;
use tokio::net::TcpStream;

use super::Answer;

/// Tries to connect to `host:port` within `timeout`.
pub(crate) async fn probe(host: &str, port: u16, timeout: Duration) -> Answer {
    match tokio::time::timeout(timeout, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Answer::new(ProbeOutcome::Success, ""),
        Ok(Err(error)) => {
            let reason = super::connect_error(&error);
            Answer::new(
                ProbeOutcome::Failure,
                format!(
                    "dial tcp {}: connect: {reason}",
                    super::authority(host, port)
                ),
            )
        }
        Err(_) => Answer::new(
            ProbeOutcome::Failure,
            format!("dial tcp {}: i/o timeout", super::authority(host, port)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn r6_8_a_connection_is_a_success_and_closed_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let answer = probe("127.0.0.1", port, Duration::from_secs(5)).await;
        assert_eq!(answer.outcome, ProbeOutcome::Success);
        let (mut stream, _) = listener.accept().await.expect("it connected");
        assert_eq!(stream.read(&mut [0; 1]).await.expect("end"), 0);
        drop(listener);
        let answer = probe("127.0.0.1", port, Duration::from_secs(5)).await;
        assert_eq!(answer.outcome, ProbeOutcome::Failure);
        let expected = format!("dial tcp 127.0.0.1:{port}: connect: connection refused");
        assert_eq!(answer.output, expected);
    }
}
