//! One exchange from the request's head to its record.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::Downstream;
use super::answer;
use super::decision::{Decision, Forward, Response, Router};
use super::forward::{Forwarding, Moved};
use super::replay::Replay;
use crate::backend::Lease;
use crate::message::framing::BodyLength;
use crate::message::{RequestHead, hop, policy};
use crate::reason::{Failure, Reason};
use crate::transport::Facts;

/// How an exchange went: for the access log and the metrics.
#[derive(Debug)]
pub struct Record<'a> {
    /// The request as it was forwarded. None: its head could not be read.
    pub request: Option<&'a RequestHead>,
    /// The client.
    pub client: &'a Facts,
    /// The status that the client got; 0 if none.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the response's body.
    pub sent: u64,
    /// How long it took, from the request's head on.
    pub took: Duration,
    /// Whether the request was sent a second time.
    pub replayed: bool,
    /// Why it did not go as asked.
    pub failure: Option<&'a Failure>,
}

/// Is told of each exchange when it is over. On the worker's thread: must not wait.
pub trait Observer {
    /// An exchange is over.
    fn finished(&self, record: &Record<'_>);
}

/// What an exchange needs to know besides its request.
pub struct Context<'a> {
    /// Decides what becomes of it.
    pub router: &'a dyn Router,
    /// Is told how it went.
    pub observer: &'a dyn Observer,
    /// The client.
    pub client: &'a Facts,
    /// Between the pieces of the request's body, while no response has begun.
    pub body_timeout: Duration,
}

/// What is put together in the course of an exchange.
#[derive(Default)]
struct Course {
    moved: Moved,
    replayed: bool,
    failure: Option<Failure>,
}

/// Takes a request to its response.
pub async fn run<D: Downstream>(
    downstream: &mut D,
    mut request: RequestHead,
    length: BodyLength,
    context: &Context<'_>,
) {
    let started = Instant::now();
    let mut course = Course::default();
    match decide(&mut request, length, context) {
        Decision::Refuse(failure) => {
            refuse(downstream, Some(&request), failure, context, &mut course).await;
        }
        Decision::Respond(response) => {
            respond(downstream, &request, response, &mut course).await;
        }
        Decision::Later(answer) => match answer.await {
            Ok(response) => respond(downstream, &request, response, &mut course).await,
            Err(failure) => refuse(downstream, Some(&request), failure, context, &mut course).await,
        },
        Decision::Forward(to) => {
            let forwarded = forward(
                downstream,
                &mut request,
                length,
                &to,
                context,
                started,
                &mut course,
            )
            .await;
            if let Err(failure) = forwarded {
                refuse(downstream, Some(&request), failure, context, &mut course).await;
            }
        }
    }
    finish(Some(&request), started, context, &course);
}

/// Answers a request whose head could not be taken.
pub async fn reject<D: Downstream>(downstream: &mut D, failure: Failure, context: &Context<'_>) {
    let started = Instant::now();
    let mut course = Course::default();
    refuse(downstream, None, failure, context, &mut course).await;
    finish(None, started, context, &course);
}

fn finish(request: Option<&RequestHead>, started: Instant, context: &Context<'_>, course: &Course) {
    context.observer.finished(&Record {
        request,
        client: context.client,
        status: course.moved.status,
        received: course.moved.received,
        sent: course.moved.sent,
        took: started.elapsed(),
        replayed: course.replayed,
        failure: course.failure.as_ref(),
    });
}

fn decide(request: &mut RequestHead, length: BodyLength, context: &Context<'_>) -> Decision {
    if let Err(failure) = policy::check_request(request) {
        return Decision::Refuse(failure);
    }
    hop::strip_request(
        request,
        !matches!(length, BodyLength::None | BodyLength::Known(0)),
    );
    let decision = context.router.decide(request, context.client);
    let Decision::Forward(to) = &decision else {
        return decision;
    };
    let allowed = request
        .protocol()
        .is_none_or(|protocol| to.upgrades.allow(protocol));
    if request.method() == "CONNECT" {
        let tunnel = if request.protocol().is_some() {
            allowed
        } else {
            to.connect
        };
        if !tunnel {
            let detail = "CONNECT where no route asks for it";
            return Decision::Refuse(Failure::new(Reason::ConnectRefused, detail));
        }
    } else if !allowed {
        let _ = request.set_protocol(None);
    }
    decision
}

/// Sends an answer that was made here.
async fn respond<D: Downstream>(
    downstream: &mut D,
    request: &RequestHead,
    response: Response,
    course: &mut Course,
) {
    course.moved.status = response.head.status();
    match answer::send(downstream, Some(request), response).await {
        Ok(sent) => course.moved.sent = sent,
        Err(failure) => course.failure = Some(failure),
    }
}

/// Answers with a failure, unless nobody is there to read it.
async fn refuse<D: Downstream>(
    downstream: &mut D,
    request: Option<&RequestHead>,
    failure: Failure,
    context: &Context<'_>,
    course: &mut Course,
) {
    if failure.reason != Reason::ClientClosed {
        // Where the next request would begin is in doubt, or too far away.
        if matches!(failure.reason.status(), 400 | 408 | 413) {
            downstream.distrust();
        }
        let response = context.router.refusal(&failure);
        course.moved.status = response.head.status();
        if let Ok(sent) = answer::send(downstream, request, response).await {
            course.moved.sent = sent;
        }
    } else {
        downstream.abort();
    }
    course.failure = Some(failure);
}

/// Forwards a request, a second time if the first connection turned out to be closed already.
///
/// # Errors
/// Why there was no response; the client has got nothing.
async fn forward<D: Downstream>(
    downstream: &mut D,
    request: &mut RequestHead,
    length: BodyLength,
    to: &Forward,
    context: &Context<'_>,
    started: Instant,
    course: &mut Course,
) -> Result<(), Failure> {
    let mut replay = Replay::default();
    let mut lease = match to.backend.idle(context.client) {
        Some(lease) => lease,
        None => connect(downstream, to, context).await?,
    };
    loop {
        if lease.reused {
            replay.keep();
        }
        let edits = to.response.as_deref();
        let mut forwarding = Forwarding::new(
            downstream,
            &mut lease.connection,
            request,
            length,
            &mut replay,
            edits,
            to.timeouts,
            context.body_timeout,
            started,
        );
        let result = poll_fn(|cx| forwarding.poll(cx)).await;
        let unanswered = forwarding.is_unanswered();
        course.moved = forwarding.moved();
        downstream.deadline().clear();
        match result {
            Ok(()) => {
                lease.release();
                return Ok(());
            }
            Err(failure) if !unanswered => {
                downstream.abort();
                course.failure = Some(failure);
                return Ok(());
            }
            Err(failure) => {
                // The backend closed an idle connection while the request was on its way: a new one will do.
                let again = lease.reused
                    && failure.reason == Reason::BackendClosed
                    && may_repeat(request)
                    && replay.rewind();
                if !again {
                    return Err(failure);
                }
            }
        }
        course.replayed = true;
        lease.backend.met_closed();
        lease = connect(downstream, to, context).await?;
    }
}

/// Whether the request does no harm if the backend sees it twice: by its method, or because the client says that the
/// backend recognises it.
fn may_repeat(request: &RequestHead) -> bool {
    request.is_idempotent() || request.headers().get("Idempotency-Key").is_some()
}

/// A new connection, unless the client goes away before there is one.
async fn connect<D: Downstream>(
    downstream: &mut D,
    to: &Forward,
    context: &Context<'_>,
) -> Result<Lease, Failure> {
    let mut connecting = pin!(to.backend.connect(context.client));
    poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected);
        }
        if downstream.poll_closed(cx).is_ready() {
            let detail = "the client closed while a connection to the backend was made";
            return Poll::Ready(Err(Failure::new(Reason::ClientClosed, detail)));
        }
        Poll::Pending
    })
    .await
}
