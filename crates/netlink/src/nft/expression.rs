//! The steps of rules, written and read.

use super::attributes::{Attributes, Parsed};

const REGISTER_1: u32 = 1;
const REGISTER_VERDICT: u32 = 0;
/// `NFT_RETURN`, in two's complement.
const VERDICT_RETURN: u32 = (-5_i32).cast_unsigned();
const BASE_NETWORK: u32 = 1;
const BASE_TRANSPORT: u32 = 2;
const OPERATOR_EQUAL: u32 = 0;
const OPERATOR_NOT_EQUAL: u32 = 1;

/// What the kernel knows about a packet beside its bytes. Numbers of 32 bits are in the byte order of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// The mark, of which that of the sending socket is the first value: 32 bits.
    Mark = 3,
    /// The interface it leaves by: 32 bits.
    Output = 5,
    /// Name of the interface it leaves by, padded with zeros.
    OutputName = 7,
    /// The user of the socket that sent it: 32 bits.
    SocketUser = 10,
    /// [`FAMILY_IPV4`](super::FAMILY_IPV4) or [`FAMILY_IPV6`](super::FAMILY_IPV6), in tables of both: 8 bits.
    Family = 15,
    /// The number of the transport protocol, such as 6: 8 bits.
    Transport = 16,
}

impl Meta {
    const ALL: [Self; 6] = [
        Self::Mark,
        Self::Output,
        Self::OutputName,
        Self::SocketUser,
        Self::Family,
        Self::Transport,
    ];
}

/// One step of a rule. All work on the same register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Loads a property of the packet.
    Meta(Meta),
    /// Loads bytes of the network header.
    NetworkHeader {
        /// From where, in bytes.
        offset: u32,
        /// How many.
        length: u32,
    },
    /// Loads bytes of the transport header.
    TransportHeader {
        /// From where, in bytes.
        offset: u32,
        /// How many.
        length: u32,
    },
    /// Loads these bytes.
    Load(Vec<u8>),
    /// Keeps the bits of the mask.
    Mask(Vec<u8>),
    /// Goes on if the register begins with these bytes.
    Equal(Vec<u8>),
    /// Goes on if it does not.
    NotEqual(Vec<u8>),
    /// Replaces the source by the address of the interface the packet leaves by.
    Masquerade,
    /// Replaces the destination by an address of this machine and the port in the register: that of the interface by which
    /// the packet came, loopback if it came from here.
    Redirect,
    /// Leaves the chain; in a base chain the packet goes on as it is.
    Return,
}

impl Expression {
    pub(super) fn encode(&self, element: &mut Attributes) {
        let name = match self {
            Self::Meta(_) => "meta",
            Self::NetworkHeader { .. } | Self::TransportHeader { .. } => "payload",
            Self::Load(_) | Self::Return => "immediate",
            Self::Mask(_) => "bitwise",
            Self::Equal(_) | Self::NotEqual(_) => "cmp",
            Self::Masquerade => "masq",
            Self::Redirect => "redir",
        };
        element.string(1, name).nested(2, |data| match self {
            Self::Meta(key) => {
                data.number(1, REGISTER_1).number(2, *key as u32);
            }
            Self::NetworkHeader { offset, length } => {
                payload(data, BASE_NETWORK, *offset, *length);
            }
            Self::TransportHeader { offset, length } => {
                payload(data, BASE_TRANSPORT, *offset, *length);
            }
            Self::Load(bytes) => {
                data.number(1, REGISTER_1);
                value(data, 2, bytes);
            }
            Self::Mask(mask) => {
                data.number(1, REGISTER_1).number(2, REGISTER_1);
                data.number(3, u32::try_from(mask.len()).unwrap_or(u32::MAX));
                value(data, 4, mask);
                value(data, 5, &vec![0; mask.len()]);
            }
            Self::Equal(bytes) => compare(data, OPERATOR_EQUAL, bytes),
            Self::NotEqual(bytes) => compare(data, OPERATOR_NOT_EQUAL, bytes),
            Self::Masquerade => {}
            Self::Redirect => {
                data.number(1, REGISTER_1);
            }
            Self::Return => {
                data.number(1, REGISTER_VERDICT).nested(2, |value| {
                    value.nested(2, |verdict| {
                        verdict.number(1, VERDICT_RETURN);
                    });
                });
            }
        });
    }

    /// Reads one of those that can be written; `None` for all else.
    fn decode(name: &str, data: &Parsed) -> Option<Self> {
        let register = |kind| data.number(kind) == Some(REGISTER_1);
        let bytes = |kind| data.nested(kind)?.value(1).map(<[u8]>::to_vec);
        match name {
            "meta" if register(1) => {
                let key = data.number(2)?;
                let meta = Meta::ALL.into_iter().find(|meta| *meta as u32 == key)?;
                Some(Self::Meta(meta))
            }
            "payload" if register(1) => {
                let (offset, length) = (data.number(3)?, data.number(4)?);
                match data.number(2)? {
                    BASE_NETWORK => Some(Self::NetworkHeader { offset, length }),
                    BASE_TRANSPORT => Some(Self::TransportHeader { offset, length }),
                    _ => None,
                }
            }
            "immediate" if register(1) => bytes(2).map(Self::Load),
            "immediate" if data.number(1) == Some(REGISTER_VERDICT) => {
                let verdict = data.nested(2)?.nested(2)?;
                (verdict.number(1)? == VERDICT_RETURN).then_some(Self::Return)
            }
            "bitwise" if register(1) && register(2) => {
                let plain = bytes(5)?.iter().all(|byte| *byte == 0)
                    && matches!(data.number(6), None | Some(0));
                plain.then(|| bytes(4)).flatten().map(Self::Mask)
            }
            "cmp" if register(1) => match data.number(2)? {
                OPERATOR_EQUAL => bytes(3).map(Self::Equal),
                OPERATOR_NOT_EQUAL => bytes(3).map(Self::NotEqual),
                _ => None,
            },
            "masq" if data.number(1).is_none() && data.number(2).is_none() => {
                Some(Self::Masquerade)
            }
            "redir" if register(1) && (register(2) || data.number(2).is_none()) => {
                Some(Self::Redirect)
            }
            _ => None,
        }
    }
}

fn payload(data: &mut Attributes, base: u32, offset: u32, length: u32) {
    data.number(1, REGISTER_1).number(2, base);
    data.number(3, offset).number(4, length);
}

fn compare(data: &mut Attributes, operator: u32, bytes: &[u8]) {
    data.number(1, REGISTER_1).number(2, operator);
    value(data, 3, bytes);
}

fn value(data: &mut Attributes, kind: u16, bytes: &[u8]) {
    data.nested(kind, |value| {
        value.attribute(1, bytes);
    });
}

/// One step of a rule as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One that this crate knows how to write.
    Known(Expression),
    /// Another one, with its attributes: as in `linux/netfilter/nf_tables.h` and `nf_tables_compat.h`.
    Other {
        /// Its kind, such as `lookup` or `target`.
        name: String,
        /// What is said of it.
        data: Parsed,
    },
}

impl Step {
    pub(super) fn read(element: &[u8]) -> Option<Self> {
        let element = Parsed::read(element);
        let name = element.text(1)?;
        let data = element.nested(2).unwrap_or_default();
        Some(match Expression::decode(&name, &data) {
            Some(expression) => Self::Known(expression),
            None => Self::Other { name, data },
        })
    }
}
