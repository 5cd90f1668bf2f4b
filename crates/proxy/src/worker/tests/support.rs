//! A proxy in front of a backend that says what the test makes it say.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use crate::backend::{Backend, Endpoint, Options};
use crate::exchange::decision::{Decision, Forward, Response, Router, Timeouts, Upgrades};
use crate::exchange::run::{Observer, Record};
use crate::http1::Limits;
use crate::message::{RequestHead, ResponseHead};
use crate::reason::Reason;
use crate::transport::{Facts, Transport};
use crate::worker::{Env, serve_connection};

/// How the proxy under test is set up.
pub(super) struct Setup {
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) upgrades: Upgrades,
    pub(super) connect: bool,
    pub(super) options: Options,
}

impl Setup {
    /// The defaults, in front of a backend at `endpoint`, without patience for one that does not listen.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let mut options = Options::new(endpoint);
        options.hold.time = Duration::ZERO;
        Self {
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            upgrades: Upgrades::Never,
            connect: false,
            options,
        }
    }
}

/// A proxy that listens.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    pub(super) backend: Rc<Backend>,
    pub(super) seen: Rc<Seen>,
}

/// What the proxy reported.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) reasons: RefCell<Vec<Option<Reason>>>,
    pub(super) replays: Cell<usize>,
}

impl Observer for Seen {
    fn finished(&self, record: &Record<'_>) {
        self.reasons
            .borrow_mut()
            .push(record.failure.map(|failure| failure.reason));
        self.replays
            .set(self.replays.get() + usize::from(record.replayed));
    }
}

struct Routes {
    backend: Rc<Backend>,
    upgrades: Upgrades,
    connect: bool,
    timeouts: Timeouts,
}

impl Router for Routes {
    fn decide(&self, head: &mut RequestHead, _: &Facts) -> Decision {
        if head.path() == b"/here" {
            return Decision::Respond(Response::bytes(ResponseHead::new(200), "made here\n"));
        }
        Decision::Forward(Forward {
            upgrades: self.upgrades,
            connect: self.connect,
            timeouts: self.timeouts,
            ..Forward::to(Rc::clone(&self.backend))
        })
    }
}

impl Proxy {
    pub(super) async fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let backend = Backend::new(setup.options);
        let seen = Rc::new(Seen::default());
        let env = Rc::new(Env {
            router: Rc::new(Routes {
                backend: Rc::clone(&backend),
                upgrades: setup.upgrades,
                connect: setup.connect,
                timeouts: setup.timeouts,
            }),
            observer: Rc::clone(&seen) as Rc<dyn Observer>,
            limits: Rc::new(setup.limits),
        });
        tokio::task::spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(serve_connection(Transport::tcp(stream), Rc::clone(&env)));
            }
        });
        Self {
            address,
            backend,
            seen,
        }
    }

    pub(super) async fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// What a connection of its own answers to `bytes`, up to its end.
    pub(super) async fn ask(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(bytes).await;
        client.rest().await
    }

    pub(super) fn reasons(&self) -> Vec<Option<Reason>> {
        self.seen.reasons.borrow().clone()
    }
}

/// One end of a connection, in bytes.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> Self {
        // The kernel would hold small writes back for a time that no test's clock shows.
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The other side may have refused already.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// What comes up to and with `end`; fails the test where the other side ends before.
    pub(super) async fn until(&mut self, end: &str) -> String {
        if end.is_empty() {
            return String::new();
        }
        loop {
            let found = self
                .read
                .windows(end.len())
                .position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + end.len());
                let read = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(read).unwrap();
            }
            let count = self.stream.read_buf(&mut self.read).await.unwrap();
            assert!(
                count > 0,
                "no {end:?} in {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    /// A head and the body that `Content-Length` says.
    pub(super) async fn message(&mut self) -> String {
        let head = self.until("\r\n\r\n").await;
        let length = head.to_ascii_lowercase();
        let length = length
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| {
                rest.split("\r\n").next().unwrap().parse::<usize>().unwrap()
            });
        while self.read.len() < length {
            assert!(
                self.stream.read_buf(&mut self.read).await.unwrap() > 0,
                "after {head:?}"
            );
        }
        let body: Vec<u8> = self.read.drain(..length).collect();
        head + &String::from_utf8(body).unwrap()
    }

    /// All that comes until the end; `[reset]` behind it if that is an error.
    pub(super) async fn rest(&mut self) -> String {
        loop {
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => {
                    self.read.extend_from_slice(b"[reset]");
                    break;
                }
            }
        }
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }
}

/// A backend of the test's making.
pub(super) struct App {
    listener: TcpListener,
}

impl App {
    pub(super) async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::Address(self.listener.local_addr().unwrap())
    }

    pub(super) async fn accept(&self) -> Client {
        Client::new(self.listener.accept().await.unwrap().0)
    }
}

/// Runs a test on one thread, as a worker does. Where it waits for what never comes, it fails.
pub(super) async fn local<T>(test: impl Future<Output = T>) -> T {
    within(Duration::from_secs(60), test).await
}

/// As [`local`], on a clock that goes on by seconds, whenever what the kernel has to say was heard many times over. (Left
/// to itself, tokio's paused clock goes to the next deadline also when bytes have just arrived.)
pub(super) async fn paused<T>(test: impl Future<Output = T>) -> T {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    // While a blocking task runs, the clock does not go on by itself.
    let inhibitor = tokio::task::spawn_blocking(move || held.recv());
    let clocked = async {
        tokio::task::spawn_local(async {
            loop {
                for _ in 0..10 {
                    for _ in 0..25 {
                        tokio::task::yield_now().await;
                    }
                    // On a busy machine the kernel may need the core to deliver what was sent.
                    std::thread::sleep(Duration::from_micros(50));
                }
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        });
        test.await
    };
    let given = within(Duration::from_secs(100_000), clocked).await;
    drop(hold);
    let _ = inhibitor.await;
    given
}

async fn within<T>(limit: Duration, test: impl Future<Output = T>) -> T {
    let all = tokio::time::timeout(limit, test);
    let done = LocalSet::new().run_until(all).await;
    done.expect("the test waits for what never comes")
}

/// A proxy and its app, with what `change` changes.
pub(super) async fn pair(change: impl FnOnce(&mut Setup)) -> (Proxy, App) {
    let app = App::start().await;
    let mut setup = Setup::new(app.endpoint());
    change(&mut setup);
    (Proxy::start(setup).await, app)
}
