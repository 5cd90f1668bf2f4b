//! Files of a directory, asked for as by clients.

mod answers;
mod forms;
mod later;
mod nginx;
mod places;

use std::future::poll_fn;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;

use super::*;
use crate::config::document::ContentCoding;
use crate::exchange::decision::Router;
use crate::exchange::run::{Observer, Record};
use crate::message::Version;
use crate::transport::Transport;
use crate::worker::{Env, serve_connection};

/// When the files of the tests were changed: Tue, 02 Jan 2024 03:04:05 GMT.
pub(super) const CHANGED: u64 = 1_704_164_645;
pub(super) const CHANGED_DATE: &str = "Tue, 02 Jan 2024 03:04:05 GMT";

/// A directory with files, and the configuration that serves it.
pub(super) struct Site {
    pub(super) directory: tempfile::TempDir,
    pub(super) configured: StaticFiles,
}

impl Site {
    /// `www` in a directory of its own, so that there is an outside.
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("www")).unwrap();
        let file = |text: &str| TryFile::File(text.to_owned());
        Self {
            configured: StaticFiles {
                root: directory.path().join("www"),
                index: vec!["index.html".to_owned()],
                try_files: vec![
                    file("$uri"),
                    TryFile::Directory("$uri".to_owned()),
                    TryFile::Status(404),
                ],
                dot_files: false,
                precompressed: vec![ContentCoding::Br, ContentCoding::Zstd, ContentCoding::Gzip],
                dynamic: vec![ContentCoding::Zstd, ContentCoding::Gzip],
                min_size: 1024,
                cache_control: None,
                mime_types: Vec::new(),
                default_type: "application/octet-stream".to_owned(),
            },
            directory,
        }
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join("www").join(name)
    }

    /// A name beside the directory that is served.
    pub(super) fn outside(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_at(&path, content.as_ref(), CHANGED);
        self
    }

    pub(super) fn files(&self) -> Files {
        Files::new(&self.configured)
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[]).await
    }

    pub(super) async fn ask(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
        let mut head =
            RequestHead::new(method.as_bytes(), target.as_bytes(), Version::Http11).unwrap();
        for (name, value) in fields {
            head.headers_mut().append(name, value.as_bytes()).unwrap();
        }
        let path = head.path().to_owned();
        let public = String::from_utf8_lossy(&path).into_owned();
        let decision = self.files().decide(&head, &path, &public, None);
        read(answered(decision).await).await
    }
}

/// The response that a decision leads to.
pub(super) async fn answered(decision: Decision) -> Response {
    match decision {
        Decision::Respond(response) => response,
        Decision::Later(answer) => answer.await.unwrap(),
        Decision::Refuse(failure) => panic!("{failure}"),
        Decision::Forward(_) => panic!("forwarded"),
    }
}

pub(super) fn write_at(path: &Path, content: &[u8], changed: u64) {
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(content).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(changed))
        .unwrap();
}

/// A response that was read to its end.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: crate::message::ResponseHead,
    pub(super) body: Vec<u8>,
    pub(super) failure: Option<Failure>,
}

impl Reply {
    pub(super) fn field(&self, name: &str) -> &str {
        let value = self.head.headers().get(name).unwrap_or_default();
        std::str::from_utf8(value).unwrap()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub(super) async fn read(response: Response) -> Reply {
    let mut reply = Reply {
        status: response.head.status(),
        head: response.head,
        body: Vec::new(),
        failure: None,
    };
    let Some(mut body) = response.body else {
        return reply;
    };
    loop {
        match poll_fn(|cx| body.poll_chunk(cx)).await {
            Ok(Some(chunk)) => {
                assert!(!chunk.is_empty());
                reply.body.extend_from_slice(chunk.bytes());
            }
            Ok(None) => break,
            Err(failure) => {
                reply.failure = Some(failure);
                return reply;
            }
        }
    }
    if let crate::message::framing::BodyLength::Known(length) = response.length {
        assert_eq!(reply.body.len() as u64, length);
    }
    reply
}

struct Nobody;

impl Observer for Nobody {
    fn finished(&self, _: &Record<'_>) {}
}

/// Listens, and serves what `router` decides, as long as the test runs.
pub(super) async fn serve(router: Rc<dyn Router>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let env = Rc::new(Env {
        router,
        observer: Rc::new(Nobody),
        limits: Rc::default(),
    });
    tokio::task::spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::task::spawn_local(serve_connection(Transport::tcp(stream), Rc::clone(&env)));
        }
    });
    address
}
