//! What can fail about Pod networks.

use std::io;

use rustix::io::Errno;

use netlink::AddressRange;
use netlink::NetlinkError;

/// What failed about the Pod network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host side cannot be talked to.
    #[error("open the routing socket of this machine")]
    Host(#[source] NetlinkError),
    /// The socket that owns the packet filter table did not come along.
    #[error("take the packet filter table over")]
    TakeOver(#[source] io::Error),
    /// The host's links or routes cannot be listed.
    #[error("list the {what} of this machine")]
    List {
        /// Links, routes, tables.
        what: &'static str,
        /// The kernel's answer.
        #[source]
        source: NetlinkError,
    },
    /// The namespace's file cannot be examined.
    #[error("identify a network namespace")]
    Namespace(#[source] io::Error),
    /// A configured range is of the other family or holds no Pod.
    #[error("range {0} for Pod addresses is not usable")]
    Range(AddressRange),
    /// All configured ranges are in use on this machine.
    #[error("every range for Pod addresses overlaps a network of this machine: {0}")]
    RangesTaken(String),
    /// Each address of the range belongs to a Pod.
    #[error("every Pod address of {0} is taken")]
    AddressesTaken(AddressRange),
    /// The Pod would have got its `eth0` in this machine's own namespace.
    #[error("attach Pod {pod}: its network namespace is this machine's own")]
    HostNamespace {
        /// The Pod's UID.
        pod: String,
    },
    /// The Pod's namespace cannot be entered.
    #[error("attach Pod {pod}: enter its network namespace")]
    Enter {
        /// The Pod's UID.
        pod: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A setting of the Pod's link on this machine cannot be written.
    #[error("attach Pod {pod}: set {key}")]
    Setting {
        /// The Pod's UID.
        pod: String,
        /// The setting, below `net`.
        key: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A step of attaching was refused.
    #[error("attach Pod {pod}: {step}")]
    Attach {
        /// The Pod's UID.
        pod: String,
        /// What was being done.
        step: &'static str,
        /// The kernel's answer.
        #[source]
        source: NetlinkError,
    },
    /// The link stays until its namespace goes.
    #[error("detach Pod: delete link {interface}")]
    Detach {
        /// The host's side of the link.
        interface: String,
        /// The kernel's answer.
        #[source]
        source: NetlinkError,
    },
}

impl Error {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        let (Self::Attach { source, .. } | Self::Detach { source, .. } | Self::Host(source)) = self
        else {
            return None;
        };
        match source.errno()? {
            Errno::PERM | Errno::ACCESS => Some("Pod networks need root (CAP_NET_ADMIN)"),
            Errno::OPNOTSUPP => Some("the kernel lacks the veth driver (CONFIG_VETH)"),
            _ => None,
        }
    }
}
