//! Answers that are made here.

use std::future::poll_fn;

use super::Downstream;
use super::decision::Response;
use super::pump::{Direction, Side};
use crate::message::framing::BodyLength;
use crate::message::{RequestHead, ResponseHead};
use crate::reason::{Failure, Reason};

/// The answer for a failure: its status, a line of text, and the reason in `Proxy-Status` (RFC 9209). What exactly was
/// wrong is for the log alone.
pub fn of_failure(failure: &Failure) -> Response {
    let reason = failure.reason;
    let mut head = ResponseHead::new(reason.status());
    let status = format!(
        "pillion; error={}; details=\"{}\"",
        reason.proxy_error(),
        reason.name()
    );
    head.headers_mut()
        .append_parsed(b"Content-Type", b"text/plain; charset=utf-8");
    head.headers_mut()
        .append_parsed(b"Proxy-Status", status.as_bytes());
    if reason.status() == 503 {
        head.headers_mut().append_parsed(b"Retry-After", b"1");
    }
    if reason == Reason::ConnectRefused {
        head.headers_mut()
            .append_parsed(b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
    let phrase = String::from_utf8_lossy(head.phrase()).into_owned();
    let text = format!("{} {phrase}: {reason}\n", reason.status());
    Response::bytes(head, text)
}

/// Sends an answer. `request` is what it answers, where that could be read. Gives the bytes of the body that were sent.
///
/// # Errors
/// [`Reason::ClientClosed`], or the failure of the body's source; the client sees that the answer is cut off.
pub async fn send<D: Downstream>(
    downstream: &mut D,
    request: Option<&RequestHead>,
    mut response: Response,
) -> Result<u64, Failure> {
    let head_only = request.is_some_and(RequestHead::is_head);
    if head_only {
        if let BodyLength::Known(length) = response.length {
            let length = length.to_string();
            let _ = response
                .head
                .headers_mut()
                .set("Content-Length", length.as_bytes());
        }
        response.length = BodyLength::None;
        response.body = None;
    }
    downstream.send_head(&response.head, response.length);
    let mut direction = Direction::new();
    let mut nothing = Nothing;
    let body: &mut dyn super::BodySource = match &mut response.body {
        Some(body) => body.as_mut(),
        None => &mut nothing,
    };
    let sent = poll_fn(|cx| direction.poll(cx, body, downstream, &mut false)).await;
    if let Err((side, failure)) = sent {
        if side == Side::Source {
            downstream.abort();
        }
        return Err(failure);
    }
    Ok(direction.bytes())
}

struct Nothing;

impl super::BodySource for Nothing {
    fn poll_chunk(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<Option<crate::buffer::Chunk>, Failure>> {
        std::task::Poll::Ready(Ok(None))
    }
}
