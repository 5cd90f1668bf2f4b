//! `httpGet` probes and hooks, issued from the node as the kubelet does (R6.3 to R6.7, R6.11, R7.10).

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use lifecycle::ProbeOutcome;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{Answer, KUBERNETES_VERSION, authority, tls};

/// At most so much of a body is read (R6.7).
const BODY_LIMIT: usize = 10 << 10;
/// At most so many redirects to the same host are followed (R6.5).
const MAX_REDIRECTS: usize = 10;

/// What to request.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// With its query, as written; without a leading slash one is put before it.
    pub(crate) path: String,
    /// As written in the manifest; a name may occur more than once.
    pub(crate) headers: Vec<(String, String)>,
    /// `kube-probe` or `kube-lifecycle`.
    pub(crate) agent: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("{0}")]
    Request(String),
    #[error("dial tcp {0}: connect: {1}")]
    Connect(String, String),
    #[error("tls: {0}")]
    Tls(String),
    /// The server spoke plain HTTP where TLS was asked for (R7.10).
    #[error("http: server gave HTTP response to HTTPS client")]
    NotTls,
    #[error("{0}")]
    Http(String),
}

/// Runs one probe (R6.4, R6.5).
pub(crate) async fn probe(request: &HttpRequest, timeout: Duration) -> Answer {
    let url = request.url();
    match tokio::time::timeout(timeout, follow(request)).await {
        Err(_) => Answer::new(
            ProbeOutcome::Failure,
            format!(
                "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            ),
        ),
        Ok(Err(HttpError::Request(message))) => Answer::new(ProbeOutcome::Error, message),
        Ok(Err(error)) => Answer::new(ProbeOutcome::Failure, format!("Get \"{url}\": {error}")),
        Ok(Ok(reply)) => reply.judge(),
    }
}

/// How a hook reached its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    AsAsked,
    /// Over plain HTTP, where TLS was asked for; at this HOST:PORT.
    WithoutTls(String),
}

/// Runs one hook: any HTTP answer is a success, only the transport can fail. A server without TLS is asked once more over
/// plain HTTP, without what would tell a password to the wire (R7.10).
pub(crate) async fn hook(request: &HttpRequest) -> Result<Reached, String> {
    let failed = |error| format!("Get \"{}\": {error}", request.url());
    let error = match exchange(request).await {
        Ok(_) => return Ok(Reached::AsAsked),
        Err(HttpError::NotTls) => HttpError::NotTls,
        Err(error) => return Err(failed(error)),
    };
    let mut plain = HttpRequest {
        https: false,
        ..request.clone()
    };
    plain
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    match exchange(&plain).await {
        Ok(_) => Ok(Reached::WithoutTls(authority(&request.host, request.port))),
        // The first error is the one that says what is wrong.
        Err(_) => Err(failed(error)),
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    body: String,
    redirected_away: bool,
}

impl Reply {
    fn judge(self) -> Answer {
        match self.status {
            _ if self.redirected_away => Answer::new(
                ProbeOutcome::Warning,
                format!("Probe terminated redirects, Response body: {}", self.body),
            ),
            200..400 => Answer::new(ProbeOutcome::Success, self.body),
            status => Answer::new(
                ProbeOutcome::Failure,
                format!("HTTP probe failed with statuscode: {status}"),
            ),
        }
    }
}

async fn follow(first: &HttpRequest) -> Result<Reply, HttpError> {
    let mut request = first.clone();
    for _ in 0..=MAX_REDIRECTS {
        let (response, body) = exchange(&request).await?;
        let status = response.status().as_u16();
        let redirected = matches!(status, 301 | 302 | 303 | 307 | 308);
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok());
        match location.and_then(|location| request.redirect(location)) {
            Some(next) if redirected && next.host == first.host => request = next,
            _ => {
                return Ok(Reply {
                    status,
                    body,
                    redirected_away: redirected,
                });
            }
        }
    }
    Err(HttpError::Http("stopped after 10 redirects".into()))
}

impl HttpRequest {
    fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!(
            "{scheme}://{}{}",
            authority(&self.host, self.port),
            self.target()
        )
    }

    /// The request target: the path with what a URL cannot hold escaped, as Go's `net/url` does it.
    fn target(&self) -> String {
        use std::fmt::Write;
        let mut target = String::new();
        for byte in self.rooted().bytes() {
            if byte <= b' ' || byte >= 0x7f || b"\"<>\\^`{|}".contains(&byte) {
                // Writing to a String does not fail.
                let _ = write!(target, "%{byte:02X}");
            } else {
                target.push(char::from(byte));
            }
        }
        target
    }

    fn rooted(&self) -> String {
        if self.path.starts_with('/') {
            self.path.clone()
        } else {
            format!("/{}", self.path)
        }
    }

    /// The request that a `Location` asks for, or `None` where it cannot be understood.
    fn redirect(&self, location: &str) -> Option<Self> {
        let mut next = self.clone();
        let uri: Uri = location.parse().ok()?;
        if let Some(host) = uri.host() {
            next.https = uri
                .scheme_str()
                .map_or(self.https, |scheme| scheme == "https");
            next.host = host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned();
            next.port = uri.port_u16().unwrap_or(if next.https { 443 } else { 80 });
            next.path = uri.path_and_query().map_or("/".into(), ToString::to_string);
            // The Host header of the manifest was meant for the first request only.
            next.headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
        } else if location.starts_with('/') {
            next.path = location.to_owned();
        } else {
            let target = self.target();
            let path = target.split('?').next().unwrap_or("/");
            let base = path.rsplit_once('/').map_or("", |(base, _)| base);
            next.path = format!("{base}/{location}");
        }
        Some(next)
    }

    fn build(&self) -> Result<Request<Empty<Bytes>>, HttpError> {
        let bad = |error: &dyn std::fmt::Display| HttpError::Request(error.to_string());
        let mut request = Request::builder()
            .uri(self.target())
            .body(Empty::new())
            .map_err(|error| bad(&error))?;
        let headers = request.headers_mut();
        let agent = format!("{}/{KUBERNETES_VERSION}", self.agent);
        headers.insert(HOST, value(&authority(&self.host, self.port))?);
        headers.insert(USER_AGENT, value(&agent)?);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let mut seen = Vec::new();
        for (name, text) in &self.headers {
            let name: HeaderName = name.parse().map_err(|error| bad(&error))?;
            // The first of a name replaces our default, further ones are sent as well (R6.6).
            if seen.contains(&name) && name != HOST {
                headers.append(name, value(text)?);
            } else {
                headers.insert(name.clone(), value(text)?);
                seen.push(name);
            }
        }
        // An empty User-Agent or Accept takes the header away (R6.6).
        for name in [USER_AGENT, ACCEPT] {
            if headers.get(&name).is_some_and(HeaderValue::is_empty) {
                headers.remove(name);
            }
        }
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

fn value(text: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::from_str(text).map_err(|error| HttpError::Request(error.to_string()))
}

async fn exchange(request: &HttpRequest) -> Result<(Response<()>, String), HttpError> {
    let message = request.build()?;
    let at = authority(&request.host, request.port);
    let stream = TcpStream::connect((request.host.as_str(), request.port))
        .await
        .map_err(|error| HttpError::Connect(at, super::connect_error(&error)))?;
    if request.https {
        send(tls::connect(stream, &request.host).await?, message).await
    } else {
        send(stream, message).await
    }
}

async fn send<S>(
    stream: S,
    message: Request<Empty<Bytes>>,
) -> Result<(Response<()>, String), HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = |error: hyper::Error| HttpError::Http(describe(&error));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(http)?;
    let connection = Arc::new(tokio::spawn(connection));
    // Ends the connection with this exchange, also when a time limit drops it half-way.
    let _closer = AbortOnDrop(Arc::clone(&connection));
    let (head, body) = sender
        .send_request(message)
        .await
        .map_err(http)?
        .into_parts();
    let text = read(body).await;
    Ok((Response::from_parts(head, ()), text))
}

struct AbortOnDrop<T>(Arc<tokio::task::JoinHandle<T>>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The first 10 KiB of a body. More is no error, nor is a body that breaks off.
async fn read(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < BODY_LIMIT {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    bytes.extend_from_slice(data);
                }
            }
            _ => break,
        }
    }
    bytes.truncate(BODY_LIMIT);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn describe(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
