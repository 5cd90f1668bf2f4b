//! Choosing a range of Pod addresses that no network of this machine overlaps.

use super::{Error, HOST_PREFIX};
use netlink::AddressRange;
use netlink::Netlink;
use netlink::route::{self, Destination};

/// The first range without overlap. Routes over `pil*` links are those of Pods, of this or another runner, and no
/// obstacle: runners share a range, and the kernel keeps their addresses apart.
pub(super) fn choose(
    host: &mut Netlink,
    ranges: &[AddressRange],
    ipv6: bool,
    notes: &mut Vec<String>,
) -> Result<AddressRange, Error> {
    let unusable =
        |range: &&AddressRange| range.network().is_ipv6() != ipv6 || range.capacity() == 0;
    if let Some(range) = ranges.iter().find(unusable) {
        return Err(Error::Range(*range));
    }
    let links = route::links(host).map_err(|source| Error::List {
        what: "links",
        source,
    })?;
    let destinations = route::destinations(host, ipv6).map_err(|source| Error::List {
        what: "routes",
        source,
    })?;
    let name = |destination: &Destination| {
        let (_, name) = links
            .iter()
            .find(|(index, _)| Some(*index) == destination.link)?;
        Some(name.as_str())
    };
    let foreign: Vec<&Destination> = destinations
        .iter()
        .filter(|to| !name(to).is_some_and(|name| name.starts_with(HOST_PREFIX)))
        .collect();

    let mut taken = Vec::new();
    for range in ranges {
        let Some(obstacle) = foreign.iter().find(|to| to.range.overlaps(range)) else {
            if !taken.is_empty() {
                notes.push(format!(
                    "Pod addresses are taken from {range}: {}",
                    taken.join(", ")
                ));
            }
            return Ok(*range);
        };
        let link = name(obstacle).unwrap_or("no link");
        taken.push(format!("{range} overlaps {} ({link})", obstacle.range));
    }
    Err(Error::RangesTaken(taken.join(", ")))
}
