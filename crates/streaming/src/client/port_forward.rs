//! Port-forward, asked for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};

use super::ClientError;
use super::upgrade::upgrade;
use crate::spdy::{Opener, Transport};
use crate::{StreamReader, StreamWriter};

const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";
/// The most that is read of a message about a failure.
const MAX_MESSAGE: usize = 4 << 10;

/// Asks for port-forward over `connection`. `path` is such as `/api/v1/namespaces/default/pods/web/portforward`.
///
/// # Errors
///
/// The server refused, or is gone.
pub async fn port_forward<C>(connection: C, path: &str) -> Result<PortForward, ClientError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (connection, _) = upgrade(connection, path, &[PROTOCOL]).await?;
    Ok(PortForward {
        opener: Opener::connect(connection, Transport::WebSocket),
        requests: Arc::default(),
    })
}

/// A connection over which any number of connections to ports of one Pod are forwarded. Cheap to clone; the
/// connection is closed with the last clone and the last forwarded connection.
#[derive(Clone, Debug)]
pub struct PortForward {
    opener: Opener,
    /// How many there were.
    requests: Arc<AtomicU64>,
}

impl PortForward {
    /// Opens a connection to a port of the Pod. Whether it could be made is told by [`ForwardFailure::message`].
    ///
    /// # Errors
    ///
    /// The server is gone, or has too many of them.
    pub async fn connect(&self, port: u16) -> Result<Forwarded, ClientError> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed).to_string();
        let port = port.to_string();
        let headers = |kind| {
            [
                ("streamtype", kind),
                ("port", &*port),
                ("requestid", &*request),
            ]
        };
        let lost = |error: io::Error| match error.kind() {
            io::ErrorKind::QuotaExceeded => ClientError::TooMany,
            _ => ClientError::Lost,
        };
        // Only the server says anything on it.
        let error = self.opener.open(&headers("error"), true).await;
        let data = self.opener.open(&headers("data"), false).await;
        let (error, data) = (error.map_err(lost)?, data.map_err(lost)?);
        Ok(Forwarded {
            reader: data.reader,
            writer: data.writer,
            failure: ForwardFailure(error.reader.end_when_reset()),
        })
    }

    /// Returns when the server is gone.
    pub async fn gone(&self) {
        self.opener.gone().await;
    }
}

/// One forwarded connection.
#[derive(Debug)]
pub struct Forwarded {
    /// What comes from the Pod's port.
    pub reader: StreamReader,
    /// What goes to it. Dropped before it is shut down, it cuts the connection off.
    pub writer: StreamWriter,
    /// What the server says if it fails.
    pub failure: ForwardFailure,
}

/// What the server says if a forwarded connection fails.
#[derive(Debug)]
pub struct ForwardFailure(StreamReader);

impl ForwardFailure {
    /// Waits for the end of the forwarded connection: `None` if it did not fail, else the server's words.
    pub async fn message(mut self) -> Option<String> {
        let message = self.0.read_to_limit(MAX_MESSAGE).await;
        (!message.is_empty()).then(|| String::from_utf8_lossy(&message).into_owned())
    }
}
