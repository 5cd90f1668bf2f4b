//! Logs.

use std::sync::Arc;

use hyper::Response;
use jiff::Timestamp;
use manifest::meta::status::Status;
use node::logs::{LogError, LogRequest, Since};
use node::output::Stream;

use super::answer::{self, Body, Rejected};
use super::pods;
use super::query::Query;
use crate::server::Server;

/// GET on a Pod's log (`PodLogOptions`).
pub(crate) async fn get(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    query: &Query,
) -> Result<Response<Body>, Rejected> {
    let (_, control) = pods::find(server, namespace, name)?;
    let request = request(query)?;
    let mut log = control
        .logs(request)
        .await
        .map_err(|error| rejected(&error, name))?;
    let (sender, answer) = answer::stream("text/plain");
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = sender.closed() => return,
                piece = log.next() => match piece {
                    None => return,
                    Some(Ok(piece)) => if sender.send(piece.into()).await.is_err() {
                        return;
                    },
                    Some(Err(error)) => {
                        // The answer has begun: only its text can say so, as the kubelet does.
                        let _ = sender.send(format!("failed to read the log: {error}\n").into()).await;
                        return;
                    }
                }
            }
        }
    });
    Ok(answer)
}

fn request(query: &Query) -> Result<LogRequest, Rejected> {
    let seconds = query.parsed::<u64>("sinceSeconds")?;
    let time = query.parsed::<Timestamp>("sinceTime")?;
    let since = match (seconds, time) {
        (Some(_), Some(_)) => {
            return Err(Status::bad_request(
                "at most one of `sinceTime` or `sinceSeconds` may be specified",
            )
            .into());
        }
        (Some(seconds), None) => Some(Since::Seconds(seconds)),
        (None, time) => time.map(Since::Time),
    };
    Ok(LogRequest {
        container: query.get("container").map(str::to_owned),
        previous: query.is("previous"),
        follow: query.is("follow"),
        tail_lines: query.parsed("tailLines")?,
        since,
        timestamps: query.is("timestamps"),
        limit_bytes: query.parsed("limitBytes")?,
        stream: match query.get("stream") {
            Some("Stdout") => Some(Stream::Stdout),
            Some("Stderr") => Some(Stream::Stderr),
            None | Some("All") => None,
            Some(other) => {
                return Err(Status::bad_request(format!(
                    "invalid stream {other:?} (there are All, Stdout, Stderr)"
                ))
                .into());
            }
        },
    })
}

fn rejected(error: &LogError, pod: &str) -> Rejected {
    match error {
        LogError::PodGone => Status::not_found("pods", pod).into(),
        LogError::Read { source, .. } => {
            Status::failure(500, "InternalError", format!("{error}: {source}")).into()
        }
        _ => Status::bad_request(error.to_string()).into(),
    }
}
