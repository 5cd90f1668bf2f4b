//! A Pod and a client of it, in network namespaces of their own with a link between them.

mod foreign;
mod inbound;
mod outbound;
mod plan;
mod table;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use netlink::route;
use netlink::testing::Namespace;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{ip_original_dst, ipv6_original_dst};

use crate::{Capture, Inbound, Installed, Outbound};

const CLIENT: [&str; 2] = ["192.0.2.1", "2001:db8::1"];
const OTHER_CLIENT: [&str; 2] = ["198.51.100.1", "2001:db8:ffff::1"];
const POD: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

/// For what should be there already.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

struct Net {
    client: Namespace,
    pod: Namespace,
}

impl Net {
    fn new() -> Self {
        let (client, pod) = (Namespace::new(), Namespace::new());
        client.configure(&[route::new_veth("c0", "eth0", pod.as_fd())]);
        let sides = [
            (&client, "c0", [CLIENT, OTHER_CLIENT].concat(), POD.to_vec()),
            (&pod, "eth0", POD.to_vec(), [CLIENT, OTHER_CLIENT].concat()),
        ];
        for (side, link, own, others) in sides {
            let index = side.index(link);
            let mut requests = vec![route::set_up(index)];
            requests.extend(
                own.iter()
                    .map(|own| route::new_address(index, address(own))),
            );
            requests.extend(
                others
                    .iter()
                    .map(|other| route::new_host_route(index, address(other))),
            );
            side.configure(&requests);
        }
        Self { client, pod }
    }

    fn install(&self, capture: &Capture) -> Installed {
        self.pod.run(|| crate::install(capture).unwrap())
    }

    fn undo(&self) -> bool {
        self.pod.run(|| crate::undo().unwrap())
    }

    /// What another program says the rules are.
    fn nft(&self) -> String {
        let output = self.pod.run(|| {
            Command::new("nft")
                .args(["list", "ruleset"])
                .output()
                .unwrap()
        });
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, command: &[&str]) {
        let output = self.pod.run(|| {
            Command::new(command[0])
                .args(&command[1..])
                .output()
                .unwrap()
        });
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

/// A server that has to say who it is to each that connects, and is told where that was to go.
struct Server(TcpListener);

impl Server {
    fn listen(namespace: &Namespace, address: &str) -> Self {
        Self(namespace.run(|| {
            TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"))
        }))
    }

    /// A connection that has been made waits in the backlog, so this takes no time, unless it came elsewhere.
    fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut waiting = [PollFd::new(&self.0, PollFlags::IN)];
        let ready = poll(&mut waiting, Some(&PATIENCE)).unwrap();
        assert_eq!(ready, 1, "no connection came to {:?}", self.0);
        self.0.accept().unwrap()
    }

    /// Takes the connection that waits: where it came from and where it was to go.
    fn take(&self, greeting: &str) -> (IpAddr, SocketAddr) {
        let (mut connection, peer) = self.accept();
        connection.write_all(greeting.as_bytes()).unwrap();
        let local = connection.local_addr().unwrap();
        let original = match local.ip().to_canonical() {
            IpAddr::V4(_) => ip_original_dst(&connection).map(SocketAddr::from),
            IpAddr::V6(_) => ipv6_original_dst(&connection).map(SocketAddr::from),
        };
        // Where nothing is translated the kernel knows none.
        let original = original.unwrap_or(local);
        (peer.ip().to_canonical(), original)
    }
}

/// Connects to where something listens, or not.
fn connect(from: &Namespace, to: (&str, u16)) -> Result<TcpStream, ErrorKind> {
    let to = socket(to);
    from.run(|| TcpStream::connect_timeout(&to, Duration::from_secs(10)))
        .map_err(|error| error.kind())
}

/// Connects, and has the server take it; returns where the server sees the client and what it was to be.
fn reaches(from: &Namespace, to: (&str, u16), server: &Server) -> (IpAddr, SocketAddr) {
    let mut stream = connect(from, to).unwrap_or_else(|kind| panic!("{to:?}: {kind:?}"));
    let seen = server.take("hello");
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    seen
}

fn refused(from: &Namespace, to: (&str, u16)) {
    assert_eq!(
        connect(from, to).err(),
        Some(ErrorKind::ConnectionRefused),
        "{to:?}"
    );
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn socket((ip, port): (&str, u16)) -> SocketAddr {
    SocketAddr::new(address(ip), port)
}

fn inbound(redirects: &[&str]) -> Inbound {
    Inbound {
        redirects: redirects.iter().map(|text| text.parse().unwrap()).collect(),
        ..Inbound::default()
    }
}

/// With the sidecar as UID 1337.
fn outbound(redirects: &[&str]) -> Outbound {
    Outbound {
        redirects: redirects.iter().map(|text| text.parse().unwrap()).collect(),
        exclude_users: vec![1337],
        ..Outbound::default()
    }
}

fn only_inbound(inbound: &Inbound) -> Capture {
    Capture::new(inbound, &Outbound::default()).unwrap()
}

fn only_outbound(outbound: &Outbound) -> Capture {
    Capture::new(&Inbound::default(), outbound).unwrap()
}
