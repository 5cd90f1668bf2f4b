//! Which protocol a request for an upgrade gets, and the answer to it.

use bytes::Bytes;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use manifest::meta::status::Status;

use crate::websocket::handshake;

/// The versions of Kubernetes' streams that the client speaks over SPDY, and the one that it gets.
const STREAM_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("x-stream-protocol-version");
/// Those that it could have had.
const ACCEPTED_STREAM_PROTOCOL_VERSIONS: HeaderName =
    HeaderName::from_static("x-accepted-stream-protocol-versions");
const SPDY: &str = "SPDY/3.1";

/// What can be had.
#[derive(Debug)]
pub(super) struct Offer<P: 'static> {
    /// Sub-protocols of WebSocket. The empty name is for a client that names none.
    pub(super) websocket: &'static [(&'static str, P)],
    /// Stream protocols over SPDY.
    pub(super) spdy: &'static [(&'static str, P)],
}

/// Picks the first protocol that the client names of those that are offered.
///
/// # Errors
///
/// The answer that refuses the request.
pub(super) fn negotiate<B, P: Copy>(
    request: &Request<B>,
    offer: &Offer<P>,
) -> Result<(Response<Bytes>, P), Box<Response<Bytes>>> {
    let headers = request.headers();
    if !values(headers, &CONNECTION).any(|value| value.eq_ignore_ascii_case("upgrade")) {
        let status = Status::bad_request("Upgrade request required");
        return Err(refuse_with(&status));
    }
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    let upgrade = upgrade.unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        websocket(request, offer.websocket)
    } else {
        spdy(headers, upgrade, offer.spdy)
    }
}

fn websocket<B, P: Copy>(
    request: &Request<B>,
    offered: &[(&'static str, P)],
) -> Result<(Response<Bytes>, P), Box<Response<Bytes>>> {
    let headers = request.headers();
    let version = headers.get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED, "bad WebSocket version");
        let versions = HeaderValue::from_static("13");
        refusal
            .headers_mut()
            .insert(SEC_WEBSOCKET_VERSION, versions);
        return Err(refusal);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY);
    let Some(key) = key.and_then(|key| key.to_str().ok()) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "bad WebSocket key"));
    };
    if request.method() != Method::GET {
        return Err(refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "bad WebSocket method",
        ));
    }
    let mut asked: Vec<&str> = values(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
    if asked.is_empty() {
        asked.push("");
    }
    let Some((name, protocol)) = pick(&asked, offered) else {
        let message = format!(
            "requested protocol(s) are not supported: {}; supports {}",
            list(&asked),
            names(offered)
        );
        return Err(refuse(StatusCode::FORBIDDEN, message));
    };
    let mut response = switch("websocket");
    let headers = response.headers_mut();
    if let Ok(accept) = HeaderValue::try_from(handshake::accept(key)) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if !name.is_empty() {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    Ok((response, protocol))
}

fn spdy<P: Copy>(
    headers: &HeaderMap,
    upgrade: &str,
    offered: &[(&'static str, P)],
) -> Result<(Response<Bytes>, P), Box<Response<Bytes>>> {
    if !upgrade.eq_ignore_ascii_case(SPDY) {
        let message = "unable to upgrade: missing upgrade headers in request";
        return Err(refuse(StatusCode::BAD_REQUEST, message));
    }
    let asked: Vec<&str> = values(headers, &STREAM_PROTOCOL_VERSION).collect();
    if asked.is_empty() {
        let message =
            "unable to upgrade: header X-Stream-Protocol-Version does not exist in request";
        return Err(refuse(StatusCode::BAD_REQUEST, message));
    }
    let Some((name, protocol)) = pick(&asked, offered) else {
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {}, server accepts {}",
            list(&asked),
            names(offered)
        );
        let mut refusal = refuse(StatusCode::FORBIDDEN, message);
        for (name, _) in offered {
            let name = HeaderValue::from_static(name);
            let headers = refusal.headers_mut();
            headers.append(ACCEPTED_STREAM_PROTOCOL_VERSIONS, name);
        }
        return Err(refusal);
    };
    let mut response = switch(SPDY);
    let name = HeaderValue::from_static(name);
    response.headers_mut().insert(STREAM_PROTOCOL_VERSION, name);
    Ok((response, protocol))
}

/// The values of a header that is a list, over all the times it occurs.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(name).into_iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

fn pick<P: Copy>(asked: &[&str], offered: &[(&'static str, P)]) -> Option<(&'static str, P)> {
    let mut asked = asked.iter();
    asked.find_map(|asked| offered.iter().find(|(name, _)| name == asked).copied())
}

fn names<P>(offered: &[(&'static str, P)]) -> String {
    let names: Vec<&str> = offered.iter().map(|(name, _)| *name).collect();
    list(&names)
}

/// As Go prints a list.
fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(" "))
}

fn switch(protocol: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(protocol));
    response
}

fn refuse(code: StatusCode, message: impl Into<String>) -> Box<Response<Bytes>> {
    let mut message = message.into();
    message.push('\n');
    let mut response = Response::new(Bytes::from(message));
    *response.status_mut() = code;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    Box::new(response)
}

fn refuse_with(status: &Status) -> Box<Response<Bytes>> {
    // A Status has only what JSON has.
    let json = serde_json::to_vec(status).unwrap_or_default();
    let mut response = Response::new(Bytes::from(json));
    *response.status_mut() =
        StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Box::new(response)
}

#[cfg(test)]
mod tests;
