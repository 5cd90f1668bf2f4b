//! Who the client is, and what the backend is told of it: `X-Forwarded-*`, `X-Real-IP` and `Forwarded` (RFC 7239).
//!
//! Anybody can write these fields. Of what came, the last `trustedHops` entries are believed, since the proxies in front
//! wrote them; all before them, and all of it without trusted hops, is dropped, along with names that CGI and WSGI take
//! for the same (`X_Forwarded_For`).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::config::{Forwarded, ForwardedHeaders};
use crate::message::{Headers, RequestHead};

use crate::route::host_of;

/// The other end of a connection; made once for all its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    address: Option<IpAddr>,
    encrypted: bool,
    text: Text,
}

impl Peer {
    /// `address` is what the socket or the PROXY protocol says, `None` for a Unix socket; `encrypted` whether TLS is spoken.
    #[must_use]
    pub fn new(address: Option<IpAddr>, encrypted: bool) -> Self {
        Peer {
            address,
            encrypted,
            text: address.map_or(Text::EMPTY, Text::of),
        }
    }
}

/// Who the client is, as far as it can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: Option<IpAddr>,
    /// The scheme it uses: http or https.
    pub scheme: &'static str,
    /// The host, and perhaps the port, that it wants; empty when it names none.
    pub authority: Vec<u8>,
    /// Address of who is connected to us; empty for a Unix socket.
    peer: Text,
    headers: ForwardedHeaders,
    /// Believed entries before the peer, as `Forwarded` has them and as bare addresses.
    believed: Vec<Entry>,
    /// A believed prefix of a proxy in front.
    prefix: String,
}

/// What one proxy in front said of who was connected to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// As `X-Forwarded-For` has it.
    node: String,
    /// As `Forwarded` has it.
    element: String,
}

impl Client {
    /// The port that the client used.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port_text()?.parse().ok()
    }

    fn port_text(&self) -> Option<&str> {
        let colon = self.authority.iter().rposition(|byte| *byte == b':')?;
        let port = &self.authority[colon + 1..];
        let digits = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(port).ok().filter(|_| digits)
    }
}

/// Finds out who the client of a request is.
#[must_use]
pub fn learn(head: &RequestHead, settings: Forwarded, peer: Peer) -> Client {
    let mut client = Client {
        address: peer.address,
        scheme: if peer.encrypted { "https" } else { "http" },
        authority: head.authority().unwrap_or(b"").to_vec(),
        peer: peer.text,
        headers: settings.headers,
        believed: Vec::new(),
        prefix: String::new(),
    };
    if settings.trusted_hops == 0 || settings.headers == ForwardedHeaders::None {
        return client;
    }
    let headers = head.headers();
    client.believed = believed(headers, settings.trusted_hops);
    if let Some(first) = client.believed.first() {
        client.address = address_of(&first.node);
    }
    let forwarded = last_element(headers);
    let told = |name: &str, parameter: &str| {
        let own = headers.get_all(name).last().and_then(last_of_list);
        own.or_else(|| parameter_of(forwarded.as_deref()?, parameter))
    };
    match told("X-Forwarded-Proto", "proto").as_deref() {
        Some("https") => client.scheme = "https",
        Some("http") => client.scheme = "http",
        _ => {}
    }
    if let Some(host) = told("X-Forwarded-Host", "host").filter(|host| is_authority(host)) {
        client.authority = host.into_bytes();
    }
    let prefix = headers.get_all("X-Forwarded-Prefix").last();
    let prefix = prefix.and_then(|value| std::str::from_utf8(value).ok());
    if let Some(prefix) = prefix.filter(|prefix| prefix.starts_with('/')) {
        prefix.trim_end_matches('/').clone_into(&mut client.prefix);
    }
    client
}

/// Tells the backend who the client is. `prefix` is what it does not see of the path.
pub fn write(client: &Client, prefix: &str, head: &mut RequestHead) {
    if client.headers == ForwardedHeaders::None {
        if !prefix.is_empty() {
            let _ = head
                .headers_mut()
                .set("X-Forwarded-Prefix", prefix.as_bytes());
        }
        return;
    }
    // Only an element of one's own beside believed ones says what was asked of us rather than of the first proxy.
    let host = match client.believed.is_empty() {
        true => Vec::new(),
        false => head.authority().unwrap_or(b"").to_vec(),
    };
    let headers = head.headers_mut();
    headers.retain(|field| !is_forwarded(field.name));
    let mut add = |name: &str, value: &[u8]| {
        if !value.is_empty() {
            // The names are ours, and what came in a head was checked then.
            headers.append_parsed(name.as_bytes(), value);
        }
    };
    let peer = Some(client.peer.as_str()).filter(|peer| !peer.is_empty());
    let believed = &client.believed;
    let x = matches!(
        client.headers,
        ForwardedHeaders::XForwarded | ForwardedHeaders::Both
    );
    if x {
        if believed.is_empty() {
            add("X-Forwarded-For", peer.unwrap_or("").as_bytes());
        } else {
            let before = believed.iter().map(|entry| entry.node.as_str());
            let nodes: Vec<&str> = before.chain(peer).collect();
            add("X-Forwarded-For", nodes.join(", ").as_bytes());
        }
        add("X-Forwarded-Proto", client.scheme.as_bytes());
        add("X-Forwarded-Host", &client.authority);
        let default = match client.scheme {
            "https" => "443",
            _ => "80",
        };
        let port = client.port_text().unwrap_or(default);
        add("X-Forwarded-Port", port.as_bytes());
        if believed.is_empty() {
            add("X-Real-IP", client.peer.as_str().as_bytes());
        } else if let Some(address) = client.address {
            add("X-Real-IP", Text::of(address).as_str().as_bytes());
        }
    }
    if matches!(
        client.headers,
        ForwardedHeaders::Forwarded | ForwardedHeaders::Both
    ) {
        let host = if believed.is_empty() {
            &client.authority
        } else {
            &host
        };
        let own = element(peer.unwrap_or("unknown"), client.scheme, host);
        let before = believed.iter().map(|entry| entry.element.as_str());
        let elements: Vec<&str> = before.chain([own.as_str()]).collect();
        add("Forwarded", elements.join(", ").as_bytes());
    }
    if client.prefix.is_empty() {
        return add("X-Forwarded-Prefix", prefix.as_bytes());
    }
    let prefix = format!("{}{prefix}", client.prefix);
    add("X-Forwarded-Prefix", prefix.as_bytes());
}

/// The text of an address, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Text {
    bytes: [u8; 46],
    length: usize,
}

impl Text {
    const EMPTY: Text = Text {
        bytes: [0; 46],
        length: 0,
    };

    fn of(value: IpAddr) -> Self {
        let mut text = Text::EMPTY;
        // No address is longer than 45 bytes.
        let _ = fmt::write(&mut text, format_args!("{value}"));
        text
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.length + part.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        place.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The last entries, the farthest first.
fn believed(headers: &Headers, hops: usize) -> Vec<Entry> {
    let listed: Vec<String> = headers
        .get_all("X-Forwarded-For")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .filter_map(|entry| std::str::from_utf8(entry.trim_ascii()).ok())
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect();
    let mut entries: Vec<Entry> = if listed.is_empty() {
        let elements = headers.get_all("Forwarded").flat_map(elements);
        elements
            .map(|text| Entry {
                node: parameter_of(&text, "for").unwrap_or_else(|| "unknown".to_owned()),
                element: text,
            })
            .map(|entry| Entry {
                node: address_of(&entry.node).map_or(entry.node, |address| address.to_string()),
                ..entry
            })
            .collect()
    } else {
        listed
            .into_iter()
            .map(|node| Entry {
                element: format!("for={}", quoted_node(&node)),
                node,
            })
            .collect()
    };
    entries.split_off(entries.len().saturating_sub(hops))
}

fn last_element(headers: &Headers) -> Option<String> {
    let value = headers.get_all("Forwarded").last()?;
    elements(value).pop()
}

/// The elements of a value of `Forwarded`: commas in quotes divide nothing.
fn elements(value: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(value) else {
        return Vec::new();
    };
    divided(text, ',')
        .map(str::to_owned)
        .filter(|element| !element.is_empty())
        .collect()
}

/// A parameter of an element of `Forwarded`, without quotes.
fn parameter_of(element: &str, name: &str) -> Option<String> {
    divided(element, ';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        if !key.trim().eq_ignore_ascii_case(name) {
            return None;
        }
        let value = value.trim();
        let inner = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        Some(inner.map_or_else(|| value.to_owned(), |inner| inner.replace('\\', "")))
    })
}

/// Divides at a character outside quotes, without white space around the parts.
fn divided(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c => return c == at && !quoted,
        }
        false
    })
    .map(str::trim)
}

fn last_of_list(value: &[u8]) -> Option<String> {
    let last = value.split(|byte| *byte == b',').next_back()?;
    let text = std::str::from_utf8(last.trim_ascii()).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The address in an entry: bare, with a port, in brackets.
fn address_of(node: &str) -> Option<IpAddr> {
    if let Ok(address) = node.parse() {
        return Some(address);
    }
    let host: Cow<'_, str> = host_of(node.as_bytes());
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(&host).parse().ok()
}

fn is_authority(text: &str) -> bool {
    let of_authority = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(of_authority)
}

/// An element of `Forwarded`.
fn element(node: &str, scheme: &str, host: &[u8]) -> String {
    let host = std::str::from_utf8(host).unwrap_or("");
    let mut text = format!("for={}", quoted_node(node));
    if !host.is_empty() && is_authority(host) {
        let plain = !host.contains([':', '[', ']']);
        let host = if plain {
            host.to_owned()
        } else {
            format!("\"{host}\"")
        };
        text.push_str(&format!(";host={host}"));
    }
    text.push_str(&format!(";proto={scheme}"));
    text
}

/// A node as `Forwarded` has it: IPv6 addresses in brackets, and whatever is no token in quotes.
fn quoted_node(node: &str) -> String {
    if node.parse::<std::net::Ipv6Addr>().is_ok() {
        return format!("\"[{node}]\"");
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if node.bytes().all(token) {
        node.to_owned()
    } else {
        format!("\"{}\"", node.replace(['\\', '"'], ""))
    }
}

/// Whether a field tells of the client, by its own name or by one that some take for it.
fn is_forwarded(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-real-ip",
    ];
    let same = |one: &u8, other: &u8| match one {
        b'_' => *other == b'-',
        one => one.eq_ignore_ascii_case(other),
    };
    matches!(name.first(), Some(b'x' | b'X' | b'f' | b'F'))
        && NAMES.iter().any(|known| {
            known.len() == name.len()
                && name.iter().zip(*known).all(|(one, other)| same(one, other))
        })
}
