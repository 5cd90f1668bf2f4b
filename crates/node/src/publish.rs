//! Ports of Pods on the host: `hostPort` and `--publish`.
//!
//! A port is taken before its Pod starts, so that one that is not free is told before anything runs, and
//! stays taken while the Pod's sandbox comes and goes, until the Pod has ended.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use manifest::core::v1::{Pod, Protocol};
use network::forward::{ForwardError, Forwarder, everywhere};
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

/// Nobody answers at port 0: whoever connects while the Pod has no address is refused.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A port that the user wants published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The host's address.
    pub ip: IpAddr,
    /// The host's port.
    pub host_port: u16,
    /// Name of the Pod.
    pub pod: String,
    /// The Pod's port.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A port could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("publish port {port} of Pod {pod}")]
pub struct PublishError {
    pod: String,
    port: u16,
    #[source]
    source: ForwardError,
}

/// A taken port of the host, whose traffic goes to a Pod once that has an address.
#[derive(Clone, Debug)]
pub(crate) struct Reserved {
    port: u16,
    forwarder: Arc<Forwarder>,
}

/// A taken port on its way into the next program of its process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptPort {
    port: u16,
    protocol: Protocol,
    socket: i32,
    target: SocketAddr,
}

impl Reserved {
    /// Sends the port on into the next program of this process; whoever connects meanwhile waits for that.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<KeptPort> {
        Ok(KeptPort {
            port: self.port,
            protocol: match self.forwarder.protocol() {
                network::forward::Protocol::Tcp => Protocol::Tcp,
                network::forward::Protocol::Udp => Protocol::Udp,
            },
            socket: outgoing.add(&*self.forwarder)?,
            target: self.forwarder.target(),
        })
    }

    /// Takes a port over from the program before.
    pub(crate) fn take_over(kept: &KeptPort, incoming: &mut Incoming) -> io::Result<Self> {
        let protocol = forwarded(kept.protocol);
        let socket = incoming.claim(kept.socket)?;
        let forwarder = Forwarder::take_over(socket, protocol, kept.target)?;
        Ok(Self {
            port: kept.port,
            forwarder: Arc::new(forwarder),
        })
    }

    /// Sends traffic to the Pod at `ip` from now on.
    pub(crate) fn aim(&self, ip: IpAddr) {
        self.forwarder.set_target(SocketAddr::new(ip, self.port));
    }

    /// Sends no traffic: the Pod has no address, and the one it had may soon be another's.
    pub(crate) fn hold(&self) {
        self.forwarder.set_target(NOWHERE);
    }
}

/// How often a port that is taken is tried again, and how long after.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Takes the host ports of a Pod whose owner has just died: it lets go of its locks a moment before its sockets.
pub(crate) fn take_over(pod: &Pod, wanted: &[Publish]) -> Result<Vec<Reserved>, PublishError> {
    for _ in 0..TRIES {
        match reserve(pod, wanted) {
            Err(error) if matches!(error.source, ForwardError::Taken { .. }) => {
                std::thread::sleep(BETWEEN_TRIES);
            }
            done => return done,
        }
    }
    reserve(pod, wanted)
}

/// Takes all host ports of a Pod.
pub(crate) fn reserve(pod: &Pod, wanted: &[Publish]) -> Result<Vec<Reserved>, PublishError> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let host_network = pod.spec.host_network == Some(true);
    let mut listens: Vec<(SocketAddr, u16, Protocol)> = wanted
        .iter()
        .filter(|publish| publish.pod == name)
        // On the host's network a port is there already.
        .filter(|publish| !host_network || publish.host_port != publish.port)
        .map(|publish| {
            (
                SocketAddr::new(publish.ip, publish.host_port),
                publish.port,
                publish.protocol,
            )
        })
        .collect();
    if !host_network {
        listens.extend(host_ports(pod));
    }
    let mut reserved = Vec::new();
    for (listen, port, protocol) in listens {
        let failed = |source| PublishError {
            pod: name.to_owned(),
            port,
            source,
        };
        let forwarder = Forwarder::bind(listen, forwarded(protocol), NOWHERE).map_err(failed)?;
        reserved.push(Reserved {
            port,
            forwarder: Arc::new(forwarder),
        });
    }
    Ok(reserved)
}

fn forwarded(protocol: Protocol) -> network::forward::Protocol {
    match protocol {
        Protocol::Udp => network::forward::Protocol::Udp,
        _ => network::forward::Protocol::Tcp,
    }
}

/// The ports that containers ask for; without `hostIP` on all addresses of both families.
fn host_ports(pod: &Pod) -> Vec<(SocketAddr, u16, Protocol)> {
    let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let mut listens = Vec::new();
    for port in containers.flat_map(|container| &container.ports) {
        let number = |value: Option<i32>| value.and_then(|port| u16::try_from(port).ok());
        let (Some(host), Some(inner)) = (number(port.host_port), number(Some(port.container_port)))
        else {
            continue;
        };
        if host == 0 {
            continue;
        }
        let protocol = port.protocol.unwrap_or_default();
        let listen = match port
            .host_ip
            .as_deref()
            .and_then(|ip| ip.parse::<IpAddr>().ok())
        {
            Some(ip) => SocketAddr::new(ip, host),
            None => everywhere(host),
        };
        listens.push((listen, inner, protocol));
    }
    listens.sort_by_key(|(listen, ..)| *listen);
    listens.dedup();
    listens
}
