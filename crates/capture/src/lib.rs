//! The role `pillion capture`: connections of a Pod are redirected to its sidecar, by nf_tables rules in the Pod's network
//! namespace, written over netlink. It does what `iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 8080`
//! does, for IPv4 and IPv6, without that program, its modules or a shell.
//!
//! [`Capture`] says what is captured and what is not; [`install`], [`check`] and [`undo`] bring the kernel to it. All rules
//! are in one table of our own, [`TABLE`]. It belongs to no socket: it is made by an init container and stays until the
//! network namespace goes, or [`undo`].
//!
//! What Linux does with the rules, and who relies on it:
//! - A connection is translated once, at its first packet. One that is there when rules are replaced keeps what it got; [`undo`] ends those
//!   that were captured.
//! - The chain for incoming connections sees what comes from other machines and from the node (published ports and probes as
//!   well), not what a container of the Pod sends to the Pod itself: that has passed the chain for outgoing ones.
//! - An incoming connection is redirected to the address of the interface by which it came: the sidecar must listen on all
//!   addresses. An outgoing one is redirected to 127.0.0.1 or ::1.
//! - Where the connection was to go, the kernel tells by `SO_ORIGINAL_DST`.

mod error;
mod foreign;
mod plan;
mod table;
mod words;

pub use error::Error;
pub use foreign::Foreign;
pub use plan::{Capture, Inbound, Mark, Outbound, PlanError, Ports, Redirect, SpellingError};
pub use table::{Installed, TABLE, check, foreign, install, undo};

#[cfg(test)]
mod tests;
