//! Rules of other programs that redirect the same connections: a service mesh's, another sidecar's, somebody's iptables.
//!
//! A connection is translated by whichever rule it meets first, so two that want the same one do not add up. Which comes first
//! depends on priorities and on who came last, hence it is said and left to people.

use std::collections::BTreeSet;
use std::fmt;

use netlink::nft::{self, BaseChain, Expression, Meta, Parsed, Rule, Step};

use crate::TABLE;
use crate::plan::Capture;

/// What else redirects connections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foreign {
    /// A rule.
    Rule {
        /// Such as `ip nat`.
        table: String,
        /// The chain it is in.
        chain: String,
        /// The port, if it is about one that could be read from it.
        port: Option<u16>,
        /// Of connections that come in; else of those that go out.
        inbound: bool,
    },
    /// The older kind of iptables has a table for address translation; its rules cannot be seen by netlink.
    Legacy,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule {
                table,
                chain,
                port,
                inbound,
            } => {
                let direction = if *inbound { "incoming" } else { "outgoing" };
                write!(f, "another rule redirects {direction} connections ")?;
                match port {
                    Some(port) => write!(f, "to TCP port {port}")?,
                    None => f.write_str("that may be captured here")?,
                }
                write!(
                    f,
                    " (table {table}, chain {chain}): each connection follows the rule that it meets first, so remove one of the two"
                )
            }
            Self::Legacy => f.write_str(
                "iptables of the kind `legacy` has rules for address translation here, which cannot be looked at: if they \
                 redirect the same connections, each follows the rule that it meets first (iptables-legacy -t nat -S shows them)",
            ),
        }
    }
}

/// Whether iptables' older kind translates addresses in this network namespace.
pub(crate) fn legacy() -> Option<Foreign> {
    let translates = |path: &&str| {
        // Missing where the kernel lacks it; not readable without rights, which changing rules needs anyway.
        std::fs::read_to_string(format!("/proc/thread-self/net/{path}"))
            .is_ok_and(|names| names.lines().any(|name| name == "nat"))
    };
    ["ip_tables_names", "ip6_tables_names"]
        .iter()
        .any(translates)
        .then_some(Foreign::Legacy)
}

/// Looks through all tables but ours.
pub(crate) fn find(capture: &Capture, chains: &[BaseChain], rules: &[Rule]) -> Vec<Foreign> {
    let mut found = BTreeSet::new();
    for base in chains {
        let family = match base.family {
            nft::FAMILY_INET if base.table == TABLE => continue,
            nft::FAMILY_INET => "inet",
            nft::FAMILY_IPV4 => "ip",
            nft::FAMILY_IPV6 => "ip6",
            _ => continue,
        };
        let (captured, inbound) = match base.hook {
            nft::HOOK_PREROUTING => (&capture.inbound, true),
            nft::HOOK_OUTPUT => (&capture.outbound, false),
            _ => continue,
        };
        let mut walk = Walk {
            rules: rules
                .iter()
                .filter(|rule| rule.family == base.family && rule.table == base.table)
                .collect(),
            seen: BTreeSet::new(),
            found: BTreeSet::new(),
        };
        walk.chain(&base.name, None);
        for (chain, port) in walk.found {
            if captured.captures(port) {
                found.insert(Foreign::Rule {
                    table: format!("{family} {}", base.table),
                    chain,
                    port,
                    inbound,
                });
            }
        }
    }
    found.into_iter().collect()
}

/// A walk through the chains that a packet can come to.
struct Walk<'a> {
    rules: Vec<&'a Rule>,
    /// Chains, each with the port that led to it.
    seen: BTreeSet<(String, Option<u16>)>,
    found: BTreeSet<(String, Option<u16>)>,
}

impl Walk<'_> {
    fn chain(&mut self, first: &str, port: Option<u16>) {
        // A list and no recursion: chains come from outside and may go deep.
        let mut open = vec![(first.to_owned(), port)];
        while let Some((chain, port)) = open.pop() {
            if !self.seen.insert((chain.clone(), port)) {
                continue;
            }
            for rule in self.rules.iter().filter(|rule| rule.chain == chain) {
                let about = match about(&rule.steps) {
                    About::OtherProtocol => continue,
                    About::Port(port) => Some(port),
                    About::Anything => port,
                };
                if rule.steps.iter().any(translates) {
                    self.found.insert((chain.clone(), about));
                }
                open.extend(rule.steps.iter().filter_map(jump).map(|to| (to, about)));
            }
        }
    }
}

/// Which connections a rule is about, as far as it can be told.
enum About {
    OtherProtocol,
    Port(u16),
    Anything,
}

fn about(steps: &[Step]) -> About {
    let mut port = None;
    for pair in steps.windows(2) {
        match pair {
            [
                Step::Known(Expression::Meta(Meta::Transport)),
                Step::Known(Expression::Equal(protocol)),
            ] if protocol != &[6] => return About::OtherProtocol,
            [
                Step::Known(Expression::TransportHeader {
                    offset: 2,
                    length: 2,
                }),
                Step::Known(Expression::Equal(bytes)),
            ] => {
                port = <[u8; 2]>::try_from(bytes.as_slice())
                    .ok()
                    .map(u16::from_be_bytes);
            }
            _ => {}
        }
    }
    let port = port.or_else(|| steps.iter().find_map(tcp_match));
    port.map_or(About::Anything, About::Port)
}

/// The port of iptables' `--dport`, as iptables over nf_tables writes it: `struct xt_tcp`, in the byte order of the machine.
fn tcp_match(step: &Step) -> Option<u16> {
    let Step::Other { name, data } = step else {
        return None;
    };
    let info = (name == "match" && data.text(1)? == "tcp")
        .then(|| data.value(3))
        .flatten()?;
    let number = |at: usize| Some(u16::from_ne_bytes(info.get(at..at + 2)?.try_into().ok()?));
    let inverted = info.get(11)? & 2 != 0;
    let (first, last) = (number(4)?, number(6)?);
    (first == last && !inverted).then_some(first)
}

/// Whether a step gives the packet another destination.
fn translates(step: &Step) -> bool {
    match step {
        Step::Known(Expression::Redirect) => true,
        Step::Known(_) => false,
        Step::Other { name, data } => match name.as_str() {
            // To a range of ports, or to the same port.
            "redir" => true,
            "nat" => data.number(1) == Some(1),
            "target" => matches!(data.text(1).as_deref(), Some("REDIRECT" | "DNAT")),
            _ => false,
        },
    }
}

/// The chain where a step leads to.
fn jump(step: &Step) -> Option<String> {
    let Step::Other { name, data } = step else {
        return None;
    };
    (name == "immediate")
        .then(|| data.nested(2)?.nested(2).as_ref().and_then(verdict_chain))
        .flatten()
}

fn verdict_chain(verdict: &Parsed) -> Option<String> {
    verdict.text(2)
}
