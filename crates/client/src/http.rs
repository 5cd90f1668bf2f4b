//! One request over one connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use manifest::meta::status::Status;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;

/// A request that waits to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) accept: &'static str,
    pub(crate) body: RequestBody,
}

/// What a request carries.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Empty,
    Json(Bytes),
    Stream(mpsc::Receiver<io::Result<Bytes>>),
}

impl Call {
    pub(crate) fn get(uri: String) -> Self {
        Self {
            method: Method::GET,
            uri,
            accept: "application/json",
            body: RequestBody::Empty,
        }
    }

    /// The same once more, if it can be asked twice.
    pub(crate) fn again(&self) -> Option<Self> {
        let body = match &self.body {
            RequestBody::Empty => RequestBody::Empty,
            RequestBody::Json(bytes) => RequestBody::Json(bytes.clone()),
            RequestBody::Stream(_) => return None,
        };
        Some(Self {
            method: self.method.clone(),
            uri: self.uri.clone(),
            accept: self.accept,
            body,
        })
    }

    /// Sends it and waits for the head of the answer. What the server refuses is an error.
    pub(crate) async fn send(self, stream: UnixStream) -> Result<ByteStream, Error> {
        let request = format!("{} {}", self.method, self.uri);
        let failed = |cause| Error::Http {
            request: request.clone(),
            cause,
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        let driver = Driver(tokio::spawn(async move {
            // What goes wrong is told to whoever waits for the answer.
            let _ = connection.await;
        }));
        let mut builder = Request::builder()
            .method(self.method)
            .uri(self.uri)
            .header("host", "pillion")
            .header("accept", self.accept)
            .header("te", "trailers");
        builder = match &self.body {
            RequestBody::Empty => builder,
            RequestBody::Json(_) => builder.header("content-type", "application/json"),
            RequestBody::Stream(_) => builder.header("content-type", "application/x-tar"),
        };
        let built = builder.body(self.body).map_err(|error| {
            // Paths are encoded by us, so this is a name that no server would know.
            Error::Status(Box::new(Status::bad_request(error.to_string())))
        })?;
        let response = sender.send_request(built).await.map_err(failed)?;
        ByteStream::of(response, driver, request).await
    }
}

/// The answer to a request, as it comes.
#[derive(Debug)]
pub struct ByteStream {
    body: Incoming,
    trailers: Option<HeaderMap>,
    _driver: Driver,
    request: String,
}

impl ByteStream {
    async fn of(
        response: Response<Incoming>,
        driver: Driver,
        request: String,
    ) -> Result<Self, Error> {
        let code = response.status();
        let mut stream = Self {
            body: response.into_body(),
            trailers: None,
            _driver: driver,
            request,
        };
        if code.is_success() {
            return Ok(stream);
        }
        let text = stream.collect().await?;
        let status = serde_json::from_slice(&text).unwrap_or_else(|_| {
            let message = String::from_utf8_lossy(&text).trim().to_owned();
            Status::failure(code.as_u16(), "", message)
        });
        Err(Error::Status(Box::new(status)))
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke before the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|cause| Error::Http {
                request: self.request.clone(),
                cause,
            })?;
            match frame.into_data() {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(None)
    }

    /// What was left out of an archive, a sentence each; known at its end.
    pub fn skipped(&self) -> Vec<String> {
        let told = self.trailers.as_ref();
        let told = told.and_then(|trailers| trailers.get("pillion-skipped"));
        let told = String::from_utf8_lossy(told.map(HeaderValue::as_bytes).unwrap_or_default());
        let sentences = told.split('\t').filter(|sentence| !sentence.is_empty());
        sentences.map(str::to_owned).collect()
    }

    async fn collect(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// All of it, as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let bytes = self.collect().await?;
        serde_json::from_slice(&bytes).map_err(|source| self.not_understood(source))
    }

    /// The error of an answer that is no such object.
    pub(crate) fn not_understood(&self, source: serde_json::Error) -> Error {
        Error::Answer {
            request: self.request.clone(),
            source,
        }
    }
}

/// What moves the bytes of a connection; the connection is closed with it.
#[derive(Debug)]
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Json(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Stream(chunks) => chunks
                .poll_recv(context)
                .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Empty)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Empty => hyper::body::SizeHint::with_exact(0),
            Self::Json(bytes) => hyper::body::SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => hyper::body::SizeHint::default(),
        }
    }
}
