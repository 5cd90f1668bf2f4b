//! What is about one connection and not about the message: taken away before a message goes on (RFC 9110, 7.6.1).
//!
//! The fields that frame the body stay: whoever sends the message makes them fit.

use super::{Field, Headers, Known, RequestHead, ResponseHead, Version};

#[cfg(test)]
mod tests;

/// Takes them from a request. A request of HTTP/1.1 without a body that asks to change protocols is remembered as
/// [`RequestHead::protocol`]; `TE` stays where it says `trailers`, which is all of it that concerns the next hop.
pub fn strip_request(head: &mut RequestHead, has_body: bool) {
    let headers = head.headers();
    let asked = head.version() == Version::Http11
        && !has_body
        && headers.has_element(Known::Connection, "upgrade");
    // `h2c` is never taken: HTTP/2 in the clear is found by its preface.
    let protocol = (headers.known(Known::Upgrade))
        .filter(|value| asked && !value.eq_ignore_ascii_case(b"h2c"))
        .map(<[u8]>::to_vec);
    if let Some(protocol) = protocol {
        // A list of protocols, or what is no name: as if nothing was asked.
        let _ = head.set_protocol(Some(&protocol));
    }
    let trailers = head.headers().has_element(Known::Te, "trailers");
    strip(head.headers_mut());
    head.headers_mut().remove_known(Known::Te);
    if trailers {
        head.headers_mut().append_parsed(b"TE", b"trailers");
    }
}

/// Takes them from a response. The protocol that a 101 changes to is remembered as [`ResponseHead::protocol`].
pub fn strip_response(head: &mut ResponseHead) {
    if head.status() == 101 {
        let protocol = head.headers().known(Known::Upgrade).map(<[u8]>::to_vec);
        // What is no name of a protocol: as if none was named, which the policy refuses.
        let _ = head.set_protocol(protocol.as_deref());
    }
    strip(head.headers_mut());
}

fn strip(headers: &mut Headers) {
    // Most messages name nothing but `close` and `keep-alive`.
    let named: Vec<Vec<u8>> = headers
        .elements(Known::Connection)
        .filter(|name| {
            !matches!(
                Known::of(name),
                Known::KeepAlive | Known::Upgrade | Known::Te
            )
        })
        .filter(|name| !name.eq_ignore_ascii_case(b"close") && !is_end_to_end(name))
        .map(<[u8]>::to_vec)
        .collect();
    headers.retain(|field| {
        !is_hop_by_hop(field)
            && !named
                .iter()
                .any(|name| name.eq_ignore_ascii_case(field.name))
    });
}

fn is_hop_by_hop(field: Field<'_>) -> bool {
    matches!(
        field.known,
        Known::Connection
            | Known::Http2Settings
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::Upgrade
    )
}

/// Fields that `Connection` cannot take away. Without this a client could make the app see a request without the
/// credentials or addresses that the proxy vouches for.
fn is_end_to_end(name: &[u8]) -> bool {
    const KEPT: [&[u8]; 12] = [
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-type",
        b"content-encoding",
        b"trailer",
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"cache-control",
        b"forwarded",
        b"x-real-ip",
    ];
    KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept))
        || name.len() >= 12 && name[..12].eq_ignore_ascii_case(b"x-forwarded-")
}
