//! HTTP between simulated processes: a server of files and CGI programs as busybox has one, and its clients.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::fs::{Entry, normal};
use super::kernel::{self, Handle, Pid, Serves, TICK};
use crate::shell::Start;
use crate::shell::exec::{Buffer, Image};

/// How often a client follows a redirect.
const REDIRECTS: usize = 10;

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
    /// Whether it leads to another host, where nobody followed (R6.5).
    pub(crate) leads_away: bool,
}

impl Reply {
    fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            location: None,
            body: body.into(),
            leads_away: false,
        }
    }
}

impl Request {
    /// What `http://host:port/path` asks for.
    pub(crate) fn from_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://").unwrap_or(url);
        if rest.contains("://") {
            return None;
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, 80),
        };
        Some(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            headers: Vec::new(),
        })
    }

    fn redirected(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') {
            return Some(Self {
                path: location.to_owned(),
                ..self.clone()
            });
        }
        let next = Self::from_url(location)?;
        (next.host == self.host).then_some(next)
    }
}

/// Connects to a port of the Pod and closes again; says whether somebody listens.
pub(crate) fn connect(kernel: &Handle, port: u16) -> bool {
    let mut kernel = kernel.borrow_mut();
    let once = kernel
        .listeners
        .get(&port)
        .map(|listener| matches!(listener.serves, Serves::Connection { once: true }));
    if once == Some(true) {
        kernel.listeners.remove(&port);
    }
    once.is_some()
}

/// Gets a page; redirects to the same host are followed.
pub(crate) async fn get(kernel: &Handle, pid: Pid, request: &Request) -> Result<Reply, String> {
    let mut request = request.clone();
    for _ in 0..=REDIRECTS {
        let mut reply = exchange(kernel, pid, &request).await?;
        if ![301, 302, 303, 307, 308].contains(&reply.status) {
            return Ok(reply);
        }
        match reply
            .location
            .as_deref()
            .and_then(|l| request.redirected(l))
        {
            Some(next) => request = next,
            None => {
                reply.leads_away = true;
                return Ok(reply);
            }
        }
    }
    Err("stopped after 10 redirects".to_owned())
}

async fn exchange(kernel: &Handle, pid: Pid, request: &Request) -> Result<Reply, String> {
    kernel::sleep(kernel, pid, TICK).await;
    let listener = kernel.borrow().listeners.get(&request.port).cloned();
    let (image, home) = match listener.map(|listener| listener.serves) {
        None => {
            return Err(format!(
                "dial tcp {}:{}: connect: connection refused",
                request.host, request.port
            ));
        }
        Some(Serves::Connection { .. }) => {
            // Nobody answers; who asks has a time limit.
            kernel::look(kernel, pid, |_| false).await;
            return Err("no answer".to_owned());
        }
        Some(Serves::Http(image, home)) => (image, home),
    };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let file = normal("/", &format!("{home}/{path}"));
    if path.starts_with("/cgi-bin/") {
        return Ok(run_program(kernel, pid, &image, &file, query, request).await);
    }
    let file = match image.mounts.get(&file) {
        Some(Entry::Directory) => format!("{file}/index.html"),
        _ => file,
    };
    Ok(match image.mounts.read(&file) {
        Ok(bytes) => Reply::new(200, String::from_utf8_lossy(&bytes)),
        Err(_) => Reply::new(404, "<HTML><BODY>404 Not Found</BODY></HTML>"),
    })
}

/// Runs a CGI program in the server's container.
async fn run_program(
    kernel: &Handle,
    pid: Pid,
    image: &Rc<Image>,
    file: &str,
    query: &str,
    request: &Request,
) -> Reply {
    if image.mounts.read(file).is_err() {
        return Reply::new(404, "");
    }
    let mut environment = BTreeMap::from([
        ("QUERY_STRING".to_owned(), query.to_owned()),
        ("REQUEST_METHOD".to_owned(), "GET".to_owned()),
        (
            "HTTP_HOST".to_owned(),
            format!("{}:{}", request.host, request.port),
        ),
    ]);
    for (name, value) in &request.headers {
        let name = name.to_ascii_uppercase().replace('-', "_");
        environment.insert(format!("HTTP_{name}"), value.clone());
    }
    let output = Buffer::default();
    let start = Start {
        image: Rc::clone(image),
        arguments: vec![file.to_owned()],
        environment,
        first: false,
        output: Some(Rc::clone(&output)),
        directory: file
            .rsplit_once('/')
            .map_or("/", |(parent, _)| parent)
            .to_owned(),
    };
    let program = start.spawn(kernel);
    kernel::join(kernel, pid, program).await;
    let text = String::from_utf8_lossy(&output.borrow()).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .or_else(|| text.split_once("\n\n"))
        .unwrap_or(("", &text));
    let mut reply = Reply::new(200, body);
    for line in head.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "status" => {
                let code = value.split(' ').next().and_then(|code| code.parse().ok());
                reply.status = code.unwrap_or(500);
            }
            "location" => reply.location = Some(value.to_owned()),
            _ => {}
        }
    }
    reply
}
