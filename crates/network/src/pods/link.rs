//! One Pod's link: the veth pair, its addresses and its routes, in a handful of datagrams.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;

use super::forwarding::Sysctl;
use super::{Error, HOST_PREFIX, POD_INTERFACE};
use netlink::AddressRange;
use netlink::{Netlink, NetlinkError, Refusal, Request, route};

/// Index of `lo` in every namespace.
const LOOPBACK: u32 = 1;
/// Names tried before a clash of names is reported.
const NAMES: u32 = 4;

/// What is to be made.
pub(super) struct Plan<'a> {
    pub(super) pod: &'a str,
    pub(super) ipv4: AddressRange,
    pub(super) ipv6: Option<AddressRange>,
    pub(super) sysctl: &'a Sysctl,
}

/// What was made.
pub(super) struct Made {
    pub(super) interface: String,
    pub(super) index: u32,
    pub(super) addresses: Vec<IpAddr>,
    /// What has a route here, whether or not the Pod came to have it.
    pub(super) routed: Vec<IpAddr>,
}

/// A request and what it is for.
type Step = (&'static str, Request);

impl Plan<'_> {
    /// Makes the link between `host` and `inside`, sockets in either namespace; undoes it when a step fails.
    pub(super) fn carry_out(
        &self,
        host: &mut Netlink,
        inside: &mut Netlink,
        netns: BorrowedFd<'_>,
    ) -> Result<Made, Error> {
        let (interface, index) = self.create(host, netns)?;
        let configured = self
            .configure_host(host, &interface, index)
            .and_then(|routed| Ok((self.configure_pod(inside, routed.clone())?, routed)));
        match configured {
            Ok((addresses, routed)) => Ok(Made {
                interface,
                index,
                addresses,
                routed,
            }),
            Err(error) => {
                // The error is what matters; a link that stays goes with the namespace.
                let _ = host.request(&[route::delete_link(index)]);
                Err(error)
            }
        }
    }

    fn create(&self, host: &mut Netlink, netns: BorrowedFd<'_>) -> Result<(String, u32), Error> {
        let step = "create its link";
        let mut attempt = 0;
        loop {
            let name = interface_name(self.pod, attempt);
            let create = route::new_veth(&name, POD_INTERFACE, netns);
            let refused = match self.run(host, vec![(step, create)]) {
                Ok(()) => {
                    let index = index_of(&*host, &name);
                    return Ok((name, index.map_err(|errno| self.failed(step, errno))?));
                }
                Err(error) => error,
            };
            // EEXIST may mean either side's name; only this machine's can be chosen anew.
            let clash = is_refused_with(&refused, Errno::EXIST) && index_of(&*host, &name).is_ok();
            attempt += 1;
            if !clash || attempt == NAMES {
                return Err(refused);
            }
        }
    }

    fn configure_host(
        &self,
        host: &mut Netlink,
        interface: &str,
        index: u32,
    ) -> Result<Vec<IpAddr>, Error> {
        let ipv6 = self.ipv6.is_some();
        let mut steps = vec![
            (
                "configure its link",
                route::configure_host_link(index, ipv6),
            ),
            ("switch its link on", route::set_up(index)),
        ];
        let ranges: Vec<AddressRange> =
            [Some(self.ipv4), self.ipv6].into_iter().flatten().collect();
        for range in &ranges {
            let address = route::new_address(index, range.node());
            steps.push(("give its link the node's address", address));
        }
        self.run(host, steps)?;
        if ipv6 {
            // A Pod must not be able to become this machine's router.
            let key = format!("ipv6/conf/{interface}/accept_ra");
            self.sysctl
                .write(&key, "0")
                .map_err(|source| Error::Setting {
                    pod: self.pod.to_owned(),
                    key,
                    source,
                })?;
        }
        // By hash of the UID, so that the address of a Pod that ended is not soon given to another.
        let start = hash(&self.pod) % self.ipv4.capacity();
        let (ipv4, offset) = self.allocate(host, index, self.ipv4, start)?;
        let mut addresses = vec![ipv4];
        if let Some(range) = self.ipv6 {
            addresses.push(self.allocate(host, index, range, start + offset)?.0);
        }
        Ok(addresses)
    }

    /// Takes the first free address from the `start`th on: the one whose route can be made. Returns how many were not.
    fn allocate(
        &self,
        host: &mut Netlink,
        index: u32,
        range: AddressRange,
        start: u64,
    ) -> Result<(IpAddr, u64), Error> {
        let step = "route its address";
        for offset in 0..range.capacity() {
            let address = range.pod(start + offset);
            match self.run(host, vec![(step, route::new_host_route(index, address))]) {
                Ok(()) => return Ok((address, offset)),
                Err(error) if is_refused_with(&error, Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::AddressesTaken(range))
    }

    /// Returns the addresses the Pod came to have.
    fn configure_pod(
        &self,
        inside: &mut Netlink,
        mut addresses: Vec<IpAddr>,
    ) -> Result<Vec<IpAddr>, Error> {
        let index = index_of(&*inside, POD_INTERFACE)
            .map_err(|errno| self.failed("find the interface inside", errno))?;
        let up = vec![
            ("switch lo on inside", route::set_up(LOOPBACK)),
            ("switch the interface inside on", route::set_up(index)),
        ];
        self.run(inside, up)?;
        let ranges = [Some(self.ipv4), self.ipv6].into_iter().flatten();
        let mut kept = addresses.len();
        for (address, range) in addresses.iter().zip(ranges) {
            let default = route::new_default_route(index, range.node());
            let steps = vec![
                (
                    "give the interface its address",
                    route::new_address(index, *address),
                ),
                ("set the default route inside", default),
            ];
            match self.run(inside, steps) {
                // The Pod's own sysctls say disable_ipv6.
                Err(error) if address.is_ipv6() && is_refused_with(&error, Errno::ACCESS) => {
                    kept -= 1;
                }
                done => done?,
            }
        }
        addresses.truncate(kept);
        Ok(addresses)
    }

    /// Carries the steps out in one datagram; the first that is refused is the error.
    fn run(&self, netlink: &mut Netlink, steps: Vec<Step>) -> Result<(), Error> {
        let (names, requests): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        let verdicts = netlink.request(&requests).map_err(|source| Error::Attach {
            pod: self.pod.to_owned(),
            step: names.first().copied().unwrap_or_default(),
            source,
        })?;
        for (step, verdict) in names.into_iter().zip(verdicts) {
            verdict.map_err(|refusal| Error::Attach {
                pod: self.pod.to_owned(),
                step,
                source: refusal.into(),
            })?;
        }
        Ok(())
    }

    fn failed(&self, step: &'static str, errno: Errno) -> Error {
        let refusal = Refusal {
            errno,
            explanation: None,
        };
        Error::Attach {
            pod: self.pod.to_owned(),
            step,
            source: NetlinkError::Refused(refusal),
        }
    }
}

fn is_refused_with(error: &Error, errno: Errno) -> bool {
    matches!(error, Error::Attach { source, .. } if source.errno() == Some(errno))
}

fn index_of(socket: impl AsFd, name: &str) -> Result<u32, Errno> {
    name_to_index(socket, name)
}

/// `pil` and the first eight hex digits of the Pod's UID, as it is likely to be read; where there are none, or the name
/// is in use, eight of its hash.
fn interface_name(pod: &str, attempt: u32) -> String {
    let digits: String = pod
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(8)
        .collect();
    if attempt == 0 && digits.len() == 8 {
        return format!("{HOST_PREFIX}{}", digits.to_ascii_lowercase());
    }
    let hash = hash(&(pod, attempt)) & 0xffff_ffff;
    format!("{HOST_PREFIX}{hash:08x}")
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_an_interface_and_differ_by_attempt() {
        let uid = "3F2B0C1D-9a8e-4d6f-8b7a-0123456789ab";
        assert_eq!(interface_name(uid, 0), "pil3f2b0c1d");
        for pod in [uid, "", "kein", "ünïcode"] {
            let names: Vec<String> = (0..NAMES).map(|n| interface_name(pod, n)).collect();
            for (at, name) in names.iter().enumerate() {
                assert_eq!(name.len(), 11, "{name}");
                assert!(!names[..at].contains(name), "{names:?}");
            }
        }
    }
}
