//! The kernel's side: our table written, read back and removed.

use netlink::nft::{self, Expression, Meta, Step, Table};
use netlink::{AddressRange, NETLINK_NETFILTER, Netlink, NetlinkError, Request};

use crate::error::Error;
use crate::foreign::{self, Foreign};
use crate::plan::{Capture, Chain, Ports, Redirect, Rule, Which};

/// The table that holds all rules, in the family `inet`: IPv4 and IPv6 in one.
pub const TABLE: &str = "pillion-capture";

const INBOUND: &str = "inbound";
const OUTBOUND: &str = "outbound";

const IPPROTO_TCP: u8 = 6;
/// `LOOPBACK_IFINDEX`: every network namespace makes `lo` first.
const LOOPBACK: u32 = 1;

/// What installing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// There was no table.
    New,
    /// There were other rules.
    Replaced,
    /// The very rules were there: nothing was changed.
    Unchanged,
}

/// Makes the rules those that capture what is asked for, all at once: no packet meets half of them, or none between old
/// and new ones. Reads them back.
///
/// # Errors
/// See [`Error`]. If the kernel refuses, what was there stays.
pub fn install(capture: &Capture) -> Result<Installed, Error> {
    let mut netlink = open().map_err(Error::Change)?;
    let before = read(&mut netlink)?;
    let wanted = Content::of(capture);
    if before.as_ref() == Some(&wanted) {
        return Ok(Installed::Unchanged);
    }
    netlink
        .transaction(&replace(&wanted))
        .map_err(Error::Change)?;
    match read(&mut netlink)? {
        Some(after) if after == wanted => {}
        Some(after) => return Err(Error::Other(after.difference(&wanted))),
        None => return Err(Error::Other("there is no such table".to_owned())),
    }
    Ok(match before {
        Some(_) => Installed::Replaced,
        None => Installed::New,
    })
}

/// Whether the kernel has the very rules that capture what is asked for.
///
/// # Errors
/// See [`Error`].
pub fn check(capture: &Capture) -> Result<bool, Error> {
    let mut netlink = open().map_err(Error::Read)?;
    Ok(read(&mut netlink)?.as_ref() == Some(&Content::of(capture)))
}

/// Removes the table with all rules; says whether there was one. Open connections that were captured end: the kernel stops
/// tracking connections when no rule needs it.
///
/// # Errors
/// See [`Error`].
pub fn undo() -> Result<bool, Error> {
    let mut netlink = open().map_err(Error::Change)?;
    let there = read(&mut netlink)?.is_some();
    if there {
        // Both, as another may remove it meanwhile.
        let requests = nft::transaction(vec![table().ensure(), table().delete()]);
        netlink.transaction(&requests).map_err(Error::Change)?;
    }
    Ok(there)
}

/// Rules of others that redirect some of the same connections.
///
/// # Errors
/// See [`Error`].
pub fn foreign(capture: &Capture) -> Result<Vec<Foreign>, Error> {
    let mut netlink = open().map_err(Error::Read)?;
    let chains = nft::base_chains(&mut netlink).map_err(Error::Read)?;
    let rules = nft::rules(&mut netlink).map_err(Error::Read)?;
    let mut found = foreign::find(capture, &chains, &rules);
    found.extend(foreign::legacy());
    Ok(found)
}

fn open() -> Result<Netlink, NetlinkError> {
    Netlink::open(NETLINK_NETFILTER)
}

fn table() -> Table {
    Table {
        family: nft::FAMILY_INET,
        name: TABLE.to_owned(),
        flags: 0,
    }
}

/// What is in the table: base chains by name, hook and priority, each with the steps of its rules.
#[derive(Debug, PartialEq, Eq)]
struct Content(Vec<Filled>);

#[derive(Debug, PartialEq, Eq)]
struct Filled {
    name: String,
    kind: String,
    hook: u32,
    priority: i32,
    drops: bool,
    rules: Vec<Vec<Step>>,
}

impl Content {
    fn of(capture: &Capture) -> Self {
        let directions = [
            (INBOUND, nft::HOOK_PREROUTING, &capture.inbound),
            (OUTBOUND, nft::HOOK_OUTPUT, &capture.outbound),
        ];
        let filled = directions
            .into_iter()
            .filter(|(_, _, chain)| !chain.rules.is_empty())
            .map(|(name, hook, chain)| Filled {
                name: name.to_owned(),
                kind: "nat".to_owned(),
                hook,
                priority: nft::PRIORITY_DSTNAT,
                drops: false,
                rules: steps(chain),
            });
        Self(filled.collect())
    }

    /// The first thing that is not as it should be.
    fn difference(&self, wanted: &Self) -> String {
        let unlike = |filled: &&Filled| !self.0.contains(filled);
        match wanted.0.iter().find(unlike) {
            Some(filled) => match self.0.iter().find(|found| found.name == filled.name) {
                Some(found) => format!("chain {} has the rules {:?}", found.name, found.rules),
                None => format!("there is no chain {}", filled.name),
            },
            None => "there are more chains".to_owned(),
        }
    }
}

fn read(netlink: &mut Netlink) -> Result<Option<Content>, Error> {
    let ours = |family: u8, name: &str| family == nft::FAMILY_INET && name == TABLE;
    let tables = nft::tables(netlink).map_err(Error::Read)?;
    if !tables.iter().any(|table| ours(table.family, &table.name)) {
        return Ok(None);
    }
    let chains = nft::base_chains(netlink).map_err(Error::Read)?;
    let rules = nft::rules(netlink).map_err(Error::Read)?;
    let mut filled: Vec<Filled> = chains
        .into_iter()
        .filter(|chain| ours(chain.family, &chain.table))
        .map(|chain| Filled {
            rules: rules
                .iter()
                .filter(|rule| ours(rule.family, &rule.table) && rule.chain == chain.name)
                .map(|rule| rule.steps.clone())
                .collect(),
            name: chain.name,
            kind: chain.kind,
            hook: chain.hook,
            priority: chain.priority,
            drops: chain.drops,
        })
        .collect();
    filled.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(Content(filled)))
}

fn replace(content: &Content) -> Vec<Request> {
    let table = table();
    let mut requests = vec![table.ensure(), table.delete(), table.create()];
    for chain in &content.0 {
        requests.push(table.create_base_chain(
            &chain.name,
            &chain.kind,
            chain.hook,
            chain.priority,
        ));
        for rule in &chain.rules {
            let rule: Vec<Expression> = rule
                .iter()
                .filter_map(|step| match step {
                    Step::Known(expression) => Some(expression.clone()),
                    Step::Other { .. } => None,
                })
                .collect();
            requests.push(table.append_rule(&chain.name, &rule));
        }
    }
    nft::transaction(requests)
}

fn steps(chain: &Chain) -> Vec<Vec<Step>> {
    let rules = chain.rules.iter().map(|rule| {
        let expressions = match rule {
            Rule::Leave(which) => [left(which), vec![Expression::Return]].concat(),
            Rule::Redirect(redirect) => redirected(redirect),
        };
        expressions.into_iter().map(Step::Known).collect()
    });
    rules.collect()
}

fn left(which: &Which) -> Vec<Expression> {
    let equal = |meta, value: u32| {
        vec![
            Expression::Meta(meta),
            Expression::Equal(value.to_ne_bytes().to_vec()),
        ]
    };
    match which {
        Which::Loopback => equal(Meta::Output, LOOPBACK),
        Which::User(uid) => equal(Meta::SocketUser, *uid),
        Which::Mark(mark) => vec![
            Expression::Meta(Meta::Mark),
            Expression::Mask(mark.mask.to_ne_bytes().to_vec()),
            Expression::Equal(mark.value.to_ne_bytes().to_vec()),
        ],
        Which::Source(range) => address(range, 12, 8),
        Which::Destination(range) => address(range, 16, 24),
        Which::Port(port) => to_port(*port),
    }
}

/// The address that begins at this byte of the header of IPv4, or that of IPv6, lies in the range.
fn address(range: &AddressRange, ipv4: u32, ipv6: u32) -> Vec<Expression> {
    let (family, offset, length) = match range.network().is_ipv4() {
        true => (nft::FAMILY_IPV4, ipv4, 4),
        false => (nft::FAMILY_IPV6, ipv6, 16),
    };
    vec![
        Expression::Meta(Meta::Family),
        Expression::Equal(vec![family]),
        Expression::NetworkHeader { offset, length },
        Expression::Mask(range.mask_octets()),
        Expression::Equal(range.network_octets()),
    ]
}

fn tcp() -> Vec<Expression> {
    vec![
        Expression::Meta(Meta::Transport),
        Expression::Equal(vec![IPPROTO_TCP]),
    ]
}

fn to_port(port: u16) -> Vec<Expression> {
    let destination = Expression::TransportHeader {
        offset: 2,
        length: 2,
    };
    let port = Expression::Equal(port.to_be_bytes().to_vec());
    [tcp(), vec![destination, port]].concat()
}

fn redirected(redirect: &Redirect) -> Vec<Expression> {
    let matched = match redirect.from {
        Ports::One(port) => to_port(port),
        Ports::All => tcp(),
    };
    let target = Expression::Load(redirect.to.to_be_bytes().to_vec());
    [matched, vec![target, Expression::Redirect]].concat()
}
