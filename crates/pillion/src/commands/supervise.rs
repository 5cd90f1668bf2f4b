//! `pillion supervise`: the process that owns one detached Pod.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use control::{Registry, Server};
use node::detached::{self, Greeting, Record};
use node::output::{Message, Output};
use node::paths::Paths;
use node::state::Ownership;
use node::{Endpoint, Node, Observer, Options, PodHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Failure, runtime};
use crate::cli::Global;
use crate::exit;
use crate::term::causes;

pub(crate) fn run(uid: &str, global: &Global) -> Result<ExitCode, Failure> {
    let lock =
        detached::take_lock().map_err(|error| Failure::new("take the Pod's lock".into(), error))?;
    // It lives on when the terminal that it was started from does not.
    let _ = rustix::process::setsid();
    runtime()?.block_on(async {
        match begin(uid, global, lock).await {
            Ok((handle, server, messages)) => {
                greet(&Greeting::Ready)?;
                supervise(handle, server, messages).await?;
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

type Begun = (PodHandle, Arc<Server>, UnboundedReceiver<Message>);

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
    let options = Options {
        root: global.root.clone(),
        pull: request.pull,
        ..Options::default()
    };
    let (output, messages) = Output::channel();
    let node = Node::open(options, output, Arc::clone(&registry) as Arc<dyn Observer>)
        .await
        .map_err(|error| Failure::new("cannot run Pods on this machine".into(), error))?;
    let server = Server::start(&node, registry)
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    let handle = node
        .adopt(uid, lock)
        .map_err(|error| Failure::new("nothing was started".into(), error))?;
    server
        .add(&handle)
        .map_err(|error| Failure::new(failed("answer for the Pod"), error))?;
    Ok((handle, server, messages))
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
async fn supervise(
    handle: PodHandle,
    server: Arc<Server>,
    mut messages: UnboundedReceiver<Message>,
) -> Result<(), Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new("listen for signals".into(), error));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
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
                return Ok(());
            }
            Some(message) = messages.recv() => if let Message::Note(note) = message {
                log(&note);
            },
            _ = terminate.recv() => control.shut_down(),
            _ = interrupt.recv() => control.shut_down(),
        }
    }
}

/// Into the Pod's `supervisor.log`, which is standard error.
fn log(line: &str) {
    let now = jiff::Timestamp::now();
    let _ = writeln!(std::io::stderr().lock(), "{now:.0} {line}");
}
