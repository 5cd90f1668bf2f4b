//! The first message of a TLS client, looked at without answering it: for passthrough by server name or protocol.
//!
//! The reading is lenient where the message is none of our business (any version, any suites) and strict in its form. A
//! ClientHello may span several records and, with a hybrid key exchange, exceeds one TCP segment.

use std::future::poll_fn;
use std::time::Duration;

use super::error::HandshakeError;
use crate::buffer::{Buffer, Size};
use crate::transport::Transport;

#[cfg(test)]
mod tests;

/// Most bytes of a ClientHello with its record headers. The largest in use have about 2 KiB, with tickets some more.
const LIMIT: usize = 32 * 1024;

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The server name (SNI), in lower case.
    pub server_name: Option<String>,
    /// The protocols it offers (ALPN), best first; those that are no UTF-8 are left out.
    pub alpn: Vec<String>,
    /// Whether it offers TLS 1.3.
    pub tls13: bool,
}

/// Waits for the ClientHello on `transport` and reads it. Its bytes stay to be read by whoever comes next.
///
/// # Errors
/// The client sends something else, more than 32 KiB, or not all of it within `limit`.
pub async fn peek(transport: &mut Transport, limit: Duration) -> Result<Hello, HandshakeError> {
    let mut bytes = Buffer::new();
    let hello = tokio::time::timeout(limit, read(transport, &mut bytes)).await;
    if !bytes.is_empty() {
        transport.unread(bytes);
    }
    hello.unwrap_or(Err(HandshakeError::Timeout {
        ms: limit.as_millis(),
    }))
}

async fn read(transport: &mut Transport, bytes: &mut Buffer) -> Result<Hello, HandshakeError> {
    loop {
        // Small storage does for nearly all.
        let size = if bytes.len() < 8 * 1024 {
            Size::Small
        } else {
            Size::Large
        };
        match poll_fn(|cx| transport.poll_read(cx, bytes, size))
            .await
            .map_err(HandshakeError::Io)?
        {
            0 => return Err(HandshakeError::Closed),
            _ => {
                if let Some(hello) = parse(bytes.bytes())? {
                    return Ok(hello);
                }
            }
        }
    }
}

/// The ClientHello at the beginning of `bytes`; none if it is not complete yet.
///
/// # Errors
/// This is not the beginning of a ClientHello, or one of more than 32 KiB.
pub fn parse(bytes: &[u8]) -> Result<Option<Hello>, HandshakeError> {
    if is_http(bytes) {
        return Err(HandshakeError::PlainHttp);
    }
    // What is beyond does not count, so that it does not matter how much has arrived.
    let Some(message) = message(&bytes[..bytes.len().min(LIMIT)])? else {
        return if bytes.len() >= LIMIT {
            wrong("a ClientHello of more than 32 KiB")
        } else {
            Ok(None)
        };
    };
    match body(&message) {
        Some(hello) => Ok(Some(hello)),
        None => wrong("a ClientHello whose lengths contradict each other"),
    }
}

/// Whether `bytes` begin as an HTTP request does.
#[must_use]
pub fn is_http(bytes: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] = [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"DELETE ",
        b"OPTIONS ",
        b"PATCH ",
        b"CONNECT ",
        b"TRACE ",
        b"PRI * HTTP/2",
    ];
    METHODS.iter().any(|method| bytes.starts_with(method))
}

fn wrong<T>(why: &str) -> Result<T, HandshakeError> {
    Err(HandshakeError::Protocol { why: why.into() })
}

/// The first handshake message, put together of its records; none if it is not complete.
fn message(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, HandshakeError> {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    let mut message = Vec::new();
    loop {
        match bytes {
            [kind, ..] if *kind != HANDSHAKE => {
                return wrong("the first bytes are not those of a TLS handshake");
            }
            [_, major, ..] if *major != 3 => return wrong("a record of an unknown version"),
            _ => {}
        }
        let [_, _, _, high, low, rest @ ..] = bytes else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length == 0 || length > 16_384 {
            return wrong("a record of an impossible length");
        }
        let here = rest.len().min(length);
        message.extend_from_slice(&rest[..here]);
        match &message[..] {
            [kind, ..] if *kind != CLIENT_HELLO => {
                return wrong("the first message is not a ClientHello");
            }
            [_, a, b, c, body @ ..] => {
                let expected = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
                if expected > LIMIT {
                    return wrong("a ClientHello of more than 32 KiB");
                }
                if body.len() >= expected {
                    return Ok(Some(body[..expected].to_vec()));
                }
            }
            _ => {}
        }
        if here < length {
            return Ok(None);
        }
        bytes = &rest[length..];
    }
}

/// The parts of a ClientHello (RFC 8446 section 4.1.2); none if it is malformed.
fn body(message: &[u8]) -> Option<Hello> {
    let rest = message.get(2 + 32..)?;
    let (_session, rest) = vector8(rest)?;
    let (_suites, rest) = vector16(rest)?;
    let (_compression, rest) = vector8(rest)?;
    let mut hello = Hello::default();
    if rest.is_empty() {
        // No extensions at all: an old client.
        return Some(hello);
    }
    let (mut extensions, rest) = vector16(rest)?;
    if !rest.is_empty() {
        return None;
    }
    while let [a, b, rest @ ..] = extensions {
        let (value, rest) = vector16(rest)?;
        match u16::from_be_bytes([*a, *b]) {
            0 => hello.server_name = Some(server_name(value)?),
            16 => hello.alpn = alpn(value)?,
            43 => hello.tls13 = versions(value)?,
            _ => {}
        }
        extensions = rest;
    }
    extensions.is_empty().then_some(hello)
}

/// RFC 6066 section 3: a list with one name of the type host_name.
fn server_name(value: &[u8]) -> Option<String> {
    let (list, rest) = vector16(value)?;
    let (kind, list) = list.split_first()?;
    let (name, more) = vector16(list)?;
    if *kind != 0 || !rest.is_empty() || !more.is_empty() || name.is_empty() || name.len() > 255 {
        return None;
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.iter().all(allowed) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    Some(name.strip_suffix('.').map_or(name.clone(), str::to_owned))
}

/// RFC 7301 section 3.1.
fn alpn(value: &[u8]) -> Option<Vec<String>> {
    let (mut list, rest) = vector16(value)?;
    let mut names = Vec::new();
    while !list.is_empty() {
        let (name, more) = vector8(list)?;
        names.extend(std::str::from_utf8(name).ok().map(str::to_owned));
        list = more;
    }
    rest.is_empty().then_some(names)
}

/// RFC 8446 section 4.2.1.
fn versions(value: &[u8]) -> Option<bool> {
    let (list, rest) = vector8(value)?;
    rest.is_empty()
        .then(|| list.chunks_exact(2).any(|version| version == [3, 4]))
}

fn vector8(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

fn vector16(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
