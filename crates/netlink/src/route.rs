//! The rtnetlink requests Pod networks need: links, addresses and routes.

use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{
    NLM_F_CREATE, NLM_F_EXCL, NetlinkDeserializable, NetlinkHeader, NetlinkSerializable,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope,
};
use netlink_packet_route::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InetDevConf, InfoData, InfoKind,
    InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
    RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::{AddressRange, Netlink, NetlinkError, Request};

/// The hardware address of every host side. Made up by the kernel, udev would replace it some time after the link is in
/// use (`MACAddressPolicy=persistent`); and a link with one neighbour needs none of its own.
const HOST_MAC: [u8; 6] = [0x02, b'p', b'i', b'l', b'l', b'i'];

/// A veth pair: `host` here, `pod` in the other namespace from its first moment, so that nothing of it is ever to be
/// cleaned up on this side. Both are down: the peer could not be otherwise (veth_open: ENOTCONN), this side waits for
/// its settings.
pub fn new_veth(host: &str, pod: &str, pod_namespace: BorrowedFd<'_>) -> Request {
    let mut peer = LinkMessage::default();
    peer.attributes = vec![
        LinkAttribute::IfName(pod.to_owned()),
        LinkAttribute::NetNsFd(pod_namespace.as_raw_fd()),
    ];
    let mut link = LinkMessage::default();
    link.attributes = vec![
        LinkAttribute::IfName(host.to_owned()),
        LinkAttribute::Address(HOST_MAC.to_vec()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]),
    ];
    request(
        RouteNetlinkMessage::NewLink(link),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// The per-link switches of the host side. Packets of a Pod are forwarded; they must carry the Pod's own source address
/// (rp_filter); and the link makes up no link-local IPv6 address, so that it neither probes nor solicits.
pub fn configure_host_link(index: u32, ipv6: bool) -> Request {
    let mut inet = InetDevConf::default();
    inet.forwarding = 1;
    inet.rp_filter = 1;
    let mut families = vec![AfSpecUnspec::Inet(vec![AfSpecInet::DevConfRequest(inet)])];
    if ipv6 {
        let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        families.push(AfSpecUnspec::Inet6(vec![mode]));
    }
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.attributes = vec![LinkAttribute::AfSpecUnspec(families)];
    request(RouteNetlinkMessage::SetLink(link), 0)
}

/// Switches a link on.
pub fn set_up(index: u32) -> Request {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    request(RouteNetlinkMessage::SetLink(link), 0)
}

/// Deletes a link, and with it its peer, addresses and routes.
pub fn delete_link(index: u32) -> Request {
    let mut link = LinkMessage::default();
    link.header.index = index;
    request(RouteNetlinkMessage::DelLink(link), 0)
}

/// Gives a link an address of full length. IPv6 skips duplicate address detection: the address is usable at once, and that
/// it is unique is decided by the route to it.
pub fn new_address(index: u32, address: IpAddr) -> Request {
    let mut message = AddressMessage::default();
    let (family, prefix_len) = family(address);
    message.header.family = family;
    message.header.prefix_len = prefix_len;
    message.header.scope = AddressScope::Universe;
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Address(address)];
    if address.is_ipv4() {
        message.attributes.push(AddressAttribute::Local(address));
    } else {
        message.header.flags = AddressHeaderFlags::Nodad;
    }
    request(
        RouteNetlinkMessage::NewAddress(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// A route to one address over a link; refused with EEXIST where there is one already, over whichever link.
pub fn new_host_route(index: u32, address: IpAddr) -> Request {
    let message = host_route(index, address);
    request(
        RouteNetlinkMessage::NewRoute(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// Takes back what [`new_host_route`] made; refused with ESRCH where it is gone.
pub fn delete_host_route(index: u32, address: IpAddr) -> Request {
    let message = host_route(index, address);
    request(RouteNetlinkMessage::DelRoute(message), 0)
}

fn host_route(index: u32, address: IpAddr) -> RouteMessage {
    let (family, prefix_len) = family(address);
    let mut message = route(family, RouteScope::Link);
    message.header.destination_prefix_length = prefix_len;
    message.attributes = vec![
        RouteAttribute::Destination(RouteAddress::from(address)),
        RouteAttribute::Oif(index),
    ];
    message
}

/// The default route over a link. The gateway lies in no network of the link, hence `onlink`.
pub fn new_default_route(index: u32, gateway: IpAddr) -> Request {
    let mut message = route(family(gateway).0, RouteScope::Universe);
    message.header.flags = RouteFlags::Onlink;
    message.attributes = vec![
        RouteAttribute::Gateway(RouteAddress::from(gateway)),
        RouteAttribute::Oif(index),
    ];
    request(
        RouteNetlinkMessage::NewRoute(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

/// The links of the namespace: index and name.
///
/// # Errors
/// See [`NetlinkError`].
pub fn links(netlink: &mut Netlink) -> Result<Vec<(u32, String)>, NetlinkError> {
    let message = LinkMessage::default();
    let answers = netlink.dump(&request(RouteNetlinkMessage::GetLink(message), 0))?;
    let links = answers.iter().filter_map(|answer| {
        let RouteNetlinkMessage::NewLink(link) = parse(answer.kind, &answer.payload)? else {
            return None;
        };
        let name = link
            .attributes
            .into_iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => Some(name),
                _ => None,
            })?;
        Some((link.header.index, name))
    });
    Ok(links.collect())
}

/// What a routing table of the namespace says about one destination. Own addresses are routes of the `local` table.
pub struct Destination {
    /// Where it is.
    pub range: AddressRange,
    /// The index of the link that leads there.
    pub link: Option<u32>,
}

/// The destinations of all routing tables, without default routes and multicast.
///
/// # Errors
/// See [`NetlinkError`].
pub fn destinations(netlink: &mut Netlink, ipv6: bool) -> Result<Vec<Destination>, NetlinkError> {
    let family = if ipv6 {
        AddressFamily::Inet6
    } else {
        AddressFamily::Inet
    };
    let mut message = RouteMessage::default();
    message.header.address_family = family;
    let answers = netlink.dump(&request(RouteNetlinkMessage::GetRoute(message), 0))?;
    let destinations = answers.iter().filter_map(|answer| {
        let RouteNetlinkMessage::NewRoute(route) = parse(answer.kind, &answer.payload)? else {
            return None;
        };
        let (mut address, mut link) = (None, None);
        for attribute in route.attributes {
            match attribute {
                RouteAttribute::Destination(RouteAddress::Inet(to)) => address = Some(to.into()),
                RouteAttribute::Destination(RouteAddress::Inet6(to)) => address = Some(to.into()),
                RouteAttribute::Oif(index) => link = Some(index),
                _ => {}
            }
        }
        let range = AddressRange::new(address?, route.header.destination_prefix_length).ok()?;
        let relevant = range.prefix() > 0 && route.header.kind != RouteType::Multicast;
        relevant.then_some(Destination { range, link })
    });
    Ok(destinations.collect())
}

fn family(address: IpAddr) -> (AddressFamily, u8) {
    match address {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    }
}

fn route(family: AddressFamily, scope: RouteScope) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = scope;
    message.header.kind = RouteType::Unicast;
    message
}

fn request(message: RouteNetlinkMessage, flags: u16) -> Request {
    let mut payload = vec![0; message.buffer_len()];
    message.serialize(&mut payload);
    Request {
        kind: message.message_type(),
        flags,
        payload,
    }
}

/// Reads a message of a dump. One that the library does not understand is passed over: foreign links and routes may
/// carry attributes of any kind.
fn parse(kind: u16, payload: &[u8]) -> Option<RouteNetlinkMessage> {
    let mut header = NetlinkHeader::default();
    header.message_type = kind;
    RouteNetlinkMessage::deserialize(&header, payload).ok()
}
