//! What Kubernetes has no word for: `/apis/pillion.dev/v1/namespaces/NAMESPACE/pods/NAME/...`.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use manifest::core::v1::Pod;
use manifest::meta::status::Status;
use node::detached::{self, References};
use node::session::ArchiveError;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answer::{self, Body, Rejected};
use super::query::Query;
use super::{command, not_found, pods};
use crate::server::Server;

/// The trailer that says what was left out of an archive: sentences, with a tabulator between them.
const SKIPPED: HeaderName = HeaderName::from_static("pillion-skipped");

/// Trailers longer than 16 KiB are refused.
const LONGEST_TRAILER: usize = 8 << 10;

/// Bytes of an archive that are read at once.
const ARCHIVE_PIECE: usize = 64 << 10;

/// More than the manifests of one Pod can be, in bytes: a ConfigMap or Secret may have 1 MiB.
const LARGEST_CHANGE: usize = 64 << 20;

/// What a detached Pod is to be from now on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Change {
    /// The Pod, and what `run` was told about it.
    pub request: detached::Request,
    /// What it refers to.
    pub references: References,
}

/// Answers a request about one Pod.
pub(crate) async fn answer(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    rest: &[&str],
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    match (request.method(), rest) {
        (&Method::GET, ["timeline"]) => {
            let (_, control) = pods::find(server, namespace, name)?;
            let timeline = control.timeline().await;
            Ok(answer::json(
                &timeline.ok_or_else(|| Status::not_found("pods", name))?,
            ))
        }
        (&Method::GET, ["waits"]) => {
            let (_, control) = pods::find(server, namespace, name)?;
            let after = Query::of(request.uri()).parsed("newerThan")?;
            let waits = control.waits(after).await;
            Ok(answer::json(
                &*waits.ok_or_else(|| Status::not_found("pods", name))?,
            ))
        }
        (&Method::GET, ["archive"]) => archive_out(server, namespace, name, &request).await,
        (&Method::PUT, ["archive"]) => archive_in(server, namespace, name, request).await,
        (&Method::PUT, ["request"]) => change(server, namespace, name, request).await,
        _ => Err(not_found()),
    }
}

/// Which file or folder of which container.
fn place(pod: &Pod, query: &Query) -> Result<(String, String), Rejected> {
    let container = command::container(pod, query.get("container"))?;
    let path = query
        .get("path")
        .ok_or_else(|| Status::bad_request("the parameter path is missing"))?;
    Ok((container, path.to_owned()))
}

fn archive_failed(error: &ArchiveError) -> Rejected {
    match error {
        ArchiveError::Path(_) => Status::bad_request(error.to_string()).into(),
        ArchiveError::Session(_) => Status::failure(500, "InternalError", error.to_string()).into(),
    }
}

async fn archive_out(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let (container, path) = place(&pod, &Query::of(request.uri()))?;
    let mut archive = control
        .archive_out(&container, &path)
        .await
        .map_err(|error| archive_failed(&error))?;
    let (sender, answer) = answer::breakable("application/x-tar", SKIPPED);
    tokio::spawn(async move {
        loop {
            let mut piece = BytesMut::with_capacity(ARCHIVE_PIECE);
            let read = archive.read_buf(&mut piece).await;
            let over = !matches!(read, Ok(1..));
            let piece = match read {
                Ok(0) => {
                    if let Some(skipped) = trailer(archive.skipped()) {
                        // Who is gone needs no more.
                        let _ = sender.send(Ok(skipped)).await;
                    }
                    return;
                }
                Ok(_) => Ok(Frame::data(piece.freeze())),
                // Broken off, so that no part is taken for the whole.
                Err(error) => Err(error),
            };
            if sender.send(piece).await.is_err() || over {
                return;
            }
        }
    });
    Ok(answer)
}

/// What was left out of an archive, as far as it fits.
fn trailer(skipped: &[String]) -> Option<Frame<Bytes>> {
    let mut told = String::new();
    for sentence in skipped {
        if told.len() + sentence.len() > LONGEST_TRAILER {
            told.push_str("\tand more");
            break;
        }
        if !told.is_empty() {
            told.push('\t');
        }
        told.push_str(sentence);
    }
    let value = HeaderValue::try_from(told).ok()?;
    (!value.is_empty()).then(|| Frame::trailers(HeaderMap::from_iter([(SKIPPED, value)])))
}

async fn archive_in(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let (container, path) = place(&pod, &Query::of(request.uri()))?;
    let (mut reader, mut writer) = tokio::io::duplex(ARCHIVE_PIECE);
    let mut body = request.into_body();
    let fed = tokio::spawn(async move {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                // The client broke off: what came is no whole archive, and its missing end says so.
                return false;
            };
            if let Ok(data) = frame.into_data()
                && writer.write_all(&data).await.is_err()
            {
                return true;
            }
        }
        true
    });
    let unpacked = control.archive_in(&container, &path, &mut reader).await;
    drop(reader);
    let whole = fed.await.unwrap_or(false);
    let unpacked = unpacked.map_err(|error| archive_failed(&error))?;
    if !whole {
        return Err(Status::bad_request("the archive was broken off").into());
    }
    let mut status = Status::success();
    status.message = unpacked.skipped.join("\n");
    Ok(answer::json(&status))
}

async fn change(
    server: &Arc<Server>,
    namespace: &str,
    name: &str,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let (pod, control) = pods::find(server, namespace, name)?;
    let body = answer::whole(request, LARGEST_CHANGE).await?;
    let change: Change = serde_json::from_slice(&body)
        .map_err(|error| Status::bad_request(format!("read the change: {error}")))?;
    let node = server.node().ok_or_else(not_found)?;
    detached::change(&node, &control, &pod, &change.request, &change.references)
        .map_err(|error| Status::failure(500, "InternalError", error.to_string()))?;
    Ok(answer::json(&Status::success()))
}
