//! A server that hands its sessions to the test.

use http_body_util::Full;
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pillion_streaming::client::{self, Command, PortForward};
use pillion_streaming::server::{CommandSession, PortForwardSession};
use pillion_streaming::{Streams, server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

/// What a request for an upgrade became.
pub(crate) enum Session {
    Command(Box<CommandSession>),
    PortForward(PortForwardSession),
}

/// Serves one connection: paths that end in `portforward` forward ports, all others are exec.
pub(crate) fn serve() -> (UnixStream, oneshot::Receiver<Session>) {
    let (ours, theirs) = UnixStream::pair().expect("socket pair");
    let (sender, session) = oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    tokio::spawn(async move {
        let service = service_fn(|mut request: Request<Incoming>| {
            let sender = sender.lock().expect("lock").take().expect("one request");
            async move {
                let response = if request.uri().path().ends_with("portforward") {
                    let (response, pending) = server::port_forward(&mut request);
                    tokio::spawn(async move {
                        let Some(pending) = pending else { return };
                        let session = pending.session().await.expect("session");
                        let _ = sender.send(Session::PortForward(session));
                    });
                    response
                } else {
                    let query = request.uri().query().unwrap_or_default();
                    let streams = Streams::from_query(query).expect("streams");
                    let (response, pending) = server::command(&mut request, streams);
                    tokio::spawn(async move {
                        let Some(pending) = pending else { return };
                        if let Ok(session) = pending.session().await {
                            let _ = sender.send(Session::Command(Box::new(session)));
                        }
                    });
                    response
                };
                Ok::<_, std::convert::Infallible>(response.map(Full::<Bytes>::new))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(theirs), service)
            .with_upgrades();
        // A client may leave midway.
        let _ = connection.await;
    });
    (ours, session)
}

/// `ALL`, with or without single letters of "ioet".
pub(crate) fn streams(letters: &str) -> Streams {
    Streams {
        stdin: letters.contains('i'),
        stdout: letters.contains('o'),
        stderr: letters.contains('e'),
        tty: letters.contains('t'),
    }
}

/// Both ends of an exec.
pub(crate) async fn exec(letters: &str) -> (Command, CommandSession) {
    let (connection, session) = serve();
    let streams = streams(letters);
    let path = format!("/exec?command=sh&{}", streams.to_query());
    let command = client::command(connection, &path, streams).await;
    let command = command.expect("an exec");
    match session.await {
        Ok(Session::Command(session)) => (command, *session),
        _ => panic!("no session"),
    }
}

/// Both ends of a port-forward.
pub(crate) async fn port_forward() -> (PortForward, PortForwardSession) {
    let (connection, session) = serve();
    let client = client::port_forward(connection, "/pods/web/portforward").await;
    let client = client.expect("a port-forward");
    match session.await {
        Ok(Session::PortForward(session)) => (client, session),
        _ => panic!("no session"),
    }
}

pub(crate) async fn read_all(reader: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.expect("read");
    all
}

/// Asks for an upgrade by hand, and returns the answer's head.
pub(crate) async fn ask(connection: &mut UnixStream, request: &str) -> String {
    connection
        .write_all(request.replace('\n', "\r\n").as_bytes())
        .await
        .expect("write");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.expect("an answer"));
    }
    String::from_utf8(head).expect("text").replace('\r', "")
}
