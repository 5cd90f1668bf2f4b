//! Port-forward, served.

use std::collections::HashMap;

use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use super::SessionError;
use super::upgrade::{Offer, negotiate};
use crate::spdy::{Connection, Opened, Transport};
use crate::{StreamReader, StreamWriter};

/// At most so many streams wait for their counterpart.
const MAX_WAITING: usize = 64;

const OFFER: Offer<Transport> = Offer {
    websocket: &[("SPDY/3.1+portforward.k8s.io", Transport::WebSocket)],
    spdy: &[("portforward.k8s.io", Transport::Plain)],
};

/// Answers a request for port-forward: 101 and what becomes the session once the answer is out; or, with no
/// session, the answer that refuses it, as [`super::command`] does.
pub fn port_forward<B>(request: &mut Request<B>) -> (Response<Bytes>, Option<PendingPortForward>) {
    match negotiate(request, &OFFER) {
        Ok((response, transport)) => {
            let pending = PendingPortForward {
                upgrade: hyper::upgrade::on(request),
                transport,
            };
            (response, Some(pending))
        }
        Err(refusal) => (*refusal, None),
    }
}

/// An accepted port-forward, whose connection is still HTTP's.
#[derive(Debug)]
pub struct PendingPortForward {
    upgrade: OnUpgrade,
    transport: Transport,
}

impl PendingPortForward {
    /// Waits for the connection.
    ///
    /// # Errors
    ///
    /// The client left.
    pub async fn session(self) -> Result<PortForwardSession, SessionError> {
        let connection = self.upgrade.await.map_err(SessionError::Upgrade)?;
        let connection = TokioIo::new(connection);
        Ok(PortForwardSession {
            connection: Connection::serve(connection, self.transport),
            waiting: HashMap::new(),
        })
    }
}

/// A client that forwards ports, over one connection. It ends when this and all its [`Forward`]s are dropped.
#[derive(Debug)]
pub struct PortForwardSession {
    connection: Connection,
    /// Streams whose counterpart has not come yet, by their request's number.
    waiting: HashMap<String, Half>,
}

/// One of the two streams of a request.
#[derive(Debug)]
struct Half {
    port: u16,
    data: bool,
    opened: Opened,
}

impl PortForwardSession {
    /// The next connection that is to be forwarded; `None` once the client is gone. What it asks for in other ways
    /// than it should is refused. Nothing is lost when this is dropped midway.
    pub async fn next(&mut self) -> Option<Forward> {
        loop {
            let opened = self.connection.accept().await?;
            if let Some(forward) = self.pair(opened) {
                return Some(forward);
            }
        }
    }

    fn pair(&mut self, opened: Opened) -> Option<Forward> {
        let request = opened.headers.get("requestid")?.to_owned();
        let port = opened.headers.get("port")?.parse().ok();
        let port = port.filter(|&port: &u16| port != 0)?;
        let data = match opened.headers.get("streamtype")? {
            "data" => true,
            "error" => false,
            _ => return None,
        };
        let half = Half { port, data, opened };
        match self.waiting.remove(&request) {
            Some(other) if other.port == half.port && other.data != half.data => {
                let (data, error) = if half.data {
                    (half, other)
                } else {
                    (other, half)
                };
                Some(Forward {
                    port,
                    reader: data.opened.reader,
                    writer: data.opened.writer,
                    error: ForwardError(error.opened.writer.end_on_drop()),
                })
            }
            // Two of a kind: both are refused.
            Some(_) => None,
            None => {
                self.waiting.retain(|_, half| half.is_open());
                if self.waiting.len() < MAX_WAITING {
                    self.waiting.insert(request, half);
                }
                None
            }
        }
    }
}

impl Half {
    fn is_open(&self) -> bool {
        let stream = self.opened.writer.spdy();
        stream.is_some_and(|stream| !stream.is_reset())
    }
}

/// One connection to be forwarded.
///
/// Copy `reader` and `writer` to and from the port, shut `writer` down at its end, then drop all of it. Where the port
/// cannot be reached, say so with [`ForwardError::send`].
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

/// Tells the client that a connection failed; or, dropped, that it did not.
#[derive(Debug)]
pub struct ForwardError(StreamWriter);

impl ForwardError {
    /// Sends the message, which clients print behind `an error occurred forwarding LOCAL -> REMOTE: `.
    pub async fn send(mut self, message: &str) {
        // Whom it concerns may be gone.
        if self.0.write_all(message.as_bytes()).await.is_ok() {
            let _ = self.0.shutdown().await;
        }
    }
}
