//! What the containers of the first example run: enough of a program to show a Pod at work with no image
//! but this one.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::cli::DemoCommand;
use crate::exit;
use crate::term::Term;

pub(crate) fn run(command: DemoCommand, term: &Term) -> Result<ExitCode, Failure> {
    if let DemoCommand::Init { file, text } = &command {
        std::fs::write(file, format!("{text}\n"))
            .map_err(|error| Failure::new(format!("write {}", file.display()), error))?;
        term.result(&format!("wrote {}\n", file.display()));
        return Ok(exit::SUCCESS.into());
    }
    super::runtime()?.block_on(async {
        // As PID 1 of a container a program has no default action for SIGTERM: it must take it.
        let mut terminate = signal(SignalKind::terminate())
            .map_err(|error| Failure::new("listen for SIGTERM".into(), error))?;
        tokio::select! {
            done = serve_or_ask(command, term) => done,
            _ = terminate.recv() => {
                term.result("asked to stop, done\n");
                Ok(exit::SUCCESS.into())
            }
        }
    })
}

async fn serve_or_ask(command: DemoCommand, term: &Term) -> Result<ExitCode, Failure> {
    match command {
        DemoCommand::Init { .. } => Ok(exit::SUCCESS.into()),
        DemoCommand::Serve { listen, dir } => serve(listen, dir, term).await,
        DemoCommand::Ask { url, times, every } => {
            for n in 1..=times {
                term.result(&fetch(&url).await?);
                if n < times {
                    tokio::time::sleep(every).await;
                }
            }
            Ok(exit::SUCCESS.into())
        }
    }
}

async fn serve(listen: SocketAddr, dir: PathBuf, term: &Term) -> Result<ExitCode, Failure> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Failure::new(format!("listen on {listen}"), error))?;
    term.result(&format!("serving {} on http://{listen}\n", dir.display()));
    let dir = Arc::new(dir);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let dir = Arc::clone(&dir);
        let service = service_fn(move |request| {
            let dir = Arc::clone(&dir);
            async move { Ok::<_, Infallible>(answer(&request, &dir)) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

fn answer<B>(request: &Request<B>, dir: &Path) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let (status, body) = if path == "/healthz" {
        (StatusCode::OK, b"ok\n".to_vec())
    } else {
        match file(dir, path) {
            Some(body) => (StatusCode::OK, body),
            None => (StatusCode::NOT_FOUND, b"not found\n".to_vec()),
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}

/// The file at `path` below `dir`; nothing that would lead out of it.
fn file(dir: &Path, path: &str) -> Option<Vec<u8>> {
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    std::fs::read(dir.join(relative)).ok()
}

async fn fetch(url: &str) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::text(format!("get {url}: {error}"));
    let get = async {
        let uri: Uri = url.parse().map_err(|error| failed(&error))?;
        let host = uri
            .host()
            .ok_or_else(|| failed(&"no host in it"))?
            .to_owned();
        let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(80)))
            .await
            .map_err(|error| failed(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        tokio::spawn(connection);
        let request = Request::get(uri.path())
            .header("host", host)
            .body(Empty::<Bytes>::new())
            .map_err(|error| failed(&error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            return Err(failed(&response.status()));
        }
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| failed(&error))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    tokio::time::timeout(Duration::from_secs(5), get)
        .await
        .map_err(|_| failed(&"no answer within 5 s"))?
}
