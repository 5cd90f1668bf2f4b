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
