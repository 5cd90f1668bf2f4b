//! Probes and hooks in simulated containers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use lifecycle::{HookKind, Input, Instance, ProbeKind, ProbeOutcome};
use manifest::IntOrString;
use manifest::core::v1::{Container, GrpcAction, HttpGetAction, TcpSocketAction};

use super::config::expand;
use super::http::{self, Request};
use super::kernel::{self, Handle, Millis, Pid, SIGKILL, TICK};
use crate::shell::Start;
use crate::shell::exec::{Buffer, Image};

/// The version that probes say they are (R6.6).
const VERSION: &str = "1.36";

/// What a job is: an answer to it goes to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Probe(ProbeKind),
    Hook(HookKind),
}

/// What is done.
pub(crate) enum Handler<'a> {
    Exec(&'a [String]),
    Http(&'a HttpGetAction),
    Tcp(&'a TcpSocketAction),
    Grpc(&'a GrpcAction),
}

/// Where and as what it is done.
pub(crate) struct Order<'a> {
    pub(crate) image: &'a Rc<Image>,
    pub(crate) container: &'a Container,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) instance: Instance,
    pub(crate) kind: Kind,
    pub(crate) timeout: Option<Duration>,
}

/// A probe or hook under way.
pub(crate) struct Job {
    pub(crate) container: String,
    pub(crate) instance: Instance,
    pub(crate) kind: Kind,
    pid: Pid,
    /// The output of a command; open as long as somebody may write to it.
    output: Option<Buffer>,
    /// What the node found, when it does the job.
    found: Rc<RefCell<Option<(ProbeOutcome, String)>>>,
    pub(crate) deadline: Option<Millis>,
    timeout: Duration,
}

impl Job {
    /// Begins a job in a running container.
    pub(crate) fn begin(kernel: &Handle, order: Order<'_>, handler: &Handler<'_>) -> Self {
        let Order {
            image,
            container,
            environment,
            instance,
            kind,
            timeout,
        } = order;
        let found: Rc<RefCell<Option<(ProbeOutcome, String)>>> = Rc::default();
        let mut output = None;
        let pid = match handler {
            Handler::Exec(command) => {
                let buffer = output.insert(Buffer::default());
                // R6.2: the literal values of the container, in probes.
                let literal = |name: &str| {
                    let named = container.env.iter().find(|env| env.name == name);
                    named.and_then(|env| env.value.clone())
                };
                let probe = matches!(kind, Kind::Probe(_));
                let arguments = command.iter().map(|word| {
                    if probe {
                        expand(word, literal)
                    } else {
                        word.clone()
                    }
                });
                let start = Start {
                    image: Rc::clone(image),
                    arguments: arguments.collect(),
                    environment,
                    first: false,
                    output: Some(Rc::clone(buffer)),
                    directory: container
                        .working_dir
                        .clone()
                        .unwrap_or_else(|| "/".to_owned()),
                };
                start.spawn(kernel)
            }
            Handler::Http(action) => {
                let agent = match kind {
                    Kind::Probe(_) => "kube-probe",
                    Kind::Hook(_) => "kube-lifecycle",
                };
                let request = request(action, container, &image.pod_ip, agent);
                let hook = matches!(kind, Kind::Hook(_));
                let found = Rc::clone(&found);
                on_node(kernel, move |kernel, pid| async move {
                    let reply = match request {
                        Some(request) => http::get(&kernel, pid, &request).await,
                        None => Err("no such port".to_owned()),
                    };
                    found.replace(Some(judge(reply, hook)));
                })
            }
            Handler::Tcp(action) => {
                let port = port(&action.port, container);
                let found = Rc::clone(&found);
                on_node(kernel, move |kernel, pid| async move {
                    kernel::sleep(&kernel, pid, TICK).await;
                    let open = port.is_some_and(|port| http::connect(&kernel, port));
                    found.replace(Some(if open {
                        (ProbeOutcome::Success, String::new())
                    } else {
                        (
                            ProbeOutcome::Failure,
                            "connect: connection refused".to_owned(),
                        )
                    }));
                })
            }
            Handler::Grpc(action) => {
                let found = Rc::clone(&found);
                let port = u16::try_from(action.port).unwrap_or(0);
                on_node(kernel, move |kernel, pid| async move {
                    // No program of busybox speaks gRPC: what listens does not answer, or not so.
                    kernel::sleep(&kernel, pid, TICK).await;
                    let text = if http::connect(&kernel, port) {
                        "timeout: health rpc did not complete"
                    } else {
                        "timeout: failed to connect service"
                    };
                    found.replace(Some((ProbeOutcome::Failure, text.to_owned())));
                })
            }
        };
        let limit = timeout.and_then(|timeout| Millis::try_from(timeout.as_millis()).ok());
        Self {
            container: container.name.clone(),
            instance,
            kind,
            pid,
            output,
            found,
            deadline: limit.map(|limit| kernel.borrow().now() + limit),
            timeout: timeout.unwrap_or_default(),
        }
    }

    /// What came of it, when it is over.
    pub(crate) fn result(&self, kernel: &Handle) -> Option<(ProbeOutcome, String)> {
        if let Some(found) = self.found.take() {
            return Some(found);
        }
        if let Some(output) = &self.output
            && let Some(code) = kernel.borrow().code(self.pid)
        {
            // R6.1: a child that keeps the output open is waited for.
            if Rc::strong_count(output) == 1 {
                let text = String::from_utf8_lossy(&output.borrow()).into_owned();
                return Some(if code == 0 {
                    (ProbeOutcome::Success, text)
                } else {
                    (ProbeOutcome::Failure, text)
                });
            }
        }
        let now = kernel.borrow().now();
        self.deadline.filter(|deadline| *deadline <= now)?;
        kernel.borrow_mut().signal(self.pid, SIGKILL);
        let seconds = self.timeout.as_secs();
        Some((
            ProbeOutcome::Failure,
            format!("command timed out after {seconds}s"),
        ))
    }

    /// The answer for the machine.
    pub(crate) fn answer(self, (outcome, output): (ProbeOutcome, String)) -> Input {
        let (container, instance) = (self.container, self.instance);
        match self.kind {
            Kind::Probe(probe) => Input::ProbeDone {
                container,
                instance,
                probe,
                outcome,
                output,
            },
            Kind::Hook(hook) => Input::HookDone {
                container,
                instance,
                hook,
                result: if outcome == ProbeOutcome::Success {
                    Ok(())
                } else {
                    Err(output)
                },
            },
        }
    }
}

/// A process of the node.
fn on_node<F: Future<Output = ()> + 'static>(
    kernel: &Handle,
    work: impl FnOnce(Handle, Pid) -> F,
) -> Pid {
    let handle = Rc::clone(kernel);
    kernel.borrow_mut().spawn(None, None, false, move |pid| {
        let work = work(handle, pid);
        Box::pin(async move {
            work.await;
            0
        })
    })
}

/// A port by number, or by the name that the container gives it (R6.3).
fn port(port: &IntOrString, container: &Container) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let named = container
                .ports
                .iter()
                .find(|p| p.name.as_deref() == Some(name));
            match named {
                Some(port) => u16::try_from(port.container_port).ok(),
                None => name.parse().ok(),
            }
        }
    }
}

/// The request that an `httpGet` describes, with the headers of R6.6.
fn request(
    action: &HttpGetAction,
    container: &Container,
    pod_ip: &str,
    agent: &str,
) -> Option<Request> {
    let mut headers = vec![
        ("User-Agent".to_owned(), format!("{agent}/{VERSION}")),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    for header in &action.http_headers {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case(&header.name));
        let removes = ["user-agent", "accept"].contains(&header.name.to_ascii_lowercase().as_str());
        if !(header.value.is_empty() && removes) {
            headers.push((header.name.clone(), header.value.clone()));
        }
    }
    let host = action.host.clone().filter(|host| !host.is_empty());
    Some(Request {
        host: host.unwrap_or_else(|| pod_ip.to_owned()),
        port: port(&action.port, container)?,
        path: action.path.clone().unwrap_or_else(|| "/".to_owned()),
        headers,
    })
}

/// R6.4, R6.5 for probes; R7.10 for hooks.
fn judge(reply: Result<http::Reply, String>, hook: bool) -> (ProbeOutcome, String) {
    match reply {
        Err(error) => (ProbeOutcome::Failure, error),
        Ok(_) if hook => (ProbeOutcome::Success, String::new()),
        Ok(reply) if reply.leads_away => (
            ProbeOutcome::Warning,
            format!("Probe terminated redirects, Response body: {}", reply.body),
        ),
        Ok(reply) if (200..400).contains(&reply.status) => (ProbeOutcome::Success, reply.body),
        Ok(reply) => (
            ProbeOutcome::Failure,
            format!("HTTP probe failed with statuscode: {}", reply.status),
        ),
    }
}
