//! `pillion port-forward`: ports of a Pod as ports of this machine.

mod listen;
mod ports;

use std::process::ExitCode;

use client::{Client, PodName, Resource};
use manifest::core::v1::{Pod, PodPhase};
use streaming::client::PortForward;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

use self::listen::Listening;
use super::{Failure, kube};
use crate::cli::{Global, PortForwardArgs};
use crate::exit;
use crate::term::Term;

pub(crate) fn run(
    args: &PortForwardArgs,
    global: &Global,
    term: &Term,
) -> Result<ExitCode, Failure> {
    kube::block_on(forward(args, global, *term))?;
    Ok(exit::SUCCESS.into())
}

/// The Pod, and how to reach it.
#[derive(Clone, Debug)]
struct Target {
    client: Client,
    pod: PodName,
    term: Term,
}

async fn forward(args: &PortForwardArgs, global: &Global, term: Term) -> Result<(), Failure> {
    let client = kube::client(global);
    let name = kube::pod_name(&args.pod, args.namespace.name())?;
    let pod: Pod = client.get(Resource::Pods, &name).await?;
    let forwards = ports::parse(&args.ports, &pod)?;
    let phase = pod.status.as_ref().and_then(|status| status.phase);
    let phase = phase.unwrap_or_default();
    if phase != PodPhase::Running {
        return Err(Failure::text(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let target = Target {
        client,
        pod: name,
        term,
    };
    // Its end is that of the Pod. What is forwarded goes over connections of its own, so that one that is not read holds up no
    // other.
    let session = target.connect().await?;
    let mut listening = Listening::new(&args.address, &forwards, &term)?;
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| Failure::new("listen to signals".into(), error))?;
    loop {
        tokio::select! {
            (stream, local, remote) = listening.next() => {
                say(&term, &format!("Handling connection for {local}\n"))?;
                let target = target.clone();
                tokio::spawn(async move { target.carry(stream, local, remote).await });
            }
            () = session.gone() => return Err(Failure::text("lost connection to pod".into())),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}

/// Prints a line that others may wait for.
fn say(term: &Term, line: &str) -> Result<(), Failure> {
    term.write(line.as_bytes()).map_err(Failure::output)
}

impl Target {
    async fn connect(&self) -> Result<PortForward, Failure> {
        let connection = self.client.connect(&self.pod).await?;
        let path = self.pod.stream_uri("portforward", &[]);
        Ok(streaming::client::port_forward(connection, &path).await?)
    }

    /// Carries one connection. What goes wrong ends it, and no other.
    async fn carry(&self, mut stream: TcpStream, local: u16, remote: u16) {
        let failure = match self.open(remote).await {
            Ok(forwarded) => {
                let mut pod = tokio::io::join(forwarded.reader, forwarded.writer);
                // Either side may end it as it likes.
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut pod).await;
                drop((pod, stream));
                forwarded.failure.message().await
            }
            Err(failure) => Some(failure.to_string()),
        };
        if let Some(message) = failure {
            self.term.error_text(&format!(
                "an error occurred forwarding {local} -> {remote}: {}",
                printers::escape::terminal(&message)
            ));
        }
    }

    async fn open(&self, port: u16) -> Result<streaming::client::Forwarded, Failure> {
        Ok(self.connect().await?.connect(port).await?)
    }
}
