//! The Pod network of one runner: open it once, attach Pods to it.

mod error;
mod forwarding;
mod link;
mod masquerade;
mod ranges;

use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netlink::{NETLINK_NETFILTER, NETLINK_ROUTE};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use crate::netns::{self, Identity};
pub use error::Error;
use forwarding::Sysctl;
use masquerade::{KeptTable, Masquerade};
use netlink::AddressRange;
use netlink::{Netlink, NetlinkError, Refusal, nft, route};

/// The name of every Pod's interface inside.
const POD_INTERFACE: &str = "eth0";
/// What the host's side of every Pod's link begins with, of all runners.
const HOST_PREFIX: &str = "pil";

/// Where Pod addresses may come from.
#[derive(Debug, Clone)]
pub struct Config {
    /// IPv4 ranges; the first that overlaps no network of this machine is used.
    pub ipv4_ranges: Vec<AddressRange>,
    /// IPv6 ranges likewise. None: Pods have IPv4 only.
    pub ipv6_ranges: Vec<AddressRange>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ipv4_ranges: vec![
                AddressRange::v4([10, 222, 0, 0], 16),
                AddressRange::v4([10, 111, 0, 0], 16),
                AddressRange::v4([172, 29, 0, 0], 16),
                AddressRange::v4([192, 168, 222, 0], 24),
                // The range for benchmarks (RFC 2544): hardly ever in use where the private ones all are.
                AddressRange::v4([198, 18, 0, 0], 16),
            ],
            // Unique local addresses (RFC 4193) with "pilli" in place of forty random bits.
            ipv6_ranges: vec![
                AddressRange::v6(0xfd70, 0x696c, 0x6c69, 64),
                AddressRange::v6(0xfd70, 0x696c, 0x6c6a, 64),
                AddressRange::v6(0xfd70, 0x696c, 0x6c6b, 64),
            ],
        }
    }
}

/// What Pod networks, of any runner, there are in a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Links `pil*`.
    pub links: Vec<String>,
    /// Packet filter tables `pillion-*`.
    pub tables: Vec<String>,
}

/// The Pod network of one runner.
///
/// It works in the network namespace of the thread that opened it. All methods block, for about a millisecond.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    host: Mutex<Netlink>,
    ipv4: AddressRange,
    ipv6: Option<AddressRange>,
    sysctl: Sysctl,
    /// The table it owns lives as long.
    masquerade: Option<Masquerade>,
}

/// A Pod network on its way into the next program of its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptNetwork {
    ipv4: AddressRange,
    ipv6: Option<AddressRange>,
    table: Option<KeptTable>,
}

/// A Pod's place in the network on its way into the next program of its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptAttachment {
    addresses: Vec<IpAddr>,
    routed: Vec<IpAddr>,
    interface: String,
    index: u32,
}

impl Network {
    /// Chooses the address ranges, switches forwarding on where it is off and makes the table that masquerades outgoing
    /// traffic. What is impossible here but not needed by every Pod is returned as a note for the user, a sentence each:
    /// no packet filter means no traffic beyond this machine, and so on.
    ///
    /// Forwarding (`net.ipv4.ip_forward` and its IPv6 counterpart) is the one thing that outlives the process: switching it
    /// off again would cut off whoever came to rely on it meanwhile.
    ///
    /// # Errors
    /// No routing socket, or no range without overlap.
    pub fn open(config: Config) -> Result<(Self, Vec<String>), Error> {
        let mut notes = Vec::new();
        let identity = Identity::current().map_err(Error::Namespace)?;
        let mut host = Netlink::open(NETLINK_ROUTE).map_err(Error::Host)?;
        let sysctl = Sysctl::default();

        let ipv4 = ranges::choose(&mut host, &config.ipv4_ranges, false, &mut notes)?;
        let ipv6 = if !config.ipv6_ranges.is_empty() && sysctl.ipv6_usable(&mut notes) {
            Some(ranges::choose(
                &mut host,
                &config.ipv6_ranges,
                true,
                &mut notes,
            )?)
        } else {
            None
        };
        sysctl.forward_ipv4(&mut notes);
        if ipv6.is_some() {
            sysctl.forward_ipv6(&mut notes);
        }
        let ranges: Vec<AddressRange> = [Some(ipv4), ipv6].into_iter().flatten().collect();
        let masquerade = Masquerade::open(&ranges, &mut notes);
        let shared = Shared {
            identity,
            host: Mutex::new(host),
            ipv4,
            ipv6,
            sysctl,
            masquerade,
        };
        let network = Self {
            shared: Arc::new(shared),
        };
        Ok((network, notes))
    }

    /// Sends the network on into the next program of this process: its ranges, and the packet filter table with the socket
    /// that owns it.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn hand_over(&self, outgoing: &mut Outgoing) -> std::io::Result<KeptNetwork> {
        let table = self.shared.masquerade.as_ref();
        let table = table.map(|table| table.hand_over(outgoing)).transpose()?;
        Ok(KeptNetwork {
            ipv4: self.shared.ipv4,
            ipv6: self.shared.ipv6,
            table,
        })
    }

    /// Takes the network over from the program before.
    ///
    /// # Errors
    /// No routing socket, or the table's did not come along.
    pub fn take_over(kept: KeptNetwork, incoming: &mut Incoming) -> Result<Self, Error> {
        let table = kept
            .table
            .map(|table| Masquerade::take_over(table, incoming));
        let shared = Shared {
            identity: Identity::current().map_err(Error::Namespace)?,
            host: Mutex::new(Netlink::open(NETLINK_ROUTE).map_err(Error::Host)?),
            ipv4: kept.ipv4,
            ipv6: kept.ipv6,
            sysctl: Sysctl::default(),
            masquerade: table.transpose().map_err(Error::TakeOver)?,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Takes a Pod's place in this network over from the program before.
    #[must_use]
    pub fn take_over_attachment(&self, kept: KeptAttachment) -> Attachment {
        Attachment {
            shared: Arc::clone(&self.shared),
            addresses: kept.addresses,
            routed: kept.routed,
            interface: kept.interface,
            index: kept.index,
            released: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Gives a Pod's network namespace its `eth0`, addresses and routes, and brings `lo` up.
    ///
    /// # Errors
    /// A step of it was refused; nothing is left of the steps before.
    pub fn attach(&self, netns: BorrowedFd<'_>, pod_uid: &str) -> Result<Attachment, Error> {
        let shared = &self.shared;
        let pod = || pod_uid.to_owned();
        if Identity::of(netns).map_err(Error::Namespace)? == shared.identity {
            return Err(Error::HostNamespace { pod: pod() });
        }
        let mut inside = netns::open_route_socket(netns)
            .map_err(|source| Error::Enter { pod: pod(), source })?
            .map_err(|source| Error::Attach {
                pod: pod(),
                step: "open a routing socket in its namespace",
                source,
            })?;
        let link = link::Plan {
            pod: pod_uid,
            ipv4: shared.ipv4,
            ipv6: shared.ipv6,
            sysctl: &shared.sysctl,
        };
        let made = link.carry_out(&mut shared.host(), &mut inside, netns)?;
        Ok(Attachment {
            shared: Arc::clone(shared),
            addresses: made.addresses,
            routed: made.routed,
            interface: made.interface,
            index: made.index,
            released: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// This machine's addresses as its Pods see them (`status.hostIPs`), IPv4 first.
    pub fn node_addresses(&self) -> Vec<IpAddr> {
        let ranges = [Some(self.shared.ipv4), self.shared.ipv6];
        ranges.iter().flatten().map(AddressRange::node).collect()
    }

    /// The ranges the addresses of this runner's Pods come from, IPv4 first.
    pub fn ranges(&self) -> Vec<AddressRange> {
        [Some(self.shared.ipv4), self.shared.ipv6]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What there is of Pod networks in the calling thread's namespace, of this runner and all others. Tests use it to see
    /// that nothing is left; a runner has nothing to clean up.
    ///
    /// # Errors
    /// The kernel does not list its links. A kernel without nf_tables has no tables.
    pub fn leftovers() -> Result<Leftovers, Error> {
        let mut host = Netlink::open(NETLINK_ROUTE).map_err(Error::Host)?;
        let links = route::links(&mut host).map_err(|source| Error::List {
            what: "links",
            source,
        })?;
        let tables = Netlink::open(NETLINK_NETFILTER)
            .and_then(|mut filter| nft::tables(&mut filter))
            .unwrap_or_default();
        Ok(Leftovers {
            links: links
                .into_iter()
                .map(|(_, name)| name)
                .filter(|name| name.starts_with(HOST_PREFIX))
                .collect(),
            tables: tables
                .into_iter()
                .map(|table| table.name)
                .filter(|name| name.starts_with(masquerade::TABLE_PREFIX))
                .collect(),
        })
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("ipv4", &self.shared.ipv4)
            .field("ipv6", &self.shared.ipv6)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn host(&self) -> MutexGuard<'_, Netlink> {
        // Whoever died holding it left at most unread answers behind, which the next sequence number passes over.
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket of one's own, for deleting links: the kernel waits some 20 ms for the last users of a link, which other
    /// Pods need not wait for. None on a thread that is not in the runner's namespace.
    fn host_socket(&self) -> Option<Netlink> {
        let here = Identity::current().is_ok_and(|current| current == self.identity);
        here.then(|| Netlink::open(NETLINK_ROUTE).ok()).flatten()
    }
}

/// A Pod's place in the network. It ends with [`close`](Self::close), when dropped, or with the Pod's namespace, for which
/// [`release`](Self::release) leaves it.
pub struct Attachment {
    shared: Arc<Shared>,
    addresses: Vec<IpAddr>,
    routed: Vec<IpAddr>,
    interface: String,
    index: u32,
    released: AtomicBool,
    closed: AtomicBool,
}

impl Attachment {
    /// What the next program of this process needs to know of it.
    #[must_use]
    pub fn hand_over(&self) -> KeptAttachment {
        KeptAttachment {
            addresses: self.addresses.clone(),
            routed: self.routed.clone(),
            interface: self.interface.clone(),
            index: self.index,
        }
    }

    /// The Pod's addresses (`status.podIPs`), IPv4 first.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The name of the link's side on this machine.
    pub fn host_interface(&self) -> &str {
        &self.interface
    }

    /// The name of the link's side in the Pod.
    pub fn pod_interface(&self) -> &'static str {
        POD_INTERFACE
    }

    /// Gives the Pod's addresses back: when it returns there is no route to them, and another Pod may have them at once. The
    /// link is left to the end of the Pod's namespace. Deleting it takes tens of ms, for which the kernel has its caller
    /// wait; a namespace it takes down in its own time, many of them in one go.
    ///
    /// # Errors
    /// The kernel refused; whoever wants the addresses free then has to [`close`](Self::close).
    pub fn release(&self) -> Result<(), Error> {
        if self.released.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let routes = self.routed.iter();
        let requests: Vec<_> = routes
            .map(|address| route::delete_host_route(self.index, *address))
            .collect();
        let verdicts = self.shared.host().request(&requests);
        // Gone with its link: ESRCH, or ENODEV.
        let gone = [Errno::SRCH, Errno::NODEV];
        let released = self.judged(verdicts, &gone);
        if released.is_err() {
            self.released.store(false, Ordering::Release);
        }
        released
    }

    /// Deletes the link, with its addresses and routes on both sides. A link that is gone already, as it is after its
    /// namespace, is fine, and so is closing twice.
    ///
    /// # Errors
    /// The kernel refused; the link then goes with the namespace.
    pub fn close(&self) -> Result<(), Error> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // By index, not name: indices are not given out again, so this cannot hit a link that came later.
        let request = [route::delete_link(self.index)];
        let verdicts = match self.shared.host_socket() {
            Some(mut socket) => socket.request(&request),
            None => self.shared.host().request(&request),
        };
        self.judged(verdicts, &[Errno::NODEV])
    }

    /// What the kernel refused, but for refusals that say it is done already.
    fn judged(
        &self,
        verdicts: Result<Vec<Result<(), Refusal>>, NetlinkError>,
        fine: &[Errno],
    ) -> Result<(), Error> {
        let detach = |source| Error::Detach {
            interface: self.interface.clone(),
            source,
        };
        for verdict in verdicts.map_err(detach)? {
            match verdict {
                Err(refusal) if !fine.contains(&refusal.errno) => {
                    return Err(detach(refusal.into()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // Nobody is left to tell; the link goes with its namespace at the latest.
        if !self.released.load(Ordering::Acquire) {
            let _ = self.close();
        }
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment")
            .field("interface", &self.interface)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
