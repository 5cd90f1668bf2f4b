//! Ranges of Pod addresses: which hosts they hold, and whether two of them overlap.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// No more host numbers than this are used of a range, however large it is.
const MOST_HOSTS: u128 = 1 << 32;

/// A range that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("address range `{text}`: {problem}")]
pub struct RangeError {
    text: String,
    problem: &'static str,
}

/// A network in CIDR notation, such as `10.222.0.0/16`. Its first host is the node, the others are Pods.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// The range of `prefix` bits around `address`, whose host bits are dropped.
    ///
    /// # Errors
    /// The prefix is longer than the address has bits.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, RangeError> {
        if u32::from(prefix) > width(address) {
            return Err(RangeError {
                text: format!("{address}/{prefix}"),
                problem: "the prefix is longer than the address",
            });
        }
        let mask = mask(address, prefix);
        Ok(Self {
            network: from_bits(address, bits(address) & mask),
            prefix,
        })
    }

    /// A range known to be right, for constants.
    pub const fn v4(network: [u8; 4], prefix: u8) -> Self {
        let [a, b, c, d] = network;
        Self {
            network: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    /// A range known to be right, for constants.
    pub const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Self {
        Self {
            network: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
            prefix,
        }
    }

    /// The first address, all host bits zero.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The length of the prefix in bits.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// The mask of the prefix in network byte order, as long as the address.
    pub fn mask_octets(&self) -> Vec<u8> {
        octets(from_bits(self.network, mask(self.network, self.prefix)))
    }

    /// The network address in network byte order.
    pub fn network_octets(&self) -> Vec<u8> {
        octets(self.network)
    }

    /// The node's address as its Pods see it: the first host.
    pub fn node(&self) -> IpAddr {
        from_bits(self.network, bits(self.network) + 1)
    }

    /// How many Pods the range can hold: all hosts but the network itself, the node and, in IPv4, the broadcast address.
    pub fn capacity(&self) -> u64 {
        let host_bits = width(self.network) - u32::from(self.prefix);
        let hosts = 1_u128.checked_shl(host_bits).unwrap_or(MOST_HOSTS);
        u64::try_from(hosts.min(MOST_HOSTS)).map_or(u64::MAX, |hosts| hosts.saturating_sub(3))
    }

    /// The `number`th Pod address, counted from zero and around.
    pub fn pod(&self, number: u64) -> IpAddr {
        let host = number % self.capacity().max(1) + 2;
        from_bits(self.network, bits(self.network) + u128::from(host))
    }

    /// Whether the ranges share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        let prefix = self.prefix.min(other.prefix);
        let mask = mask(self.network, prefix);
        self.network.is_ipv4() == other.network.is_ipv4()
            && bits(self.network) & mask == bits(other.network) & mask
    }

    /// Whether `address` lies within.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.is_ipv4() == address.is_ipv4()
            && bits(address) & mask(address, self.prefix) == bits(self.network)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl fmt::Debug for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = |problem| RangeError {
            text: text.to_owned(),
            problem,
        };
        let (address, prefix) = text
            .split_once('/')
            .ok_or_else(|| error("a `/` and the length of the prefix are missing"))?;
        let address = address
            .parse()
            .map_err(|_| error("the part before `/` is no IP address"))?;
        let prefix = prefix
            .parse()
            .map_err(|_| error("the part after `/` is no number of bits"))?;
        Self::new(address, prefix)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask(address: IpAddr, prefix: u8) -> u128 {
    let width = width(address);
    let all = u128::MAX >> (128 - width);
    let hosts = all.checked_shr(u32::from(prefix)).unwrap_or(0);
    all & !hosts
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of `like`'s family with these bits.
fn from_bits(like: IpAddr, bits: u128) -> IpAddr {
    match like {
        // Cutting is right: only bits of the host part are ever added, and capacity keeps them within.
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_are_counted_around_and_leave_out_network_node_and_broadcast() {
        let small = range("192.0.2.0/29");
        assert_eq!(small.node().to_string(), "192.0.2.1");
        assert_eq!(small.capacity(), 5);
        let pods: Vec<String> = (0..6).map(|n| small.pod(n).to_string()).collect();
        assert_eq!(
            pods,
            [
                "192.0.2.2",
                "192.0.2.3",
                "192.0.2.4",
                "192.0.2.5",
                "192.0.2.6",
                "192.0.2.2"
            ]
        );
        let wide = range("fd70:696c:6c69::/64");
        assert_eq!(wide.node().to_string(), "fd70:696c:6c69::1");
        assert_eq!(wide.pod(0xfffe).to_string(), "fd70:696c:6c69::1:0");
        assert_eq!(range("2001:db8::1/128").capacity(), 0);
        assert_eq!(range("0.0.0.0/0").capacity(), (1 << 32) - 3);
    }

    #[test]
    fn overlap_is_symmetric_and_never_across_families() {
        for (one, other, expected) in [
            ("10.222.0.0/16", "10.0.0.0/8", true),
            ("10.222.0.0/16", "10.222.7.0/24", true),
            ("10.222.0.0/16", "10.223.0.0/16", false),
            ("10.222.0.0/16", "10.222.0.1/32", true),
            ("0.0.0.0/0", "10.222.0.0/16", true),
            ("fd70::/16", "fd70:696c:6c69::/64", true),
            ("::/0", "0.0.0.0/0", false),
        ] {
            let (one, other) = (range(one), range(other));
            assert_eq!(one.overlaps(&other), expected, "{one} {other}");
            assert_eq!(other.overlaps(&one), expected, "{other} {one}");
        }
    }

    #[test]
    fn text_is_checked_and_host_bits_are_dropped() {
        assert_eq!(range("10.222.3.4/16").to_string(), "10.222.0.0/16");
        assert!(range("10.222.0.0/16").contains("10.222.255.255".parse().unwrap()));
        assert!(!range("10.222.0.0/16").contains("::ffff:10.222.0.1".parse().unwrap()));
        for wrong in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "fd70::/129",
            "fd70::/-1",
            "/",
        ] {
            let error = wrong.parse::<AddressRange>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
