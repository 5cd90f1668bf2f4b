//! A small server of Pods on a real Unix socket, which can be told to change, to fall silent and to die.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    missing_docs,
    unreachable_pub,
    dead_code
)]

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use manifest::meta::status::Status;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::task::{JoinHandle, JoinSet};

type Body = BoxBody<Bytes, std::convert::Infallible>;

/// A directory of sockets.
pub struct Root {
    _dir: tempfile::TempDir,
    pub run: PathBuf,
}

impl Root {
    pub fn new() -> Self {
        Self::below("run")
    }

    /// With `<run>` at the end of this path.
    pub fn below(path: &str) -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let run = dir.path().join(path);
        std::fs::create_dir_all(run.join("pods")).expect("directory");
        Self { _dir: dir, run }
    }

    pub fn client(&self) -> pillion_client::Client {
        pillion_client::Client::new(&self.run)
    }

    /// Points the symlink of a Pod to a socket.
    pub fn link(&self, pod: &str, socket: &str) {
        let link = self.run.join(format!("pods/default_{pod}.sock"));
        let next = self.run.join("pods/next");
        std::os::unix::fs::symlink(format!("../{socket}.sock"), &next).expect("symlink");
        std::fs::rename(next, link).expect("rename");
    }
}

/// What a server has.
#[derive(Default)]
struct State {
    server: String,
    version: u64,
    pods: BTreeMap<String, Value>,
    /// What was told, with its version: a watch begins after the version of a list.
    history: Vec<(u64, &'static str, Value)>,
    watches: Vec<Watcher>,
    seen: Vec<Seen>,
    /// Streams that are held open until they are dropped.
    held: Vec<Sender<Bytes, std::convert::Infallible>>,
}

struct Watcher {
    sender: Sender<Bytes, std::convert::Infallible>,
    only: Option<String>,
    table: bool,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub uri: String,
    pub accept: String,
    pub body: Vec<u8>,
}

pub struct Server {
    state: Arc<Mutex<State>>,
    task: Option<JoinHandle<()>>,
    socket: PathBuf,
}

fn bind(run: &Path, name: &str) -> UnixListener {
    let dir = std::fs::File::open(run).expect("directory");
    let path = format!("/proc/self/fd/{}/{name}.sock", dir.as_raw_fd());
    let _ = std::fs::remove_file(&path);
    UnixListener::bind(path).expect("bind")
}

/// A socket whose owner is dead.
pub fn dead_socket(root: &Root, name: &str) {
    drop(bind(&root.run, name));
}

/// A socket whose owner takes connections and says nothing.
pub fn silent_socket(root: &Root, name: &str) -> UnixListener {
    bind(&root.run, name)
}

impl Server {
    pub fn start(root: &Root, name: &str, pods: &[&str]) -> Self {
        let state = Arc::new(Mutex::new(State {
            server: name.into(),
            ..State::default()
        }));
        let mut server = Self {
            state,
            task: None,
            socket: root.run.join(format!("{name}.sock")),
        };
        for pod in pods {
            server.put(pod, "Running");
        }
        server.serve(root, name);
        server
    }

    fn serve(&mut self, root: &Root, name: &str) {
        let listener = bind(&root.run, name);
        let state = Arc::clone(&self.state);
        self.task = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accept");
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        }));
    }

    /// Adds or changes a Pod.
    pub fn put(&self, name: &str, phase: &str) {
        let mut state = self.state.lock().expect("lock");
        let pod = state.next(name, phase);
        let old = state.pods.insert(name.into(), pod.clone());
        state.tell(if old.is_some() { "MODIFIED" } else { "ADDED" }, &pod);
    }

    /// Adds or changes a Pod without a word to those who watch.
    pub fn put_unseen(&self, name: &str, phase: &str) {
        let mut state = self.state.lock().expect("lock");
        let pod = state.next(name, phase);
        state.pods.insert(name.into(), pod);
    }

    /// Removes a Pod.
    pub fn remove(&self, name: &str) {
        let mut state = self.state.lock().expect("lock");
        let pod = state.pods.remove(name).expect("Pod");
        state.version += 1;
        state.tell("DELETED", &pod);
    }

    /// Ends all watches in good order, after a line if there is one.
    pub fn end_watches(&self, line: Option<&Value>) {
        let mut state = self.state.lock().expect("lock");
        for mut watch in state.watches.drain(..) {
            if let Some(line) = line {
                let _ = watch
                    .sender
                    .try_send(hyper::body::Frame::data(line_of(line)));
            }
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().expect("lock").seen.clone()
    }

    /// How many streams that were held are still wanted.
    pub async fn until_nobody_reads(&self) {
        loop {
            let held = {
                let mut state = self.state.lock().expect("lock");
                std::mem::take(&mut state.held)
            };
            let mut wanted = false;
            for mut sender in held {
                wanted |= sender.send_data(Bytes::from_static(b"x")).await.is_ok();
                self.state.lock().expect("lock").held.push(sender);
            }
            if !wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// As SIGKILL: connections break, the socket's file stays.
    pub async fn kill(&mut self) {
        let task = self.task.take().expect("running");
        task.abort();
        let _ = task.await;
        self.state.lock().expect("lock").watches.clear();
        assert!(self.socket.exists(), "the file is left behind");
    }
}

impl State {
    fn next(&mut self, name: &str, phase: &str) -> Value {
        self.version += 1;
        let uid = match self.pods.get(name) {
            Some(pod) => pod["metadata"]["uid"].clone(),
            None => json!(format!("{}-{}", self.server, self.version)),
        };
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": "default", "uid": uid,
                "resourceVersion": self.version.to_string(),
            },
            "status": {"phase": phase},
        })
    }

    fn tell(&mut self, type_: &'static str, pod: &Value) {
        self.history.push((self.version, type_, pod.clone()));
        for watch in &mut self.watches {
            watch.tell(type_, pod);
        }
    }
}

impl Watcher {
    fn tell(&mut self, type_: &str, pod: &Value) {
        let name = &pod["metadata"]["name"];
        if self.only.as_ref().is_some_and(|only| *name != **only) {
            return;
        }
        let object = if self.table {
            // As the API server: the columns come with the first event only.
            json!({"kind": "Table", "columnDefinitions": null, "rows": [row(pod)]})
        } else {
            pod.clone()
        };
        let line = line_of(&json!({"type": type_, "object": object}));
        let _ = self.sender.try_send(hyper::body::Frame::data(line));
    }
}

fn line_of(value: &Value) -> Bytes {
    format!("{value}\n").into()
}

fn row(pod: &Value) -> Value {
    json!({
        "cells": [pod["metadata"]["name"], pod["status"]["phase"]],
        "object": {"kind": "PartialObjectMetadata", "metadata": pod["metadata"]},
    })
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let header = |name| {
        let value = head
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().to_owned()
    };
    let body = match body.collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => b"broken off".to_vec(),
    };
    let uri = head.uri.to_string();
    let accept = header("accept");
    let mut state = state.lock().expect("lock");
    state.seen.push(Seen {
        method: head.method.clone(),
        uri,
        accept: accept.clone(),
        body,
    });
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let only = query
        .split('&')
        .find_map(|part| part.strip_prefix("fieldSelector=metadata.name%3D"))
        .map(str::to_owned);
    let table = accept.contains("as=Table");
    if query.contains("labelSelector=%28") {
        return Ok(refused(&Status::bad_request("unable to parse requirement")));
    }
    let name = path.strip_prefix("/api/v1/namespaces/default/pods/");
    if let Some(name) = name {
        let (name, below) = name.split_once('/').unwrap_or((name, ""));
        let Some(pod) = state.pods.get(name).cloned() else {
            return Ok(refused(&Status::not_found("pods", name)));
        };
        if below == "log" && query.contains("follow") {
            let (mut sender, channel) = Channel::new(4);
            let _ = sender.try_send(hyper::body::Frame::data(Bytes::from_static(b"one\n")));
            state.held.push(sender);
            return Ok(Response::new(channel.boxed()));
        }
        if below == "log" {
            return Ok(full("one\ntwo\n".into()));
        }
        return Ok(full(pod.to_string()));
    }
    if path.starts_with("/apis/pillion.dev/v1/namespaces/default/pods/") {
        return Ok(full("{}".into()));
    }
    if !matches!(path, "/api/v1/pods" | "/api/v1/namespaces/default/pods") {
        return Ok(refused(&Status::failure(404, "NotFound", "no such path")));
    }
    if query.contains("watch=true") {
        let (sender, channel) = Channel::new(16);
        let mut watch = Watcher {
            sender,
            only,
            table,
        };
        let (_, version) = query.split_once("resourceVersion=").expect("a version");
        let version: u64 = version.parse().expect("a number");
        for (when, type_, pod) in &state.history {
            if *when > version {
                watch.tell(type_, pod);
            }
        }
        state.watches.push(watch);
        return Ok(Response::new(channel.boxed()));
    }
    let pods = state.pods.values().filter(|pod| {
        only.as_ref()
            .is_none_or(|only| pod["metadata"]["name"] == **only)
    });
    let metadata = json!({"resourceVersion": state.version.to_string()});
    let list = if table {
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": [{"name": "Name"}, {"name": "Status"}],
            "rows": pods.map(row).collect::<Vec<_>>(),
        })
    } else {
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": pods.collect::<Vec<_>>()})
    };
    Ok(full(list.to_string()))
}

fn full(text: String) -> Response<Body> {
    Response::new(http_body_util::Full::new(text.into()).boxed())
}

fn refused(status: &Status) -> Response<Body> {
    let mut response = full(serde_json::to_string(status).expect("json"));
    *response.status_mut() = StatusCode::from_u16(status.code).expect("status");
    response
}
