//! Who holds a port: the socket from `/proc/net`, its process from the descriptors of all.

use std::fmt;
use std::net::SocketAddr;

use super::Protocol;

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process id, in our own PID namespace.
    pub pid: u32,
    /// Its name, at most 15 characters.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.command, self.pid)
    }
}

/// State LISTEN of TCP; a UDP socket that is bound and not connected is in state CLOSE.
const TCP_LISTEN: &str = "0A";
const UDP_BOUND: &str = "07";

/// Looks for it; others' processes are visible to root only.
pub(super) fn find(address: SocketAddr, protocol: Protocol) -> Option<Holder> {
    let (tables, state) = match protocol {
        Protocol::Tcp => (["tcp", "tcp6"], TCP_LISTEN),
        Protocol::Udp => (["udp", "udp6"], UDP_BOUND),
    };
    let sockets: Vec<String> = tables
        .iter()
        // The thread's own: a thread may be in another network namespace than its process.
        .filter_map(|table| std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).ok())
        .flat_map(|text| inodes(&text, address.port(), state).collect::<Vec<_>>())
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = std::fs::read_dir("/proc").ok()?;
    let mut pids = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| holds_one_of(*pid, &sockets))?;
    let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(Holder {
        pid,
        command: command.trim_end().to_owned(),
    })
}

fn holds_one_of(pid: u32, sockets: &[String]) -> bool {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"));
    descriptors.into_iter().flatten().flatten().any(|entry| {
        std::fs::read_link(entry.path()).is_ok_and(|link| {
            let link = link.as_os_str();
            sockets.iter().any(|socket| link == socket.as_str())
        })
    })
}

/// The inodes of the sockets of a table (`proc_net_tcp.rst` of the kernel) in this state on this port.
fn inodes<'a>(table: &'a str, port: u16, state: &'a str) -> impl Iterator<Item = u64> + 'a {
    table.lines().skip(1).filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, found, _, _, _, _, _, inode, ..] = fields.as_slice() else {
            return None;
        };
        let (_, local_port) = local.rsplit_once(':')?;
        let matches = u16::from_str_radix(local_port, 16) == Ok(port) && *found == state;
        // A socket whose process closed it has inode 0.
        inode.parse().ok().filter(|inode| matches && *inode != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41 1 f 100 0 0 10 0
   1: 0100007F:0050 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 42 1 f 20 4 30 10 -1
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 43 1 f 100 0 0 10 0
   3: 0100007F:1F90 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 0 1 f
   broken
";

    #[test]
    fn listening_sockets_on_the_port_are_found() {
        for (port, expected) in [(80, vec![41]), (8080, vec![43]), (81, vec![])] {
            assert_eq!(
                inodes(TABLE, port, TCP_LISTEN).collect::<Vec<_>>(),
                expected,
                "{port}"
            );
        }
        assert_eq!(inodes("", 80, TCP_LISTEN).count(), 0);
    }
}
