//! Answers: JSON, `Status`, streams.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, TRAILER};
use hyper::{Request, Response, StatusCode};
use manifest::meta::status::Status;
use serde::Serialize;
use tokio::sync::mpsc;

/// The body of every answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A request that is not done, with the reason.
#[derive(Debug)]
pub(crate) struct Rejected(pub(crate) Box<Status>);

impl From<Status> for Rejected {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

/// The answer to a request that is not done.
pub(crate) fn rejected(Rejected(status): Rejected) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = json(&*status);
    *answer.status_mut() = code;
    answer
}

/// An object.
pub(crate) fn json(object: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(object) {
        Ok(text) => with_type("application/json", full(text.into())),
        Err(error) => {
            let what = format!("write the answer: {error}");
            let mut answer = with_type("text/plain", full(what.into()));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        }
    }
}

/// Text.
pub(crate) fn text(content: &'static str) -> Response<Body> {
    with_type("text/plain", full(content.into()))
}

/// An answer whose connection becomes something else.
pub(crate) fn wired(answer: Response<Bytes>) -> Response<Body> {
    answer.map(full)
}

/// The body of a request that is small.
pub(crate) async fn whole(request: Request<Incoming>, limit: usize) -> Result<Bytes, Rejected> {
    let body = Limited::new(request.into_body(), limit).collect().await;
    body.map(|body| body.to_bytes())
        .map_err(|error| Status::bad_request(format!("read the request: {error}")).into())
}

/// A body that grows while it is read, in pieces; the sender waits for the reader.
pub(crate) fn stream(content_type: &'static str) -> (mpsc::Sender<Bytes>, Response<Body>) {
    let (sender, receiver) = mpsc::channel(8);
    let body = Growing(receiver).map_err(|never| match never {});
    (sender, with_type(content_type, body.boxed_unsync()))
}

/// The same, for what must not be taken for whole when it is not: an error breaks the connection off. What is to be said at the
/// end is a trailer of this name.
pub(crate) fn breakable(
    content_type: &'static str,
    trailer: HeaderName,
) -> (mpsc::Sender<io::Result<Frame<Bytes>>>, Response<Body>) {
    let (sender, receiver) = mpsc::channel(8);
    let mut answer = with_type(content_type, Growing(receiver).boxed_unsync());
    answer.headers_mut().insert(TRAILER, trailer.into());
    (sender, answer)
}

fn full(content: Bytes) -> Body {
    Full::new(content)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn with_type(content_type: &'static str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

struct Growing<T>(mpsc::Receiver<T>);

impl hyper::body::Body for Growing<Bytes> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

impl hyper::body::Body for Growing<io::Result<Frame<Bytes>>> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context)
    }
}
