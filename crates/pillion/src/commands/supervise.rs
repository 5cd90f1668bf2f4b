//! `pillion supervise`: the process that owns one detached Pod.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use control::{Registry, Server};
use node::detached::{self, Coming, Greeting, Record};
use node::output::{Message, Output};
use node::paths::Paths;
use node::state::Ownership;
use node::{Endpoint, Node, Observer, Options, PodHandle, PullPolicyOverride};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Failure, runtime};
use crate::cli::Global;
use crate::exit;
use crate::term::causes;

pub(crate) fn run(uid: &str, global: &Global) -> Result<ExitCode, Failure> {
    let coming =
        Coming::take().map_err(|error| Failure::new(format!("go on with Pod {uid}"), error))?;
    if let Some(coming) = coming {
        return go_on(uid, global, coming);
    }
    let lock =
        detached::take_lock().map_err(|error| Failure::new("take the Pod's lock".into(), error))?;
    // It lives on when the terminal that it was started from does not.
    let _ = rustix::process::setsid();
    runtime()?.block_on(async {
        match begin(uid, global, lock).await {
            Ok(begun) => {
                let signals = Signals::listen()?;
                greet(&Greeting::Ready)?;
                supervise(begun, signals).await;
                Ok(exit::SUCCESS.into())
            }
            Err(failure) => {
                let paths = Paths::new(global.root.as_deref());
                // What has never begun is as if it had not been asked for.
                if let Err(error) = Record::new(paths.pod(uid)).take_back(&paths) {
                    log(&causes(&error));
                }
                greet(&Greeting::Refused(causes(&failure)))?;
                Err(failure)
            }
        }
    })
}

/// In a program that took the place of another one: the Pod goes on.
fn go_on(uid: &str, global: &Global, coming: Coming) -> Result<ExitCode, Failure> {
    let restarts = coming.restarts();
    runtime()?.block_on(async {
        let begun = resume(uid, global, coming).await?;
        let signals = Signals::listen()?;
        detached::let_signals_come()
            .map_err(|error| Failure::new("listen for signals".into(), error))?;
        let version = env!("CARGO_PKG_VERSION");
        log(&format!(
            "started again (restart {restarts}), version {version}"
        ));
        supervise(begun, signals).await;
        Ok(exit::SUCCESS.into())
    })
}

/// What a supervisor has.
struct Begun {
    handle: PodHandle,
    server: Arc<Server>,
    registry: Arc<Registry>,
    messages: UnboundedReceiver<Message>,
}

async fn begin(uid: &str, global: &Global, lock: Ownership) -> Result<Begun, Failure> {
    let failed = |what: &str| format!("{what} (Pod {uid})");
    let paths = Paths::new(global.root.as_deref());
    let record = Record::new(paths.pod(uid));
    let request = record
        .request()
        .map_err(|error| Failure::new(failed("take the Pod over"), error))?;
    let endpoint = Endpoint::open(&paths, uid)
        .map_err(|error| Failure::new(failed("open the Pod's socket"), error))?;
    let registry = Arc::new(Registry::new(endpoint));
    let (output, messages) = Output::channel();
    let options = options(global, request.pull);
    let node = Node::open(options, output, Arc::clone(&registry) as Arc<dyn Observer>)
        .await
        .map_err(|error| Failure::new("cannot run Pods on this machine".into(), error))?;
    let server = Server::start(&node, Arc::clone(&registry))
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    let handle = node
        .adopt(uid, lock)
        .map_err(|error| Failure::new("nothing was started".into(), error))?;
    server
        .add(&handle)
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    Ok(Begun {
        handle,
        server,
        registry,
        messages,
    })
}

async fn resume(uid: &str, global: &Global, mut coming: Coming) -> Result<Begun, Failure> {
    let failed = |what: &str| format!("{what} (Pod {uid})");
    let paths = Paths::new(global.root.as_deref());
    let request = Record::new(paths.pod(uid))
        .request()
        .map_err(|error| Failure::new(failed("go on with the Pod"), error))?;
    let (endpoint, events) = coming
        .endpoint(&paths, uid)
        .map_err(|error| Failure::new(failed("go on at the Pod's socket"), error))?;
    let registry = Arc::new(Registry::with_events(endpoint, events));
    let (output, messages) = Output::channel();
    let observer = Arc::clone(&registry) as Arc<dyn Observer>;
    let options = options(global, request.pull);
    let node = Node::reopen(options, output, observer, &mut coming)
        .await
        .map_err(|error| Failure::new("cannot run Pods on this machine".into(), error))?;
    let handle = node
        .resume(coming)
        .map_err(|error| Failure::new(failed("go on with the Pod"), error))?;
    let server = Server::start(&node, Arc::clone(&registry))
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    server
        .add(&handle)
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    Ok(Begun {
        handle,
        server,
        registry,
        messages,
    })
}

fn options(global: &Global, pull: Option<PullPolicyOverride>) -> Options {
    Options {
        root: global.root.clone(),
        pull,
        ..Options::default()
    }
}

/// One line to whoever started us, who then stops listening.
fn greet(greeting: &Greeting) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new("say that the Pod is there".into(), error);
    let line = serde_json::to_string(greeting).map_err(|error| failed(error.into()))?;
    // Whoever started us may be gone, and is not needed.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush());
    let nothing = std::fs::File::options()
        .write(true)
        .open("/dev/null")
        .map_err(failed)?;
    rustix::stdio::dup2_stdout(&nothing).map_err(|error| failed(error.into()))
}

/// Until the Pod has been deleted, or the machine goes down.
async fn supervise(begun: Begun, mut signals: Signals) {
    let Begun {
        handle,
        server,
        registry,
        mut messages,
    } = begun;
    let control = handle.control();
    let gone = handle.gone();
    tokio::pin!(gone);
    loop {
        tokio::select! {
            outcome = &mut gone => {
                for leftover in outcome.leftovers {
                    log(&format!("left behind: {leftover}"));
                }
                server.finish().await;
                return;
            }
            Some(message) = messages.recv() => if let Message::Note(note) = message {
                log(&note);
            },
            _ = signals.terminate.recv() => control.shut_down(),
            _ = signals.interrupt.recv() => control.shut_down(),
            _ = signals.hangup.recv() => match detached::try_program().await {
                Ok(()) => {
                    let registry = Arc::clone(&registry);
                    control.restart(move |going| going.begin(registry.endpoint(), registry.kept_events()));
                }
                Err(error) => log(&format!("not started again, all goes on as before: {error}")),
            },
        }
    }
}

/// What a supervisor listens for.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// To begin anew, as a newer program if there is one.
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new("listen for signals".into(), error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

/// Into the Pod's `supervisor.log`, which is standard error.
fn log(line: &str) {
    let now = jiff::Timestamp::now();
    let _ = writeln!(std::io::stderr().lock(), "{now:.0} {line}");
}
