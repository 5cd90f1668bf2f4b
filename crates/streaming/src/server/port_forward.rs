//! Port-forward, served.

use bytes::Bytes;
use hyper::{Request, Response};

use super::SessionError;
use crate::{StreamReader, StreamWriter};

/// Answers a request for port-forward: 101 and what becomes the session once the answer is out; or, with no
/// session, the answer that refuses it, as [`super::command`] does.
pub fn port_forward<B>(_request: &mut Request<B>) -> (Response<Bytes>, Option<PendingPortForward>) {
    (Response::new(Bytes::new()), Some(PendingPortForward(())))
}

/// An accepted port-forward, whose connection is still HTTP's.
#[derive(Debug)]
pub struct PendingPortForward(());

impl PendingPortForward {
    /// Waits for the connection.
    ///
    /// # Errors
    ///
    /// The client left.
    pub async fn session(self) -> Result<PortForwardSession, SessionError> {
        Err(SessionError::Streams("not there yet"))
    }
}

/// A client that forwards ports, over one connection.
#[derive(Debug)]
pub struct PortForwardSession(());

impl PortForwardSession {
    /// The next connection that is to be forwarded; `None` once the client is gone.
    pub async fn next(&mut self) -> Option<Forward> {
        std::future::pending().await
    }
}

/// One connection to be forwarded.
///
/// Copy `data` to and from the port, then drop both. Where the port cannot be reached, say so with
/// [`ForwardError::send`].
#[derive(Debug)]
pub struct Forward {
    /// The Pod's port.
    pub port: u16,
    /// What comes from the client's side of the connection.
    pub reader: StreamReader,
    /// What goes to it.
    pub writer: StreamWriter,
    /// The way to say that it failed.
    pub error: ForwardError,
}

/// Tells the client that a connection failed.
#[derive(Debug)]
pub struct ForwardError(());

impl ForwardError {
    /// Sends the message, which clients print behind `an error occurred forwarding LOCAL -> REMOTE: `.
    pub async fn send(self, _message: &str) {}
}
