//! Where connections to be forwarded come in.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::ports::Forward;
use super::say;
use crate::commands::Failure;
use crate::term::Term;

/// Connections that wait to be carried.
const WAITING: usize = 16;

/// All sockets that listen.
#[derive(Debug)]
pub(super) struct Listening(mpsc::Receiver<(TcpStream, u16, u16)>);

impl Listening {
    /// Listens on all ports at all addresses, and says so. A port that cannot be had is told, and is an error only where
    /// there is no other.
    pub(super) fn new(
        addresses: &[String],
        forwards: &[Forward],
        term: &Term,
    ) -> Result<Self, Failure> {
        let addresses = parse(addresses)?;
        let (sender, connections) = mpsc::channel(WAITING);
        let mut some = false;
        for forward in forwards {
            let (listeners, refused) = listen(&addresses, *forward);
            for listener in listeners {
                let local = listener.local_addr();
                let local = local.map_err(|error| Failure::new("listen".into(), error))?;
                say(
                    term,
                    &format!("Forwarding from {local} -> {}\n", forward.remote),
                )?;
                let port = (local.port(), forward.remote);
                tokio::spawn(accept(listener, port, sender.clone()));
            }
            match refused {
                None => some = true,
                Some(errors) => term.remark(&format!(
                    "Unable to listen on port {}: Listeners failed to create with the following errors: [{errors}]\n",
                    forward.local
                )),
            }
        }
        if some {
            return Ok(Self(connections));
        }
        let ports: Vec<String> = forwards.iter().map(ToString::to_string).collect();
        Err(Failure::text(format!(
            "unable to listen on any of the requested ports: [{}]",
            ports.join(" ")
        )))
    }

    /// The next connection, with the port it came in at and the one it is for.
    pub(super) async fn next(&mut self) -> (TcpStream, u16, u16) {
        match self.0.recv().await {
            Some(next) => next,
            // There is a listener as long as the program runs.
            None => std::future::pending().await,
        }
    }
}

impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {}}}", self.local, self.remote)
    }
}

/// What `--address` says.
#[derive(Debug, Default)]
struct Addresses {
    /// All of them are wanted.
    exact: BTreeSet<IpAddr>,
    /// `localhost`: 127.0.0.1 and `::1`, or one of them where there is no other.
    localhost: bool,
}

fn parse(texts: &[String]) -> Result<Addresses, Failure> {
    let mut addresses = Addresses::default();
    for text in texts {
        if text == "localhost" {
            addresses.localhost = true;
            continue;
        }
        let address = text.parse();
        addresses
            .exact
            .insert(address.map_err(|_| Failure::text(format!("{text} is not a valid IP")))?);
    }
    Ok(addresses)
}

/// The sockets of one port, and the errors if they are not those that are wanted.
fn listen(addresses: &Addresses, forward: Forward) -> (Vec<TcpListener>, Option<String>) {
    const LOCALHOST: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    let mut all = addresses.exact.clone();
    if addresses.localhost {
        all.extend(LOCALHOST);
    }
    let mut port = forward.local;
    let (mut listeners, mut errors) = (Vec::new(), Vec::new());
    let (mut local, mut missing) = (0, 0);
    for address in all {
        let exact = addresses.exact.contains(&address);
        match bind(SocketAddr::new(address, port)) {
            Ok((listener, bound)) => {
                // One that is free is the same for all addresses.
                port = bound;
                listeners.push(listener);
                local += u32::from(!exact);
            }
            Err(error) => {
                errors.push(error);
                missing += u32::from(exact);
            }
        }
    }
    let refused = missing > 0 || (addresses.localhost && local == 0 && !errors.is_empty());
    (listeners, refused.then(|| errors.join(" ")))
}

fn bind(address: SocketAddr) -> Result<(TcpListener, u16), String> {
    let family = if address.is_ipv4() { "tcp4" } else { "tcp6" };
    let bind = || -> std::io::Result<(TcpListener, u16)> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    bind().map_err(|error| {
        let cause = match error.raw_os_error() {
            // In lower case and without a number.
            Some(code) => rustix::io::Errno::from_raw_os_error(code).to_string(),
            None => error.to_string(),
        };
        let cause = cause
            .split(" (os error")
            .next()
            .unwrap_or_default()
            .to_lowercase();
        format!("unable to create listener: Error listen {family} {address}: bind: {cause}")
    })
}

async fn accept(
    listener: TcpListener,
    (local, remote): (u16, u16),
    to: mpsc::Sender<(TcpStream, u16, u16)>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if to.send((stream, local, remote)).await.is_err() {
                    return;
                }
            }
            // It went before it was taken; or there are no more descriptors, until some connection ends.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
