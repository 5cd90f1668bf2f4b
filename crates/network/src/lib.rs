//! Pod networks on one machine: addresses, links, outgoing traffic, published ports, and the files that name them.
//!
//! Everything here is crash-only: nothing is written down, and what the process makes is owned by something that the
//! kernel takes away by itself. A Pod's link dies with its network namespace and takes its routes and addresses along;
//! the packet filter table dies with the socket that made it; forwarders are ordinary sockets. What stays on purpose
//! are the kernel's forwarding switches, see [`Network::open`].
//!
//! There is no bridge. Each Pod has a veth pair, `eth0` inside and `pil<8 hex digits>` on the host, its addresses
//! are /32 and /128, and packets are routed, between Pods as well. The host's routing table is the allocator: a route to
//! an address exists once, so the kernel decides which of two runners gets it, and they need no shared state.
//!
//! Ports are published by [`forward`], in user space. It reaches every address of the machine with no packet filter
//! rule, it works for 127.0.0.1 without `route_localnet`, and it can tell who holds a port. Its price is a copy of each
//! byte. Services will need address translation in the kernel, and published ports can move there with them: the
//! table that [`Network`] owns is where those chains go.
//!
//! [`dns_config`], [`hosts`] and [`hostname`] are pure: they turn parts of a Pod into the text of `/etc/resolv.conf` and
//! `/etc/hosts` and into the host name, by the kubelet's rules.

pub mod dns_config;
pub mod forward;
pub mod hostname;
pub mod hosts;
mod netns;
mod pods;

pub use netlink::{AddressRange, NetlinkError, RangeError, Refusal};
pub use pods::{Attachment, Config, Error, KeptAttachment, KeptNetwork, Leftovers, Network};
