//! The REST API: which request is answered by what.

mod answer;
mod command;
mod discovery;
mod events;
mod extension;
mod list;
mod log;
mod metrics;
mod pods;
mod port_forward;
mod query;
mod watch;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use manifest::meta::status::Status;
use percent_encoding::percent_decode_str;

use self::answer::{Body, Rejected, rejected};
use self::command::Kind;
pub use self::extension::Change;
use self::query::Query;
use crate::server::Server;

/// Answers one request.
pub(crate) async fn answer(server: Arc<Server>, request: Request<Incoming>) -> Response<Body> {
    route(server, request).await.unwrap_or_else(rejected)
}

async fn route(
    server: Arc<Server>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Rejected> {
    let path: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let query = Query::of(request.uri());
    let method = request.method().clone();
    let reads = method == Method::GET;
    match path.as_slice() {
        ["api", "v1", "pods"] if reads => pods::list(&server, None, &query, &request),
        ["api", "v1", "namespaces", namespace, "pods"] => match method {
            Method::GET => pods::list(&server, Some(namespace), &query, &request),
            Method::DELETE => pods::delete_all(&server, namespace, &query, request).await,
            _ => Err(not_allowed(&method)),
        },
        ["api", "v1", "namespaces", namespace, "pods", name] => match method {
            Method::GET => pods::get(&server, namespace, name, &query, &request),
            Method::DELETE => pods::delete(&server, namespace, name, &query, request).await,
            _ => Err(not_allowed(&method)),
        },
        ["api", "v1", "namespaces", namespace, "pods", name, "log"] if reads => {
            log::get(&server, namespace, name, &query).await
        }
        [
            "api",
            "v1",
            "namespaces",
            namespace,
            "pods",
            name,
            stream @ ("exec" | "attach" | "portforward"),
        ] if reads || method == Method::POST => match *stream {
            "exec" => command::answer(&server, namespace, name, Kind::Exec, request),
            "attach" => command::answer(&server, namespace, name, Kind::Attach, request),
            _ => port_forward::answer(&server, namespace, name, request),
        },
        ["apis", "metrics.k8s.io", "v1beta1", rest @ ..] if reads => match rest {
            ["pods"] => metrics::list(&server, None, &query).await,
            ["namespaces", namespace, "pods"] => {
                metrics::list(&server, Some(namespace), &query).await
            }
            ["namespaces", namespace, "pods", name] => metrics::get(&server, namespace, name).await,
            _ => discovery::get(&path).ok_or_else(not_found),
        },
        [
            "apis",
            "pillion.dev",
            "v1",
            "namespaces",
            namespace,
            "pods",
            name,
            rest @ ..,
        ] => extension::answer(&server, namespace, name, rest, request).await,
        ["api", "v1", "events"] if reads => events::list(&server, None, &query, &request),
        ["api", "v1", "namespaces", namespace, "events"] if reads => {
            events::list(&server, Some(namespace), &query, &request)
        }
        rest if reads => discovery::get(rest).ok_or_else(not_found),
        _ => Err(not_found()),
    }
}

fn not_found() -> Rejected {
    Status::failure(
        404,
        "NotFound",
        "the server could not find the requested resource",
    )
    .into()
}

fn not_allowed(method: &Method) -> Rejected {
    Status::failure(
        405,
        "MethodNotAllowed",
        format!("the server does not allow {method} on the requested resource"),
    )
    .into()
}

/// The time by which ages are shown.
fn now() -> lifecycle::Time {
    lifecycle::Time::from(jiff::Timestamp::now())
}
