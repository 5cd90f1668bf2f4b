//! What a worker thread does with a connection.

use std::future::poll_fn;
use std::rc::Rc;

use crate::exchange::decision::Router;
use crate::exchange::run::{self, Context, Observer};
use crate::http1::{After, Limits, ServerConnection};
use crate::transport::Transport;

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
    let client = transport.facts().clone();
    let context = Context {
        router: &*env.router,
        observer: &*env.observer,
        client: &client,
        body_timeout: env.limits.body_timeout,
    };
    let mut connection = ServerConnection::new(transport, Rc::clone(&env.limits));
    loop {
        match poll_fn(|cx| connection.poll_request(cx)).await {
            Ok(Some((request, length))) => {
                run::run(&mut connection, request, length, &context).await;
            }
            Ok(None) => return,
            Err(failure) => run::reject(&mut connection, failure, &context).await,
        }
        if poll_fn(|cx| connection.poll_finish(cx)).await == After::Closed {
            return;
        }
    }
}
