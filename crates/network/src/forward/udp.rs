//! UDP: a socket per client towards the Pod, so that answers find back. Flows end when idle, and there is a bound on
//! how many there are.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{self, Instant};

/// As long as the kernel's connection tracking remembers a flow (`nf_conntrack_udp_timeout_stream`).
pub(super) const IDLE: Duration = Duration::from_secs(120);
/// Flows of one port; a new client beyond it takes the place of the one that was quiet longest.
pub(super) const FLOWS: usize = 1024;
/// Largest datagram and some.
const DATAGRAM: usize = 64 * 1024;
/// Pause after an error of the listening socket that is not about one datagram.
const RECEIVE_PAUSE: Duration = Duration::from_millis(100);

/// One client's way to the Pod.
struct Flow {
    upstream: Arc<UdpSocket>,
    last_used: Arc<Stamp>,
    task: AbortHandle,
}

/// When something last passed, in milliseconds since a start.
struct Stamp {
    start: Instant,
    passed: AtomicU64,
}

impl Stamp {
    fn now(start: Instant) -> Self {
        let stamp = Self {
            start,
            passed: AtomicU64::new(0),
        };
        stamp.touch();
        stamp
    }

    fn touch(&self) {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.passed.store(passed, Ordering::Relaxed);
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }
}

/// Receives and forwards until dropped.
pub(super) async fn serve(socket: Arc<UdpSocket>, mut target: watch::Receiver<SocketAddr>) {
    let start = Instant::now();
    let mut datagram = vec![0; DATAGRAM];
    let mut flows: HashMap<SocketAddr, Flow> = HashMap::new();
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            changed = target.changed() => {
                if changed.is_err() {
                    return;
                }
                flows.clear();
                tasks.abort_all();
            }
            Some(ended) = tasks.join_next_with_id() => {
                // The client may have a new flow by now; an aborted one is out of the table already.
                if let Ok((id, client)) = ended
                    && flows.get(&client).is_some_and(|flow| flow.task.id() == id)
                {
                    flows.remove(&client);
                }
            }
            received = socket.recv_from(&mut datagram) => {
                let (length, client) = match received {
                    Ok(received) => received,
                    // An earlier answer could not be delivered. It is reported here, and was lost: that is UDP.
                    Err(error) if is_of_a_datagram(&error) => continue,
                    Err(_) => {
                        time::sleep(RECEIVE_PAUSE).await;
                        continue;
                    }
                };
                if !flows.contains_key(&client) {
                    if flows.len() >= FLOWS {
                        forget_quietest(&mut flows);
                    }
                    let address = *target.borrow();
                    // No descriptor, no route: the datagram is lost, as datagrams are.
                    let Ok(upstream) = connect(address).await else { continue };
                    let upstream = Arc::new(upstream);
                    let last_used = Arc::new(Stamp::now(start));
                    let answers = answer(
                        Arc::clone(&socket), client, Arc::clone(&upstream), Arc::clone(&last_used),
                    );
                    let task = tasks.spawn(answers);
                    flows.insert(client, Flow { upstream, last_used, task });
                }
                if let (Some(flow), Some(datagram)) = (flows.get(&client), datagram.get(..length)) {
                    flow.last_used.touch();
                    // A link to a Pod never makes a sender wait for long. An error is that of an earlier datagram, whose
                    // receiver was not there yet; this one has not been sent.
                    if flow.upstream.send(datagram).await.is_err() {
                        let _ = flow.upstream.send(datagram).await;
                    }
                }
            }
        }
    }
}

/// A socket that hears the target only.
async fn connect(target: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if target.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(target).await?;
    Ok(socket)
}

/// Carries a flow's answers back, until it has been idle too long. Returns the client.
async fn answer(
    socket: Arc<UdpSocket>,
    client: SocketAddr,
    upstream: Arc<UdpSocket>,
    last_used: Arc<Stamp>,
) -> SocketAddr {
    loop {
        let idle_at = last_used.instant() + IDLE;
        tokio::select! {
            ready = upstream.readable() => {
                if ready.is_err() || !pass_on(&upstream, &socket, client, &last_used) {
                    return client;
                }
            }
            () = time::sleep_until(idle_at) => {
                if last_used.instant() + IDLE <= Instant::now() {
                    return client;
                }
            }
        }
    }
}

/// Passes on what has arrived. The buffer lives on the stack between two waits, so that a thousand flows do not hold a
/// thousand buffers. False if the flow broke.
fn pass_on(upstream: &UdpSocket, socket: &UdpSocket, client: SocketAddr, last: &Stamp) -> bool {
    let mut datagram = [0; DATAGRAM];
    loop {
        match upstream.try_recv(&mut datagram) {
            Ok(length) => {
                last.touch();
                if let Some(datagram) = datagram.get(..length) {
                    // A full send buffer loses it, as the network would.
                    let _ = socket.try_send_to(datagram, client);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Err(error) if is_of_a_datagram(&error) => {}
            Err(_) => return false,
        }
    }
}

/// Whether an error tells of the fate of one earlier datagram and not of the socket.
fn is_of_a_datagram(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | HostUnreachable | Interrupted
    )
}

fn forget_quietest(flows: &mut HashMap<SocketAddr, Flow>) {
    let quietest = flows
        .iter()
        .min_by_key(|(_, flow)| flow.last_used.instant());
    if let Some(client) = quietest.map(|(client, _)| *client)
        && let Some(flow) = flows.remove(&client)
    {
        flow.task.abort();
    }
}
