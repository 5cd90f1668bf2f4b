//! Heads to bytes. The fields that frame the message are made to fit here, in the place and case they came in.

use crate::message::framing::BodyLength;
use crate::message::{Headers, Known, RequestHead, ResponseHead, TargetForm, Version};

/// How the body behind a head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// There is none, or it is complete.
    Done,
    /// So many bytes are still to come.
    Length(u64),
    /// As chunks.
    Chunked,
    /// As it is, until the end of the connection.
    Raw,
}

/// Whether a client must be told that the connection stays or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// It goes without saying.
    Silent,
    /// `Connection: keep-alive`, for HTTP/1.0.
    Keep,
    /// `Connection: close`.
    Close,
}

/// Writes the head of a request as HTTP/1.1, in origin form.
pub(super) fn request(into: &mut Vec<u8>, head: &RequestHead, length: BodyLength) -> Writer {
    into.extend_from_slice(head.method().as_bytes());
    into.push(b' ');
    if head.form() == TargetForm::Authority {
        into.extend_from_slice(head.target_authority().unwrap_or_default());
    } else {
        into.extend_from_slice(head.path());
    }
    if let Some(query) = head.query() {
        into.push(b'?');
        into.extend_from_slice(query);
    }
    into.extend_from_slice(b" HTTP/1.1\r\n");
    if head.headers().known(Known::Host).is_none() {
        field(into, b"Host", head.target_authority().unwrap_or_default());
    }
    let writer = match length {
        BodyLength::None => Writer::Done,
        BodyLength::Known(length) => Writer::Length(length),
        BodyLength::Unknown => Writer::Chunked,
    };
    let has_meaning = matches!(head.method(), "POST" | "PUT" | "PATCH");
    fields(into, head.headers(), writer, has_meaning, false);
    if let Some(protocol) = head.protocol() {
        field(into, b"Connection", b"Upgrade");
        field(into, b"Upgrade", protocol);
    }
    into.extend_from_slice(b"\r\n");
    writer
}

/// Writes the head of a response to a client that spoke `version`.
pub(super) fn response(
    into: &mut Vec<u8>,
    head: &ResponseHead,
    length: BodyLength,
    version: Version,
    persistence: Persistence,
) -> Writer {
    let status = head.status();
    into.extend_from_slice(b"HTTP/1.1 ");
    decimal(into, u64::from(status));
    into.push(b' ');
    into.extend_from_slice(head.phrase());
    into.extend_from_slice(b"\r\n");
    let no_body = status < 200 || status == 204 || status == 304;
    let writer = match length {
        _ if no_body => Writer::Done,
        BodyLength::None => Writer::Done,
        BodyLength::Known(length) => Writer::Length(length),
        BodyLength::Unknown if version == Version::Http10 => Writer::Raw,
        BodyLength::Unknown => Writer::Chunked,
    };
    // A HEAD or 304 may tell the length of what it does not send; 1xx and 204 may not (RFC 9110, 8.6).
    let tells_length = writer == Writer::Done && status >= 200 && status != 204;
    fields(into, head.headers(), writer, true, tells_length);
    match persistence {
        Persistence::Silent => {}
        Persistence::Keep => field(into, b"Connection", b"keep-alive"),
        Persistence::Close => field(into, b"Connection", b"close"),
    }
    if status == 101 {
        field(into, b"Connection", b"Upgrade");
        field(into, b"Upgrade", head.protocol().unwrap_or_default());
    }
    into.extend_from_slice(b"\r\n");
    writer
}

/// Writes the fields, with those of the framing as `writer` needs them: at their first place, or behind the others.
fn fields(
    into: &mut Vec<u8>,
    headers: &Headers,
    writer: Writer,
    zero_has_meaning: bool,
    tells_length: bool,
) {
    let mut framed = false;
    for each in headers.iter() {
        match each.known {
            Known::ContentLength | Known::TransferEncoding => match (writer, each.known) {
                (Writer::Done, Known::ContentLength) if tells_length => {
                    field(into, each.name, each.value);
                }
                (Writer::Length(length), Known::ContentLength) if !framed => {
                    number(into, each.name, length);
                    framed = true;
                }
                (Writer::Chunked, Known::TransferEncoding) if !framed => {
                    field(into, each.name, b"chunked");
                    framed = true;
                }
                _ => {}
            },
            // Nothing that an HTTP/1 peer is told of itself: see `message::hop`.
            Known::Connection | Known::KeepAlive | Known::Upgrade | Known::Te => {}
            _ => field(into, each.name, each.value),
        }
    }
    match writer {
        Writer::Length(0) if !zero_has_meaning => {}
        Writer::Length(length) if !framed => number(into, b"Content-Length", length),
        Writer::Chunked if !framed => field(into, b"Transfer-Encoding", b"chunked"),
        _ => {}
    }
}

/// Writes one field.
pub(super) fn field(into: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    into.extend_from_slice(name);
    into.extend_from_slice(b": ");
    into.extend_from_slice(value);
    into.extend_from_slice(b"\r\n");
}

fn number(into: &mut Vec<u8>, name: &[u8], value: u64) {
    into.extend_from_slice(name);
    into.extend_from_slice(b": ");
    decimal(into, value);
    into.extend_from_slice(b"\r\n");
}

fn decimal(into: &mut Vec<u8>, value: u64) {
    digits(into, value, 10);
}

/// The line in front of a chunk of `length` bytes.
pub(super) fn chunk_size(into: &mut Vec<u8>, length: usize) {
    digits(into, length as u64, 16);
    into.extend_from_slice(b"\r\n");
}

fn digits(into: &mut Vec<u8>, mut value: u64, base: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b"0123456789abcdef"[(value % base) as usize];
        value /= base;
        if value == 0 {
            break;
        }
    }
    into.extend_from_slice(&text[at..]);
}

/// What stands behind the last chunk.
pub(super) fn last_chunk(into: &mut Vec<u8>, trailers: Option<&Headers>) {
    into.extend_from_slice(b"0\r\n");
    for each in trailers.iter().flat_map(|trailers| trailers.iter()) {
        field(into, each.name, each.value);
    }
    into.extend_from_slice(b"\r\n");
}
