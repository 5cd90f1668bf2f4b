//! What is to be done with a request: the seam between the data path and the rules.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::{BodySource, answer};
use crate::backend::Backend;
use crate::buffer::Chunk;
use crate::message::framing::BodyLength;
use crate::message::{RequestHead, ResponseHead};
use crate::reason::Failure;
use crate::transport::Facts;

/// Decides what becomes of requests. Asked once for each, on the worker's thread; must not wait.
pub trait Router {
    /// What becomes of this request. The head is checked, hop-by-hop fields are gone, and it may be edited: it is what
    /// a backend gets.
    fn decide(&self, head: &mut RequestHead, client: &Facts) -> Decision;

    /// What a client gets that is refused, or whose request failed.
    fn refusal(&self, failure: &Failure) -> Response {
        answer::of_failure(failure)
    }
}

/// What becomes of a request.
pub enum Decision {
    /// It is answered here.
    Respond(Response),
    /// It is answered here, once a disk has been asked.
    Later(Pin<Box<dyn Future<Output = Result<Response, Failure>>>>),
    /// It goes to a backend.
    Forward(Forward),
    /// It is refused.
    Refuse(Failure),
}

/// An answer that is made here: a redirect, a file, an error page.
pub struct Response {
    /// Its head. The fields of the framing are added.
    pub head: ResponseHead,
    /// What is known of the body. For a request with HEAD, of the body that is not sent.
    pub length: BodyLength,
    /// The body, read no faster than the client takes it. None where there is none.
    pub body: Option<Box<dyn BodySource>>,
}

impl Response {
    /// An answer without a body.
    pub fn empty(head: ResponseHead) -> Self {
        Self {
            head,
            length: BodyLength::Known(0),
            body: None,
        }
    }

    /// An answer with these bytes as its body.
    pub fn bytes(head: ResponseHead, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            head,
            length: BodyLength::Known(body.len() as u64),
            body: Some(Box::new(Whole(body))),
        }
    }
}

/// A body that is in memory.
struct Whole(Bytes);

impl BodySource for Whole {
    fn poll_chunk(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<Option<Chunk>, Failure>> {
        let whole = std::mem::take(&mut self.0);
        std::task::Poll::Ready(Ok((!whole.is_empty()).then_some(Chunk::Shared(whole))))
    }
}

/// Which requests may change protocols or become tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// None: `Upgrade` is taken away, which every client must be able to live with, and CONNECT is refused.
    #[default]
    Never,
    /// WebSocket.
    WebSocket,
    /// Whatever the client and the backend agree on.
    Any,
}

impl Upgrades {
    /// Whether a change to `protocol` may be asked for.
    pub fn allow(self, protocol: &[u8]) -> bool {
        match self {
            Upgrades::Never => false,
            Upgrades::WebSocket => protocol.eq_ignore_ascii_case(b"websocket"),
            Upgrades::Any => true,
        }
    }
}

/// Where a request goes, and how.
pub struct Forward {
    /// To whom.
    pub backend: Rc<Backend>,
    /// Whether it may change protocols.
    pub upgrades: Upgrades,
    /// Whether CONNECT goes through.
    pub connect: bool,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// What is changed in the response's head.
    pub response: Option<Rc<dyn EditResponse>>,
}

impl Forward {
    /// To `backend`, without upgrades or edits.
    pub fn to(backend: Rc<Backend>) -> Self {
        Self {
            backend,
            upgrades: Upgrades::Never,
            connect: false,
            timeouts: Timeouts::default(),
            response: None,
        }
    }
}

/// Changes the heads of responses, of a final status, on their way to the client.
pub trait EditResponse {
    /// Changes it in place. Hop-by-hop fields are gone already.
    fn edit(&self, head: &mut ResponseHead);
}

/// How long each part of an exchange may take. None: as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of the exchange to the end of the response. Not for tunnels.
    pub request: Option<Duration>,
    /// From the end of the request to the head of the response.
    pub response: Option<Duration>,
    /// Without a byte in either direction, within bodies.
    pub idle: Option<Duration>,
    /// Without a byte in either direction, after a change of protocol.
    pub tunnel_idle: Option<Duration>,
}

impl Default for Timeouts {
    /// 60 s for the response's head, 5 min within bodies, 1 h in tunnels.
    fn default() -> Self {
        Self {
            request: None,
            response: Some(Duration::from_secs(60)),
            idle: Some(Duration::from_secs(300)),
            tunnel_idle: Some(Duration::from_secs(3600)),
        }
    }
}
