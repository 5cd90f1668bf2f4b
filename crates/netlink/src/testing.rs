//! What tests share: network namespaces that live as long as a value, and traffic between them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::new_without_default,
    reason = "code of tests, though not under cfg(test) for other crates"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use crate::{NETLINK_ROUTE, Netlink, Request, route};

/// A network namespace with nothing but `lo`, which is up.
pub struct Namespace(File);

impl Namespace {
    /// Makes one, with forwarding off. Needs root, and fails loudly without.
    pub fn new() -> Self {
        let maker = thread::spawn(|| {
            #[expect(deprecated, reason = "unsafe for files, which are not unshared here")]
            rustix::thread::unshare(UnshareFlags::NEWNET).expect("tests of networks need root");
            // A new namespace takes over what the machine has set for IPv4.
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").unwrap();
            Self(File::open("/proc/thread-self/ns/net").unwrap())
        });
        let namespace = maker.join().unwrap();
        namespace.configure(&[route::set_up(1)]);
        namespace
    }

    /// Runs on a thread inside.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
                    .unwrap();
                body()
            });
            match inside.join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Carries out rtnetlink requests inside.
    pub fn configure(&self, requests: &[Request]) {
        let verdicts = self.run(|| {
            Netlink::open(NETLINK_ROUTE)
                .unwrap()
                .request(requests)
                .unwrap()
        });
        for verdict in verdicts {
            verdict.unwrap();
        }
    }

    /// The index of a link inside.
    pub fn index(&self, name: &str) -> u32 {
        self.run(|| {
            let mut netlink = Netlink::open(NETLINK_ROUTE).unwrap();
            let links = route::links(&mut netlink).unwrap();
            links.iter().find(|(_, found)| found == name).unwrap().0
        })
    }

    /// Whether a route or an own address inside is exactly this.
    pub fn knows(&self, address: IpAddr) -> bool {
        self.run(|| {
            let mut netlink = Netlink::open(NETLINK_ROUTE).unwrap();
            let destinations = route::destinations(&mut netlink, address.is_ipv6()).unwrap();
            destinations.iter().any(|to| to.range.network() == address)
        })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends from one namespace to `address` in another and back; returns what address the server saw.
pub fn exchange(from: &Namespace, to: &Namespace, address: IpAddr) -> IpAddr {
    let listener = to.run(|| TcpListener::bind(SocketAddr::new(address, 0)).unwrap());
    let target = listener.local_addr().unwrap();
    let mut client = from.run(|| {
        TcpStream::connect_timeout(&target, Duration::from_secs(5))
            .unwrap_or_else(|error| panic!("connect to {target}: {error}"))
    });
    // Connected, so in the backlog: from here on nothing waits for long.
    let (mut server, peer) = listener.accept().unwrap();
    client.write_all(b"ping").unwrap();
    let mut question = [0; 4];
    server.read_exact(&mut question).unwrap();
    assert_eq!(&question, b"ping");
    server.write_all(b"pong").unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "pong");
    peer.ip()
}
