//! What the verbs that talk to running programs share.

pub(crate) mod containers;
pub(crate) mod select;
pub(crate) mod session;
pub(crate) mod targets;
pub(crate) mod until;
pub(crate) mod waits;

use std::io;
use std::process::ExitCode;

use client::{Client, PodName, Query};
use manifest::core::v1::{Pod, PodPhase};
use node::paths::Paths;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::oneshot;

use self::targets::{Kind, Target};
use super::Failure;
use crate::cli::{AnyScope, Global};
use crate::exit;
use crate::term::Term;

/// The running programs of the root that is meant.
pub(crate) fn client(global: &Global) -> Client {
    // Each program that is asked takes a descriptor; shells give out few.
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it is refused, few will do.
    let _ = setrlimit(Resource::Nofile, most);
    Client::new(Paths::new(global.root.as_deref()).run)
}

/// Does something that waits for others.
pub(crate) fn block_on<T>(what: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = super::runtime()?;
    let done = runtime.block_on(what);
    // A terminal that takes nothing any more is not waited for.
    runtime.shutdown_background();
    done
}

/// Does something that goes on, until it ends or nobody reads what it prints any more (`| head`).
pub(crate) fn stream<T>(what: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    block_on(async {
        tokio::select! {
            done = what => done,
            () = reader_gone() => Err(Failure::output(io::ErrorKind::BrokenPipe.into())),
        }
    })
}

/// Until the other end of a pipe that is standard output is closed. A write would say it, but the next may be hours away.
async fn reader_gone() {
    let (gone, told) = oneshot::channel();
    // A thread of its own, which ends with the program: the runtime would wait for one of its own.
    std::thread::spawn(move || {
        let out = io::stdout();
        let gone_flags = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        loop {
            let mut fds = [PollFd::new(&out, PollFlags::empty())];
            match poll(&mut fds, None) {
                Ok(_) if fds[0].revents().intersects(gone_flags) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
        let _ = gone.send(());
    });
    if told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Tells errors that do not end a command; returns whether there were any.
pub(crate) fn report<E: Into<Failure>>(errors: Vec<E>, term: &Term) -> bool {
    let some = !errors.is_empty();
    for error in errors {
        error.into().report(term);
    }
    some
}

/// The exit code of a command, some of which may have failed.
pub(crate) fn exit_code(failed: bool) -> ExitCode {
    if failed {
        exit::FAILURE.into()
    } else {
        exit::SUCCESS.into()
    }
}

/// What is selected of a kind, where it is looked for.
pub(crate) fn query(
    resource: client::Resource,
    scope: &AnyScope,
    labels: Option<&str>,
    fields: Option<&str>,
) -> Query {
    let mut query = Query::new(resource);
    if let Some(namespace) = scope.one() {
        query = query.namespace(namespace);
    }
    if let Some(selector) = labels {
        query = query.labels(selector);
    }
    if let Some(selector) = fields {
        query = query.fields(selector);
    }
    query
}

/// Says that there is nothing.
pub(crate) fn nothing_found(scope: &AnyScope, term: &Term) {
    term.remark(&match scope.one() {
        Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
        None => "No resources found\n".to_owned(),
    });
}

/// A Pod by `NAME` or `pod/NAME`.
pub(crate) fn pod_name(argument: &str, namespace: &str) -> Result<PodName, Failure> {
    if !argument.contains('/') {
        return Ok(PodName::new(namespace, argument));
    }
    match targets::parse(&[argument.to_owned()])?.as_slice() {
        [Target::One(Kind::Pods, name)] => Ok(PodName::new(namespace, name)),
        _ => Err(Failure::text(format!("{argument} is no Pod"))),
    }
}

/// Refuses what needs a container that runs, in kubectl's words.
pub(crate) fn refuse_ended(pod: &Pod, what: &str) -> Result<(), Failure> {
    let phase = pod.status.as_ref().and_then(|status| status.phase);
    match phase {
        Some(phase @ (PodPhase::Succeeded | PodPhase::Failed)) => Err(Failure::text(format!(
            "cannot {what} in a completed pod; current phase is {phase}"
        ))),
        _ => Ok(()),
    }
}
