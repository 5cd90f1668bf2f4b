//! nf_tables over nfnetlink: just enough encoding for tables, base chains and rules.
//!
//! Own code rather than `netlink-packet-netfilter`: that crate knows none of the address translation expressions
//! (masq, nat) that this layer exists for, and builds each other expression from a list of single attributes, which is no
//! shorter than writing the attributes. Services will add sets, maps and verdicts here.
//!
//! Numbers and names are those of `linux/netfilter/nf_tables.h`; values travel in network byte order.

mod attributes;
mod expression;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};

use crate::{Answer, Netlink, NetlinkError, Request};
use attributes::Attributes;
pub use attributes::Parsed;
pub use expression::{Expression, Meta, Step};

/// `NFPROTO_INET`: IPv4 and IPv6. Address translation in such tables is of Linux 5.2.
pub const FAMILY_INET: u8 = 1;
/// `NFPROTO_IPV4`.
pub const FAMILY_IPV4: u8 = 2;
/// `NFPROTO_IPV6`.
pub const FAMILY_IPV6: u8 = 10;

/// `NF_INET_PRE_ROUTING`: what comes in.
pub const HOOK_PREROUTING: u32 = 0;
/// `NF_INET_FORWARD`: what passes through.
pub const HOOK_FORWARD: u32 = 2;
/// `NF_INET_LOCAL_OUT`: what is sent from here.
pub const HOOK_OUTPUT: u32 = 3;
/// `NF_INET_POST_ROUTING`: what leaves.
pub const HOOK_POSTROUTING: u32 = 4;
/// `NF_IP_PRI_NAT_DST`, which nft calls `dstnat`.
pub const PRIORITY_DSTNAT: i32 = -100;
/// `NF_IP_PRI_NAT_SRC`, which nft calls `srcnat`.
pub const PRIORITY_SRCNAT: i32 = 100;

/// `NFT_TABLE_F_OWNER` (Linux 5.12): the table belongs to the socket that made it and goes when that closes.
pub const TABLE_OWNED: u32 = 2;

const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = SUBSYSTEM;
const GET_TABLE: u16 = SUBSYSTEM | 1;
const DELETE_TABLE: u16 = SUBSYSTEM | 2;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const GET_CHAIN: u16 = SUBSYSTEM | 4;
const NEW_RULE: u16 = SUBSYSTEM | 6;
const GET_RULE: u16 = SUBSYSTEM | 7;
/// `NLM_F_APPEND`: at the end of the chain.
const APPEND: u16 = 0x800;

const DROP: u32 = 0;

/// A table by family and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// One of the `FAMILY_` constants, or one of those that have none here.
    pub family: u8,
    /// Its name, unique in the family and network namespace.
    pub name: String,
    /// Such as [`TABLE_OWNED`].
    pub flags: u32,
}

/// A base chain as seen in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseChain {
    /// That of its table.
    pub family: u8,
    /// The table it is in.
    pub table: String,
    /// Its name in the table.
    pub name: String,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// Where packets come to it: one of the `HOOK_` constants for the families that have one here.
    pub hook: u32,
    /// Which of several there comes first: the lower number.
    pub priority: i32,
    /// What reaches its end is dropped.
    pub drops: bool,
}

/// A rule as seen in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// That of its table.
    pub family: u8,
    /// The table it is in.
    pub table: String,
    /// The chain it is in.
    pub chain: String,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// Puts the brackets of a transaction around requests.
pub fn transaction(requests: Vec<Request>) -> Vec<Request> {
    let bracket = |kind| Request {
        kind,
        flags: 0,
        // Here the header's last field names the subsystem.
        payload: vec![0, 0, 0, (SUBSYSTEM >> 8) as u8],
    };
    let mut all = vec![bracket(BATCH_BEGIN)];
    all.extend(requests);
    all.push(bracket(BATCH_END));
    all
}

impl Table {
    /// Creates the table; EEXIST if there is one.
    pub fn create(&self) -> Request {
        self.new_table(NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Creates the table if there is none. Before [`delete`](Self::delete) in a transaction, this deletes it with or without one.
    pub fn ensure(&self) -> Request {
        self.new_table(NLM_F_CREATE)
    }

    fn new_table(&self, flags: u16) -> Request {
        let mut attributes = Attributes::default();
        attributes.string(1, &self.name).number(2, self.flags);
        request(NEW_TABLE, flags, self.family, attributes)
    }

    /// Deletes the table with all it holds.
    pub fn delete(&self) -> Request {
        let mut attributes = Attributes::default();
        attributes.string(1, &self.name);
        request(DELETE_TABLE, 0, self.family, attributes)
    }

    /// Creates a chain of type `nat` or `filter` at a hook, accepting what reaches its end.
    pub fn create_base_chain(&self, name: &str, kind: &str, hook: u32, priority: i32) -> Request {
        let mut attributes = Attributes::default();
        attributes
            .string(1, &self.name)
            .string(3, name)
            .nested(4, |at| {
                at.number(1, hook).number(2, priority.cast_unsigned());
            })
            .string(7, kind);
        request(
            NEW_CHAIN,
            NLM_F_CREATE | NLM_F_EXCL,
            self.family,
            attributes,
        )
    }

    /// Creates a chain that filters, as other programs have them.
    #[cfg(any(test, feature = "testing"))]
    pub fn create_filter_chain(&self, name: &str, hook: u32, drops: bool) -> Request {
        let mut request = self.create_base_chain(name, "filter", hook, 0);
        let mut policy = Attributes::default();
        policy.number(5, u32::from(!drops));
        request.payload.extend(policy.0);
        request
    }

    /// Appends a rule: the expressions are evaluated in order until one does not match.
    pub fn append_rule(&self, chain: &str, rule: &[Expression]) -> Request {
        let mut attributes = Attributes::default();
        attributes
            .string(1, &self.name)
            .string(2, chain)
            .nested(4, |list| {
                for expression in rule {
                    list.nested(1, |element| expression.encode(element));
                }
            });
        request(NEW_RULE, NLM_F_CREATE | APPEND, self.family, attributes)
    }
}

/// The tables of the namespace.
///
/// # Errors
/// See [`NetlinkError`].
pub fn tables(netlink: &mut Netlink) -> Result<Vec<Table>, NetlinkError> {
    let answers = netlink.dump(&request(GET_TABLE, 0, 0, Attributes::default()))?;
    Ok(answers.iter().filter_map(read_table).collect())
}

/// The base chains of the namespace.
///
/// # Errors
/// See [`NetlinkError`].
pub fn base_chains(netlink: &mut Netlink) -> Result<Vec<BaseChain>, NetlinkError> {
    let answers = netlink.dump(&request(GET_CHAIN, 0, 0, Attributes::default()))?;
    Ok(answers.iter().filter_map(read_base_chain).collect())
}

/// The rules of the namespace, those of a chain in their order.
///
/// # Errors
/// See [`NetlinkError`].
pub fn rules(netlink: &mut Netlink) -> Result<Vec<Rule>, NetlinkError> {
    let answers = netlink.dump(&request(GET_RULE, 0, 0, Attributes::default()))?;
    Ok(answers.iter().filter_map(read_rule).collect())
}

/// Reads a message of a dump of tables; `None` if it is none.
pub fn read_table(answer: &Answer) -> Option<Table> {
    let (family, attributes) = open(answer)?;
    Some(Table {
        family,
        name: attributes.text(1)?,
        flags: attributes.number(2).unwrap_or(0),
    })
}

/// Reads a message of a dump of chains; `None` if it is none, or no base chain.
pub fn read_base_chain(answer: &Answer) -> Option<BaseChain> {
    let (family, attributes) = open(answer)?;
    let hook = attributes.nested(4)?;
    Some(BaseChain {
        family,
        table: attributes.text(1)?,
        name: attributes.text(3)?,
        kind: attributes.text(7).unwrap_or_default(),
        hook: hook.number(1)?,
        priority: hook.number(2).unwrap_or(0).cast_signed(),
        drops: attributes.number(5) == Some(DROP),
    })
}

/// Reads a message of a dump of rules; `None` if it is none.
pub fn read_rule(answer: &Answer) -> Option<Rule> {
    let (family, attributes) = open(answer)?;
    let steps = attributes.nested(4).unwrap_or_default();
    Some(Rule {
        family,
        table: attributes.text(1)?,
        chain: attributes.text(2)?,
        steps: steps.values().filter_map(Step::read).collect(),
    })
}

fn request(kind: u16, flags: u16, family: u8, attributes: Attributes) -> Request {
    let mut payload = vec![family, 0, 0, 0];
    payload.extend(attributes.0);
    Request {
        kind,
        flags,
        payload,
    }
}

fn open(answer: &Answer) -> Option<(u8, Parsed)> {
    let (header, attributes) = answer.payload.split_at_checked(4)?;
    Some((*header.first()?, Parsed::read(attributes)))
}

#[cfg(test)]
mod tests;
