//! nf_tables over nfnetlink: just enough encoding for tables, base chains and rules.
//!
//! Own code rather than `netlink-packet-netfilter`: that crate knows none of the address translation expressions
//! (masq, nat) that this layer exists for, and builds each other expression from a list of single attributes, which is no
//! shorter than writing the attributes. Services will add sets, maps and verdicts here.
//!
//! Numbers and names are those of `linux/netfilter/nf_tables.h`; values travel in network byte order.

use netlink_packet_core::{NLA_F_NESTED, NLM_F_CREATE, NLM_F_EXCL, NlasIterator};

use super::{Answer, Netlink, NetlinkError, Request};

pub(crate) const FAMILY_INET: u8 = 1;
pub(crate) const FAMILY_IPV4: u8 = 2;
pub(crate) const FAMILY_IPV6: u8 = 10;

/// `NF_INET_FORWARD` and `NF_INET_POST_ROUTING`.
pub(crate) const HOOK_FORWARD: u32 = 2;
pub(crate) const HOOK_POSTROUTING: u32 = 4;
/// `NF_IP_PRI_NAT_SRC`, which nft calls `srcnat`.
pub(crate) const PRIORITY_SRCNAT: i32 = 100;

/// `NFT_TABLE_F_OWNER` (Linux 5.12): the table belongs to the socket that made it and goes when that closes.
pub(crate) const TABLE_OWNED: u32 = 2;

const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = SUBSYSTEM;
const GET_TABLE: u16 = SUBSYSTEM | 1;
const DELETE_TABLE: u16 = SUBSYSTEM | 2;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const GET_CHAIN: u16 = SUBSYSTEM | 4;
const NEW_RULE: u16 = SUBSYSTEM | 6;
/// `NLM_F_APPEND`: at the end of the chain.
const APPEND: u16 = 0x800;

const REGISTER_1: u32 = 1;
const DROP: u32 = 0;

/// A table by family and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) family: u8,
    pub(crate) name: String,
    pub(crate) flags: u32,
}

/// A base chain as seen in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseChain {
    pub(crate) family: u8,
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) hook: u32,
    pub(crate) drops: bool,
}

/// Puts the brackets of a transaction around requests.
pub(crate) fn transaction(requests: Vec<Request>) -> Vec<Request> {
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
    pub(crate) fn create(&self) -> Request {
        let mut attributes = Attributes::default();
        attributes.string(1, &self.name).number(2, self.flags);
        request(
            NEW_TABLE,
            NLM_F_CREATE | NLM_F_EXCL,
            self.family,
            attributes,
        )
    }

    /// Deletes the table with all it holds.
    pub(crate) fn delete(&self) -> Request {
        let mut attributes = Attributes::default();
        attributes.string(1, &self.name);
        request(DELETE_TABLE, 0, self.family, attributes)
    }

    /// Creates a chain of type `nat` or `filter` at a hook, accepting what reaches its end.
    pub(crate) fn create_base_chain(
        &self,
        name: &str,
        kind: &str,
        hook: u32,
        priority: i32,
    ) -> Request {
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
    #[cfg(test)]
    pub(crate) fn create_filter_chain(&self, name: &str, hook: u32, drops: bool) -> Request {
        let mut request = self.create_base_chain(name, "filter", hook, 0);
        let mut policy = Attributes::default();
        policy.number(5, u32::from(!drops));
        request.payload.extend(policy.0);
        request
    }

    /// Appends a rule: the expressions are evaluated in order until one does not match.
    pub(crate) fn append_rule(&self, chain: &str, rule: &[Expression]) -> Request {
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

/// What the kernel knows about a packet beside its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meta {
    /// Name of the interface it leaves by, padded with zeros.
    OutputName = 7,
    /// `FAMILY_IPV4` or `FAMILY_IPV6`, in tables of both.
    Family = 15,
}

/// One step of a rule. All work on the same register.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    /// Loads a property of the packet.
    Meta(Meta),
    /// Loads bytes of the network header.
    NetworkHeader { offset: u32, length: u32 },
    /// Keeps the bits of the mask.
    Mask(Vec<u8>),
    /// Goes on if the register begins with these bytes.
    Equal(Vec<u8>),
    /// Goes on if it does not.
    NotEqual(Vec<u8>),
    /// Replaces the source by the address of the interface the packet leaves by.
    Masquerade,
}

impl Expression {
    fn encode(&self, element: &mut Attributes) {
        let name = match self {
            Self::Meta(_) => "meta",
            Self::NetworkHeader { .. } => "payload",
            Self::Mask(_) => "bitwise",
            Self::Equal(_) | Self::NotEqual(_) => "cmp",
            Self::Masquerade => "masq",
        };
        element.string(1, name).nested(2, |data| match self {
            Self::Meta(key) => {
                data.number(1, REGISTER_1).number(2, *key as u32);
            }
            Self::NetworkHeader { offset, length } => {
                let network_base = 1;
                data.number(1, REGISTER_1).number(2, network_base);
                data.number(3, *offset).number(4, *length);
            }
            Self::Mask(mask) => {
                data.number(1, REGISTER_1).number(2, REGISTER_1);
                data.number(3, u32::try_from(mask.len()).unwrap_or(u32::MAX));
                data.nested(4, |value| value.attribute(1, mask));
                data.nested(5, |value| value.attribute(1, &vec![0; mask.len()]));
            }
            Self::Equal(bytes) => {
                data.number(1, REGISTER_1).number(2, 0);
                data.nested(3, |value| value.attribute(1, bytes));
            }
            Self::NotEqual(bytes) => {
                data.number(1, REGISTER_1).number(2, 1);
                data.nested(3, |value| value.attribute(1, bytes));
            }
            Self::Masquerade => {}
        });
    }
}

/// The tables of the namespace.
pub(crate) fn tables(netlink: &mut Netlink) -> Result<Vec<Table>, NetlinkError> {
    let answers = netlink.dump(&request(GET_TABLE, 0, 0, Attributes::default()))?;
    let tables = answers.iter().filter_map(|answer| {
        let (family, attributes) = open(answer)?;
        Some(Table {
            family,
            name: text(&attributes, 1)?,
            flags: number(&attributes, 2).unwrap_or(0),
        })
    });
    Ok(tables.collect())
}

/// The base chains of the namespace.
pub(crate) fn base_chains(netlink: &mut Netlink) -> Result<Vec<BaseChain>, NetlinkError> {
    let answers = netlink.dump(&request(GET_CHAIN, 0, 0, Attributes::default()))?;
    let chains = answers.iter().filter_map(|answer| {
        let (family, attributes) = open(answer)?;
        let hook = attributes.iter().find(|(kind, _)| *kind == 4)?;
        Some(BaseChain {
            family,
            table: text(&attributes, 1)?,
            name: text(&attributes, 3)?,
            hook: number(&parse(&hook.1), 1)?,
            drops: number(&attributes, 5) == Some(DROP),
        })
    });
    Ok(chains.collect())
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

/// Netlink attributes as they are written: length, kind, value, padding to four bytes.
#[derive(Default)]
struct Attributes(Vec<u8>);

impl Attributes {
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let start = self.open(kind);
        self.0.extend_from_slice(value);
        self.close(start);
    }

    fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes());
        self
    }

    fn string(&mut self, kind: u16, value: &str) -> &mut Self {
        let start = self.open(kind);
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(0);
        self.close(start);
        self
    }

    fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.open(kind | NLA_F_NESTED);
        fill(self);
        self.close(start);
        self
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        if let Some(field) = self.0.get_mut(start..start + 2) {
            field.copy_from_slice(&length.to_ne_bytes());
        }
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

type Parsed = Vec<(u16, Vec<u8>)>;

fn open(answer: &Answer) -> Option<(u8, Parsed)> {
    let (header, attributes) = answer.payload.split_at_checked(4)?;
    Some((*header.first()?, parse(attributes)))
}

fn parse(attributes: &[u8]) -> Parsed {
    NlasIterator::new(attributes)
        .map_while(Result::ok)
        .map(|attribute| (attribute.kind(), attribute.value().to_vec()))
        .collect()
}

fn text(attributes: &Parsed, kind: u16) -> Option<String> {
    let (_, value) = attributes.iter().find(|(found, _)| *found == kind)?;
    Some(
        String::from_utf8_lossy(value)
            .trim_end_matches('\0')
            .to_owned(),
    )
}

fn number(attributes: &Parsed, kind: u16) -> Option<u32> {
    let (_, value) = attributes.iter().find(|(found, _)| *found == kind)?;
    Some(u32::from_be_bytes(value.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_lengths_are_not() {
        let mut attributes = Attributes::default();
        attributes
            .string(1, "ab")
            .nested(2, |inner| inner.attribute(3, &[7]));
        assert_eq!(
            attributes.0,
            [
                &7_u16.to_ne_bytes()[..],
                &1_u16.to_ne_bytes(),
                b"ab\0\0",
                &12_u16.to_ne_bytes(),
                &0x8002_u16.to_ne_bytes(),
                &5_u16.to_ne_bytes(),
                &3_u16.to_ne_bytes(),
                &[7, 0, 0, 0],
            ]
            .concat()
        );
        let parsed = parse(&attributes.0);
        assert_eq!(text(&parsed, 1).as_deref(), Some("ab"));
        assert_eq!(parse(&parsed[1].1), [(3, vec![7])]);
    }

    #[test]
    fn garbage_in_a_dump_is_passed_over() {
        for payload in [
            vec![],
            vec![1, 0, 0],
            vec![1, 0, 0, 0, 255, 255, 1, 0],
            vec![9; 64],
        ] {
            let answer = Answer { kind: 0, payload };
            if let Some((_, attributes)) = open(&answer) {
                assert_eq!(text(&attributes, 1), None);
                assert_eq!(number(&attributes, 2), None);
            }
        }
    }
}
