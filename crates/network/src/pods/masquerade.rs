//! Outgoing traffic: one packet filter table per runner that gives Pods' packets this machine's address.

use std::sync::atomic::{AtomicU32, Ordering};

use netlink::NETLINK_NETFILTER;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use super::HOST_PREFIX;
use netlink::AddressRange;
use netlink::nft::{self, Expression, Meta, Table};
use netlink::{Netlink, NetlinkError};

/// What the names of our tables begin with; process id, its start time and a number follow.
pub(super) const TABLE_PREFIX: &str = "pillion-";
const CHAIN: &str = "postrouting";

/// The table. It goes with this value.
pub(super) struct Masquerade {
    netlink: Netlink,
    table: Table,
}

/// A table on its way into the next program of its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeptTable {
    socket: i32,
    name: String,
    flags: u32,
}

impl Masquerade {
    pub(super) fn hand_over(&self, outgoing: &mut Outgoing) -> std::io::Result<KeptTable> {
        Ok(KeptTable {
            socket: outgoing.add(&self.netlink)?,
            name: self.table.name.clone(),
            flags: self.table.flags,
        })
    }

    pub(super) fn take_over(kept: KeptTable, incoming: &mut Incoming) -> std::io::Result<Self> {
        let table = Table {
            family: nft::FAMILY_INET,
            name: kept.name,
            flags: kept.flags,
        };
        let netlink = Netlink::resume(incoming.claim(kept.socket)?);
        Ok(Self { netlink, table })
    }

    /// Makes the table, or notes why Pods have no traffic beyond this machine.
    pub(super) fn open(ranges: &[AddressRange], notes: &mut Vec<String>) -> Option<Self> {
        match Self::create(ranges) {
            Ok(mut masquerade) => {
                masquerade.look_for_obstacles(notes);
                Some(masquerade)
            }
            Err(error) => {
                let why = match error.errno() {
                    Some(Errno::PERM) => "no permission to change the packet filter".to_owned(),
                    Some(Errno::OPNOTSUPP | Errno::PROTONOSUPPORT | Errno::NOENT) => {
                        "the kernel lacks nf_tables address translation (CONFIG_NFT_NAT, CONFIG_NFT_MASQ)".to_owned()
                    }
                    _ => describe(&error),
                };
                notes.push(format!(
                    "Pods have no outgoing traffic beyond this machine: {why}"
                ));
                None
            }
        }
    }

    fn create(ranges: &[AddressRange]) -> Result<Self, NetlinkError> {
        match Self::create_with(nft::TABLE_OWNED, ranges) {
            // Kernels before 5.12 know no owner.
            Err(error) if matches!(error.errno(), Some(Errno::OPNOTSUPP | Errno::INVAL)) => {
                let mut masquerade = Self::create_with(0, ranges)?;
                delete_stale(&mut masquerade.netlink)?;
                Ok(masquerade)
            }
            created => created,
        }
    }

    fn create_with(flags: u32, ranges: &[AddressRange]) -> Result<Self, NetlinkError> {
        let mut netlink = Netlink::open(NETLINK_NETFILTER)?;
        let table = Table {
            family: nft::FAMILY_INET,
            name: table_name(),
            flags,
        };
        netlink.transaction(&requests(&table, ranges))?;
        Ok(Self { netlink, table })
    }

    /// A packet passes if no chain drops it, so ours cannot overrule the firewalls of Docker, ufw and others that drop
    /// forwarded packets by default. Best said before somebody wonders.
    fn look_for_obstacles(&mut self, notes: &mut Vec<String>) {
        // Reading the list may fail where making a table did not; a warning less is then the lesser evil.
        let chains = nft::base_chains(&mut self.netlink).unwrap_or_default();
        for chain in chains {
            let family = match chain.family {
                nft::FAMILY_IPV4 => "ip",
                nft::FAMILY_IPV6 => "ip6",
                nft::FAMILY_INET => "inet",
                _ => continue,
            };
            if chain.hook == nft::HOOK_FORWARD && chain.drops {
                notes.push(format!(
                    "a firewall drops forwarded packets by default (table {family} {}, chain {}): Pods reach other machines and each other only if it lets interfaces {HOST_PREFIX}* through",
                    chain.table, chain.name
                ));
            }
        }
    }
}

impl Drop for Masquerade {
    fn drop(&mut self) {
        if self.table.flags & nft::TABLE_OWNED == 0 {
            // The next runner deletes what a failure leaves here.
            let _ = self
                .netlink
                .transaction(&nft::transaction(vec![self.table.delete()]));
        }
    }
}

/// The table with a rule per range: from a Pod, and not to a Pod, hence masqueraded.
fn requests(table: &Table, ranges: &[AddressRange]) -> Vec<netlink::Request> {
    let mut requests = vec![
        table.create(),
        table.create_base_chain(CHAIN, "nat", nft::HOOK_POSTROUTING, nft::PRIORITY_SRCNAT),
    ];
    for range in ranges {
        let (family, offset, length) = if range.network().is_ipv4() {
            (nft::FAMILY_IPV4, 12, 4)
        } else {
            (nft::FAMILY_IPV6, 8, 16)
        };
        requests.push(table.append_rule(
            CHAIN,
            &[
                Expression::Meta(Meta::Family),
                Expression::Equal(vec![family]),
                Expression::NetworkHeader { offset, length },
                Expression::Mask(range.mask_octets()),
                Expression::Equal(range.network_octets()),
                Expression::Meta(Meta::OutputName),
                Expression::NotEqual(HOST_PREFIX.as_bytes().to_vec()),
                Expression::Masquerade,
            ],
        ));
    }
    nft::transaction(requests)
}

/// A name no other process has, and no process that had this one's number.
fn table_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    let started = start_time(process).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{TABLE_PREFIX}{process}-{started}-{number}")
}

/// Deletes the ownerless tables of runners that are gone. Only kernels before 5.12 have any.
fn delete_stale(netlink: &mut Netlink) -> Result<(), NetlinkError> {
    for table in nft::tables(netlink)? {
        if table.flags & nft::TABLE_OWNED == 0 && is_stale(&table.name) {
            netlink.transaction(&nft::transaction(vec![table.delete()]))?;
        }
    }
    Ok(())
}

/// Whether the name is one of ours and its process is gone.
fn is_stale(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(TABLE_PREFIX) else {
        return false;
    };
    let numbers: Option<Vec<u64>> = rest.split('-').map(|number| number.parse().ok()).collect();
    let Some([process, started, _]) = numbers.as_deref() else {
        return false;
    };
    u32::try_from(*process).is_ok_and(|process| start_time(process) != Some(*started))
}

/// When a process started, in clock ticks since boot: field 22 of its stat file (proc(5)).
fn start_time(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in field 2 may hold anything, closing parentheses included.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// An error with its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error)
        .chain(causes)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests;
