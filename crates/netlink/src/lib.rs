//! Netlink without other programs: a socket, and the requests of rtnetlink and nf_tables that Pod networks and captured
//! ports need. What is to be configured is decided by the users of this crate.

pub mod nft;
mod range;
pub mod route;
mod socket;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
pub use range::{AddressRange, RangeError};
pub use socket::{Answer, Netlink, NetlinkError, Refusal, Request};
