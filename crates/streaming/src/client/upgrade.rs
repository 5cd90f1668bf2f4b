//! The request for an upgrade to WebSocket.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use manifest::meta::status::Status;
use tokio::io::{AsyncRead, AsyncWrite};

use super::ClientError;
use crate::websocket::handshake;

/// The most that is read of an answer that refuses.
const MAX_REFUSAL: usize = 64 << 10;

/// Asks for an upgrade with one of the sub-protocols, the best one first. Returns which one it is.
pub(super) async fn upgrade<C>(
    connection: C,
    path_and_query: &str,
    protocols: &[&'static str],
) -> Result<(TokioIo<Upgraded>, &'static str), ClientError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let key = handshake::key();
    let request = Request::builder()
        .uri(path_and_query)
        .header(HOST, "localhost")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_PROTOCOL, protocols.join(", "))
        .body(Empty::<Bytes>::new())
        .map_err(ClientError::Request)?;
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(connection))
        .await
        .map_err(ClientError::Http)?;
    tokio::spawn(driver.with_upgrades());
    let response = sender
        .send_request(request)
        .await
        .map_err(ClientError::Http)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response).await);
    }
    let expected = handshake::accept(&key);
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accepted.is_none_or(|accepted| accepted.as_bytes() != expected.as_bytes()) {
        return Err(ClientError::Protocol("it is no WebSocket".into()));
    }
    let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let chosen = chosen.map_or(&[][..], HeaderValue::as_bytes);
    let mut known = protocols.iter();
    let Some(&protocol) = known.find(|protocol| protocol.as_bytes() == chosen) else {
        let chosen = String::from_utf8_lossy(chosen);
        return Err(ClientError::Protocol(format!("it chose `{chosen}`")));
    };
    let upgraded = hyper::upgrade::on(response)
        .await
        .map_err(ClientError::Http)?;
    Ok((TokioIo::new(upgraded), protocol))
}

/// What the server says: a `Status`, or text.
async fn refused(response: Response<Incoming>) -> ClientError {
    let code = response.status();
    let body = Limited::new(response.into_body(), MAX_REFUSAL);
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let status = serde_json::from_slice(&body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(&body);
        let text = match text.trim() {
            "" => code.to_string(),
            text => text.to_owned(),
        };
        Status::failure(code.as_u16(), "", text)
    });
    ClientError::Refused(Box::new(status))
}
