//! The data path alone, for measurements: `forward LISTEN BACKEND` passes plain HTTP/1 to one backend, on one thread.

use std::io;
use std::rc::Rc;

use pillion_proxy::backend::{Backend, Endpoint, Options};
use pillion_proxy::exchange::decision::{Decision, Forward, Router};
use pillion_proxy::exchange::run::{Observer, Record};
use pillion_proxy::message::RequestHead;
use pillion_proxy::transport::{Facts, Transport};
use pillion_proxy::worker::{Env, serve_connection};
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};

struct One(Rc<Backend>);

impl Router for One {
    fn decide(&self, _: &mut RequestHead, _: &Facts) -> Decision {
        Decision::Forward(Forward::to(Rc::clone(&self.0)))
    }
}

struct Nobody;

impl Observer for Nobody {
    fn finished(&self, _: &Record<'_>) {}
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, listen, backend] = arguments.as_slice() else {
        return Err(io::Error::other("usage: forward LISTEN BACKEND"));
    };
    let endpoint: Endpoint = backend.parse().map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(listen.as_str()).await?;
        let env = Rc::new(Env {
            router: Rc::new(One(Backend::new(Options::new(endpoint)))),
            observer: Rc::new(Nobody),
            limits: Rc::default(),
        });
        loop {
            let (stream, _) = listener.accept().await?;
            spawn_local(serve_connection(Transport::tcp(stream), Rc::clone(&env)));
        }
    })
}
