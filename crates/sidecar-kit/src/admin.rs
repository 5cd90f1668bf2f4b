//! A small plain HTTP server for those who look after the process: the kubelet, Prometheus, people.
//!
//! One request a connection, GET and HEAD only, everything bounded: 64 connections at a time, 8 KiB of head, 10 s for all of it.

use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

#[cfg(test)]
mod tests;

const CONNECTIONS: usize = 64;
const HEAD: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Plain text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: text.into().into_bytes(),
        }
    }

    /// There is no such page.
    #[must_use]
    pub fn not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }
}

/// What is answered for a path with its query.
pub trait Pages {
    /// The answer.
    fn answer(&self, target: &str) -> impl Future<Output = Answer>;
}

/// Serves until it is dropped. To be run within a `LocalSet`.
pub async fn serve(listener: TcpListener, pages: Rc<impl Pages + 'static>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let pages = Rc::clone(&pages);
                tokio::task::spawn_local(async move {
                    let _ = tokio::time::timeout(PATIENCE, converse(stream, &*pages)).await;
                    drop(permit);
                });
            }
            // Out of descriptors or memory: others have to give some back first.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse(mut stream: TcpStream, pages: &impl Pages) -> io::Result<()> {
    let mut head = Vec::new();
    let (answer, with_body) = loop {
        match parse(&head) {
            Parsed::Get(target) => break (pages.answer(&target).await, true),
            Parsed::Head(target) => break (pages.answer(&target).await, false),
            Parsed::Refused(answer) => break (answer, true),
            Parsed::Partial if head.len() >= HEAD => {
                let answer = Answer::text(431, "the head of the request is too large\n");
                break (answer, true);
            }
            Parsed::Partial => {}
        }
        if (&mut stream).take(HEAD as u64).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let phrase = match answer.status {
        200 => "OK",
        404 => "Not Found",
        503 => "Service Unavailable",
        _ => "",
    };
    let mut bytes = format!(
        "HTTP/1.1 {} {phrase}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    )
    .into_bytes();
    if with_body {
        bytes.extend_from_slice(&answer.body);
    }
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    // What was sent behind the request is read, or else the kernel resets the connection before the answer is read.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

enum Parsed {
    Partial,
    Get(String),
    Head(String),
    Refused(Answer),
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => Parsed::Partial,
        Ok(httparse::Status::Complete(_)) => {
            let target = request.path.unwrap_or("/").to_owned();
            match request.method {
                Some("GET") => Parsed::Get(target),
                Some("HEAD") => Parsed::Head(target),
                _ => Parsed::Refused(Answer::text(405, "only GET and HEAD are served here\n")),
            }
        }
        Err(fault) => Parsed::Refused(Answer::text(400, format!("not a request: {fault}\n"))),
    }
}
