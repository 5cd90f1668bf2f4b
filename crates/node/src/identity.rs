//! What the node is: its name, addresses and size.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use crate::env::NodeFacts;

/// Reads the facts once, at the start.
pub(crate) fn facts() -> NodeFacts {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    NodeFacts {
        node_name: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .to_lowercase(),
        host_ips: host_ips(),
        pod_ips: Vec::new(),
        cpu_millis: i64::try_from(cpus).unwrap_or(1) * 1000,
        memory_bytes: memory_bytes(),
    }
}

/// The addresses from which this machine would talk to the world; no packet is sent to find out.
fn host_ips() -> Vec<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): any address beyond the links does.
    let far: [(IpAddr, IpAddr); 2] = [
        (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    ];
    let mut ips: Vec<IpAddr> = far
        .iter()
        .filter_map(|(any, far)| {
            let socket = UdpSocket::bind((*any, 0)).ok()?;
            socket.connect((*far, 9)).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .collect();
    if ips.is_empty() {
        // A machine with no way out still has itself.
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    ips
}

fn memory_bytes() -> i64 {
    let info = rustix::system::sysinfo();
    let bytes = u128::from(info.totalram) * u128::from(info.mem_unit);
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
