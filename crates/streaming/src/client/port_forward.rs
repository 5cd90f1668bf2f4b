//! Port-forward, asked for.

use tokio::io::{AsyncRead, AsyncWrite};

use super::ClientError;
use crate::{StreamReader, StreamWriter};

/// Asks for port-forward over `connection`. `path` is such as `/api/v1/namespaces/default/pods/web/portforward`.
///
/// # Errors
///
/// The server refused, or is gone.
pub async fn port_forward<C>(_connection: C, _path: &str) -> Result<PortForward, ClientError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Err(ClientError::Lost)
}

/// A connection over which any number of connections to ports of one Pod are forwarded. Cheap to clone; the
/// connection is closed with the last clone and the last forwarded connection.
#[derive(Clone, Debug)]
pub struct PortForward(());

impl PortForward {
    /// Opens a connection to a port of the Pod. Whether it could be made is told by [`Forwarded::failure`].
    ///
    /// # Errors
    ///
    /// The server is gone, or has too many of them.
    pub async fn connect(&self, _port: u16) -> Result<Forwarded, ClientError> {
        Err(ClientError::Lost)
    }

    /// Returns when the server is gone.
    pub async fn gone(&self) {
        std::future::pending::<()>().await;
    }
}

/// One forwarded connection.
#[derive(Debug)]
pub struct Forwarded {
    /// What comes from the Pod's port.
    pub reader: StreamReader,
    /// What goes to it.
    pub writer: StreamWriter,
    /// What the server says if it fails.
    pub failure: ForwardFailure,
}

/// What the server says if a forwarded connection fails.
#[derive(Debug)]
pub struct ForwardFailure(());

impl ForwardFailure {
    /// Waits for the end of the forwarded connection: `None` if it did not fail, else the server's words.
    pub async fn message(self) -> Option<String> {
        None
    }
}
