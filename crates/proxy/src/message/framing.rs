//! Where the body of an HTTP/1 message ends (RFC 9112, 6.3), read in one way or refused.
//!
//! Two programs in a row that disagree here are what request smuggling lives on. Whatever the RFC lets a recipient repair
//! is refused: both fields at once, lists of lengths, codings besides `chunked`, any coding in HTTP/1.0.

use super::{Headers, Known, RequestHead, ResponseHead, Version};
use crate::reason::{Failure, Reason};

#[cfg(test)]
mod tests;

/// How the end of a received body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body, whatever the fields say.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks up to one of length zero, then trailers.
    Chunked,
    /// All until the connection is closed: responses only.
    UntilClose,
}

/// What is known in advance of a body that is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body; a `Content-Length`, if any, is about a body that is not sent (HEAD, 304).
    None,
    /// So many bytes.
    Known(u64),
    /// It ends when it ends; trailers may follow.
    Unknown,
}

impl From<Framing> for BodyLength {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::None => BodyLength::None,
            Framing::Length(length) => BodyLength::Known(length),
            Framing::Chunked | Framing::UntilClose => BodyLength::Unknown,
        }
    }
}

/// The framing of a request that came over HTTP/1.
///
/// # Errors
/// [`Reason::AmbiguousFraming`], [`Reason::UnsupportedTransferCoding`].
pub fn of_request(head: &RequestHead) -> Result<Framing, Failure> {
    match of_fields(head.headers(), head.version())? {
        Some(_) if head.method() == "CONNECT" => Err(ambiguous("CONNECT with a body")),
        Some(framing) => Ok(framing),
        None => Ok(Framing::None),
    }
}

/// The framing of a final response that came over HTTP/1, to a request with `method`.
///
/// # Errors
/// [`Reason::MalformedResponse`].
pub fn of_response(head: &ResponseHead, method: &str) -> Result<Framing, Failure> {
    let fields = of_fields(head.headers(), head.version())
        .map_err(|failure| Failure::new(Reason::MalformedResponse, failure.detail))?;
    let status = head.status();
    let tunnel = method == "CONNECT" && (200..300).contains(&status);
    if method == "HEAD" || status < 200 || status == 204 || status == 304 || tunnel {
        return Ok(Framing::None);
    }
    Ok(fields.unwrap_or(Framing::UntilClose))
}

fn ambiguous(detail: &'static str) -> Failure {
    Failure::new(Reason::AmbiguousFraming, detail)
}

fn of_fields(headers: &Headers, version: Version) -> Result<Option<Framing>, Failure> {
    let mut length = None;
    let mut chunked = false;
    for field in headers.iter() {
        match field.known {
            Known::ContentLength => {
                if length.is_some() {
                    return Err(ambiguous("more than one Content-Length"));
                }
                let value = parse_length(field.value);
                length = Some(value.ok_or(ambiguous("Content-Length is not a number"))?);
            }
            Known::TransferEncoding => {
                if chunked {
                    return Err(ambiguous("more than one Transfer-Encoding"));
                }
                check_coding(field.value)?;
                chunked = true;
            }
            Known::Other if looks_like_framing(field.name) => {
                return Err(ambiguous(
                    "a field that some take for one that frames the body",
                ));
            }
            _ => {}
        }
    }
    match (chunked, length) {
        (true, Some(_)) => Err(ambiguous("both Content-Length and Transfer-Encoding")),
        (true, None) if version == Version::Http10 => {
            Err(ambiguous("Transfer-Encoding in a message of HTTP/1.0"))
        }
        (true, None) => Ok(Some(Framing::Chunked)),
        (false, Some(length)) => Ok(Some(Framing::Length(length))),
        (false, None) => Ok(None),
    }
}

/// `Content-Length`: digits alone; no sign, no list, no overflow.
fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = digits.then(|| std::str::from_utf8(value).ok()).flatten()?;
    digits.parse().ok().filter(|length| *length <= u64::MAX / 2)
}

/// `Transfer-Encoding`: `chunked` and nothing else. What is another coding, plainly written, is not supported; what
/// might be read as `chunked` by one and not by the other is ambiguous.
fn check_coding(value: &[u8]) -> Result<(), Failure> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let names_chunked = value
        .windows(7)
        .any(|seven| seven.eq_ignore_ascii_case(b"chunked"));
    if names_chunked || !super::headers::is_token(value) {
        return Err(ambiguous("Transfer-Encoding is not chunked alone"));
    }
    Err(Failure::new(
        Reason::UnsupportedTransferCoding,
        "a transfer coding other than chunked",
    ))
}

/// Names which CGI and WSGI make the same as a framing field's: they turn `-` into `_`.
fn looks_like_framing(name: &[u8]) -> bool {
    let same = |as_text: &[u8]| {
        name.len() == as_text.len()
            && name.iter().zip(as_text).all(|(byte, expected)| match byte {
                b'_' => *expected == b'-',
                _ => byte.eq_ignore_ascii_case(expected),
            })
    };
    matches!(name.len(), 14 | 17) && (same(b"content-length") || same(b"transfer-encoding"))
}
