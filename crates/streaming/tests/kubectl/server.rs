//! A server with one Pod, `web`, whose one container is this machine.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pillion_streaming::server::{self, CommandSession, Forward};
use pillion_streaming::{Outcome, StreamWriter, Streams, TerminalSizes};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A running server. Ends with the test's process.
pub(crate) struct Server {
    address: SocketAddr,
    home: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let (sender, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                sender.send(listener.local_addr()).expect("the test waits");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    tokio::spawn(serve(stream));
                }
            });
        });
        Self {
            address: address.recv().expect("an answer").expect("an address"),
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }
}

async fn serve(stream: TcpStream) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(answer(request)) });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Clients come and go.
    let _ = connection.await;
}

fn answer(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let pods = json!({
        "name": "pods", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get"],
    });
    let body = match request.uri().path() {
        "/version" => json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0"}),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}),
        "/api/v1" => {
            json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [pods]})
        }
        "/api/v1/namespaces/default/pods/web" => json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"containers": [{"name": "web"}]},
            "status": {"phase": "Running"},
        }),
        "/api/v1/namespaces/default/pods/web/exec" => return exec(&mut request),
        "/api/v1/namespaces/default/pods/web/portforward" => {
            let (response, pending) = server::port_forward(&mut request);
            if let Some(pending) = pending {
                tokio::spawn(async move {
                    let mut session = pending.session().await.expect("a session");
                    while let Some(forward) = session.next().await {
                        tokio::spawn(dial(forward));
                    }
                });
            }
            return response.map(Full::new);
        }
        _ => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = hyper::StatusCode::NOT_FOUND;
            return response;
        }
    };
    let mut response = Response::new(Full::from(body.to_string()));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, json);
    response
}

async fn dial(mut forward: Forward) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", forward.port)).await else {
        return forward.error.send("it is closed").await;
    };
    let mut client = tokio::io::join(&mut forward.reader, &mut forward.writer);
    let _ = tokio::io::copy_bidirectional(&mut client, &mut stream).await;
}

fn exec(request: &mut Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let streams = Streams::from_query(&query).expect("streams");
    let mut words = query
        .split('&')
        .filter_map(|parameter| parameter.strip_prefix("command="))
        .map(decoded);
    let mut command = Command::new(words.next().expect("a command"));
    command.args(words);
    let (response, pending) = server::command(request, streams);
    if let Some(pending) = pending {
        tokio::spawn(async move {
            let session = pending.session().await.expect("a session");
            if streams.tty {
                run_in_terminal(command, session).await;
            } else {
                run(command, session).await;
            }
        });
    }
    response.map(Full::new)
}

/// A parameter of a query as it was meant.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).expect("digits");
                u8::from_str_radix(digits, 16).expect("digits")
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).expect("text")
}

fn pipe(wanted: bool) -> Stdio {
    if wanted {
        Stdio::piped()
    } else {
        Stdio::null()
    }
}

async fn run(mut command: Command, mut session: CommandSession) {
    command
        .stdin(pipe(session.stdin.is_some()))
        .stdout(pipe(session.stdout.is_some()))
        .stderr(pipe(session.stderr.is_some()));
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let outcome = Outcome::internal_error(error);
            return session.end.finish(outcome).await.expect("end");
        }
    };
    if let (Some(mut from), Some(mut to)) = (session.stdin.take(), child.stdin.take()) {
        tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::join!(copy(stdout, session.stdout), copy(stderr, session.stderr));
    let status = child.wait().await.expect("wait");
    let outcome = Outcome::of_code(status.code().unwrap_or(-1));
    session.end.finish(outcome).await.expect("end");
}

async fn copy(from: Option<impl AsyncRead + Unpin>, to: Option<StreamWriter>) {
    if let (Some(mut from), Some(mut to)) = (from, to) {
        // The last read of a terminal fails.
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = to.shutdown().await;
    }
}

async fn run_in_terminal(command: Command, session: CommandSession) {
    let (terminal, slave) = terminal().expect("a terminal");
    let command = command.into_std();
    let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
    let mut child = Command::new("setsid")
        .arg("--ctty")
        .arg("--wait")
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(stdio())
        .stdout(stdio())
        .stderr(stdio())
        .spawn()
        .expect("spawn");
    drop(slave);
    let mut sizes = session.sizes.expect("a terminal");
    resize(&terminal, &mut sizes).await;
    let (master, reader) = (terminal.try_clone(), terminal.try_clone());
    tokio::spawn(async move { while resize(&terminal, &mut sizes).await {} });
    if let Some(mut from) = session.stdin {
        let mut to = tokio::fs::File::from_std(master.expect("a descriptor"));
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
    }
    let reader = tokio::fs::File::from_std(reader.expect("a descriptor"));
    let copied = tokio::spawn(copy(Some(reader), session.stdout));
    let status = child.wait().await.expect("wait");
    copied.await.expect("copy");
    let outcome = Outcome::of_code(status.code().unwrap_or(-1));
    session.end.finish(outcome).await.expect("end");
}

fn terminal() -> io::Result<(File, File)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = PathBuf::from(name.to_str().expect("text"));
    let slave = File::options().read(true).write(true).open(slave)?;
    Ok((master.into(), slave))
}

async fn resize(terminal: &File, sizes: &mut TerminalSizes) -> bool {
    let Some(size) = sizes.next().await else {
        return false;
    };
    let size = Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).is_ok()
}
