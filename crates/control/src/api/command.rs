//! Exec and attach: the streams of a process, carried over the client's connection.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use manifest::core::v1::Pod;
use manifest::meta::status::Status;
use node::PodControl;
use node::session::{
    AttachRequest, ExecRequest, Session, SessionError, SessionOutput, TerminalSize,
};
use streaming::server::{self as wire, CommandSession};
use streaming::{Outcome, StreamWriter, Streams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answer::{Body, Rejected, wired};
use super::pods;
use super::query::Query;
use crate::server::Server;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Exec,
    Attach,
}

/// Something else may still hold a process' output open when the process has ended: so long it may say nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// How long the size of a client's terminal is waited for before its process begins.
const FIRST_SIZE: Duration = Duration::from_millis(200);

/// GET (WebSocket) or POST (SPDY) on a Pod's exec or attach.
pub(crate) fn answer(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    kind: Kind,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let query = Query::of(request.uri());
    let streams =
        Streams::from_query(request.uri().query().unwrap_or_default()).map_err(Rejected)?;
    let (pod, control) = pods::find(server, namespace, name)?;
    let container = container(&pod, query.get("container"))?;
    let command: Vec<String> = query.all("command").map(str::to_owned).collect();
    if kind == Kind::Exec && command.is_empty() {
        return Err(
            Status::bad_request("you must specify at least 1 command for the container").into(),
        );
    }
    let (answer, pending) = wire::command(&mut request, streams);
    if let Some(pending) = pending {
        tokio::spawn(async move {
            // A client that has left by now wanted nothing.
            let Ok(mut client) = pending.session().await else {
                return;
            };
            let begun = match kind {
                Kind::Exec => {
                    let request = ExecRequest {
                        container,
                        command,
                        stdin: streams.stdin,
                        stdout: streams.stdout,
                        stderr: streams.stderr,
                        tty: streams.tty,
                        size: first_size(&mut client).await,
                    };
                    control.exec(request).await
                }
                Kind::Attach => attach(&control, container, streams).await,
            };
            match begun {
                Ok(session) => carry(session, client, kind).await,
                Err(error) => {
                    let _ = client.end.finish(Outcome::internal_error(error)).await;
                }
            }
        });
    }
    Ok(wired(answer))
}

/// The size of the client's terminal, which clients tell as the first thing, if they tell it at all: what begins on a terminal
/// looks at its size at once.
async fn first_size(client: &mut CommandSession) -> Option<TerminalSize> {
    let sizes = client.sizes.as_mut()?;
    let first = tokio::time::timeout(FIRST_SIZE, sizes.next()).await;
    first.ok().flatten().map(size)
}

fn size(size: streaming::TerminalSize) -> TerminalSize {
    TerminalSize {
        rows: size.height,
        columns: size.width,
    }
}

async fn attach(
    control: &PodControl,
    container: String,
    streams: Streams,
) -> Result<Session, SessionError> {
    control
        .attach(AttachRequest {
            container,
            stdin: streams.stdin,
            stdout: streams.stdout,
            stderr: streams.stderr,
        })
        .await
}

/// The container that is meant, in the API server's words where none or a wrong one is.
pub(crate) fn container(pod: &Pod, wanted: Option<&str>) -> Result<String, Rejected> {
    let spec = &pod.spec;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let mut all = spec.containers.iter().chain(&spec.init_containers);
    match (wanted, spec.containers.as_slice()) {
        (Some(wanted), _) if all.any(|known| known.name == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => Err(Status::bad_request(format!(
            "container {wanted} is not valid for pod {name}"
        ))
        .into()),
        (None, [only]) => Ok(only.name.clone()),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|known| known.name.as_str()).collect();
            Err(Status::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                names.join(" ")
            ))
            .into())
        }
    }
}

/// Carries bytes and sizes until the process ends or the client goes.
async fn carry(mut session: Session, client: CommandSession, kind: Kind) {
    let CommandSession {
        stdin: from,
        stdout,
        stderr,
        sizes,
        end,
    } = client;
    let input = session.stdin.take();
    let inputs = tokio::spawn(async move {
        if let (Some(mut from), Some(mut input)) = (from, input) {
            // Either end may close first; both are then closed.
            let _ = tokio::io::copy(&mut from, &mut input).await;
            let _ = input.shutdown().await;
        }
    });
    let outputs = (session.stdout.take(), session.stderr.take());
    let sized = async {
        if let Some(mut sizes) = sizes {
            while let Some(next) = sizes.next().await {
                // A terminal that is gone needs no size.
                let _ = session.resize(size(next));
            }
        }
        std::future::pending::<()>().await;
    };
    let run = async {
        tokio::join!(
            output(outputs.0, stdout, &session),
            output(outputs.1, stderr, &session),
            session.wait(),
        )
        .2
    };
    let code = tokio::select! {
        code = run => Some(code),
        () = end.gone() => None,
        () = sized => None,
    };
    inputs.abort();
    if let Some(code) = code {
        let outcome = match kind {
            Kind::Exec => Outcome::of_code(code),
            // The container's own end is no result of attaching to it.
            Kind::Attach => Outcome::Success,
        };
        let _ = end.finish(outcome).await;
    }
}

/// Carries one output until it ends, or its process has ended and it is silent.
async fn output(from: Option<SessionOutput>, to: Option<StreamWriter>, session: &Session) {
    let (Some(mut from), Some(mut to)) = (from, to) else {
        return;
    };
    let mut buffer = vec![0; 32 << 10];
    loop {
        let silent = async {
            session.wait().await;
            tokio::time::sleep(SILENCE).await;
        };
        let read = tokio::select! {
            biased;
            read = from.read(&mut buffer) => read,
            () = silent => return,
        };
        match read {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                if to.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown().await;
}
