//! What a worker thread does with a connection.

mod accept;
mod drain;
mod place;
mod session;
mod shared;
mod thread;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use crate::exchange::decision::Router;
use crate::exchange::run::{self as exchange, Context, Observer};
use crate::http1::{After, Limits, ServerConnection};
use crate::transport::Transport;

pub use drain::{Drain, Lifetime};
pub use shared::Shared;
pub use thread::{Order, run};

#[cfg(test)]
mod tests;

/// What the connections of a worker have in common.
pub struct Env {
    /// Decides what becomes of requests.
    pub router: Rc<dyn Router>,
    /// Is told of exchanges.
    pub observer: Rc<dyn Observer>,
    /// What clients may ask for.
    pub limits: Rc<Limits>,
}

/// Serves HTTP/1 on a connection until it is closed.
pub async fn serve_connection(transport: Transport, env: Rc<Env>) {
    serve_http1(transport, env, &Drain::default()).await;
}

/// Serves HTTP/1 on a connection until it is closed, or its time is over.
pub async fn serve_http1(transport: Transport, env: Rc<Env>, lifetime: &dyn Lifetime) {
    let client = transport.facts().clone();
    let context = Context {
        router: &*env.router,
        observer: &*env.observer,
        client: &client,
        body_timeout: env.limits.body_timeout,
    };
    let mut connection = ServerConnection::new(transport, Rc::clone(&env.limits));
    let mut draining = false;
    let mut drain = pin!(lifetime.drain().begins());
    loop {
        let next = poll_fn(|cx| {
            if let Poll::Ready(next) = connection.poll_request(cx) {
                return Poll::Ready(next);
            }
            draining = draining || drain.as_mut().poll(cx).is_ready();
            if draining && connection.is_idle() {
                return Poll::Ready(Ok(None));
            }
            Poll::Pending
        });
        match next.await {
            Ok(Some((request, length))) => {
                if lifetime.is_last_response() {
                    connection.close_after_response();
                }
                exchange::run(&mut connection, request, length, &context).await;
            }
            Ok(None) => return,
            Err(failure) => exchange::reject(&mut connection, failure, &context).await,
        }
        if poll_fn(|cx| connection.poll_finish(cx)).await == After::Closed {
            return;
        }
    }
}
