//! Heads from bytes.

use std::mem::MaybeUninit;

use super::Limits;
use crate::message::{Headers, RequestHead, ResponseHead, Version};
use crate::reason::{Failure, Reason};

/// The most fields that a head may have, whatever the limits say.
const MOST_FIELDS: usize = 128;

/// Finds the end of a head while it arrives, looking at each byte once.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    seen: usize,
    line: usize,
}

impl HeadScan {
    /// The length of the head that `bytes` begins with, with the empty line; None when it is not complete.
    ///
    /// # Errors
    /// A line that ends in LF without CR: others may or may not take it for an end.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, &'static str> {
        while let Some(at) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let at = self.seen + at;
            if at == 0 || bytes[at - 1] != b'\r' {
                return Err("a line ends in LF without CR");
            }
            self.seen = at + 1;
            if at - self.line == 1 {
                *self = Self::default();
                return Ok(Some(at + 1));
            }
            self.line = at + 1;
        }
        self.seen = bytes.len();
        Ok(None)
    }
}

/// The head of a request from all of its bytes.
///
/// # Errors
/// Reasons of the class 4xx and 5xx for the client.
pub(super) fn request(bytes: &[u8], limits: &Limits) -> Result<RequestHead, Failure> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    let status = parsed.parse_with_uninit_headers(bytes, &mut fields);
    let reason = |error| match error {
        httparse::Error::TooManyHeaders => Reason::HeadTooLarge,
        httparse::Error::Version if version_of_http(bytes) => Reason::UnsupportedVersion,
        _ => Reason::MalformedRequest,
    };
    match status {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => {
            return Err(Failure::new(
                Reason::MalformedRequest,
                "the head ends too early",
            ));
        }
        Err(error) => return Err(Failure::new(reason(error), detail(error))),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(Failure::new(Reason::MalformedRequest, "no request line"));
    };
    if target.len() > limits.target_bytes {
        return Err(Failure::new(
            Reason::TargetTooLong,
            "the target is longer than the limit",
        ));
    }
    if parsed.headers.len() > limits.fields {
        return Err(Failure::new(
            Reason::HeadTooLarge,
            "more fields than the limit",
        ));
    }
    let mut head = RequestHead::new(method.as_bytes(), target.as_bytes(), of_minor(version))?;
    append(head.headers_mut(), parsed.headers);
    Ok(head)
}

/// The head of a response from all of its bytes.
///
/// # Errors
/// [`Reason::MalformedResponse`].
pub(super) fn response(bytes: &[u8]) -> Result<ResponseHead, Failure> {
    let malformed = |detail| Failure::new(Reason::MalformedResponse, detail);
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(malformed("the head ends too early")),
        Err(error) => return Err(malformed(detail(error))),
    }
    let (Some(status), Some(version)) = (parsed.code, parsed.version) else {
        return Err(malformed("no status line"));
    };
    let phrase = parsed.reason.unwrap_or_default().as_bytes();
    let mut head = ResponseHead::received(status, phrase, of_minor(version));
    append(head.headers_mut(), parsed.headers);
    Ok(head)
}

/// Trailers from all of their bytes, with the empty line.
///
/// # Errors
/// What is wrong with them.
pub(super) fn trailers(bytes: &[u8], limits: &Limits) -> Result<Headers, &'static str> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let parsed = match httparse::parse_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete((length, parsed))) if length == bytes.len() => parsed,
        Ok(_) => return Err("the trailers end too early"),
        Err(error) => return Err(detail(error)),
    };
    if parsed.len() > limits.fields {
        return Err("more trailers than the limit");
    }
    let mut trailers = Headers::new();
    append(&mut trailers, parsed);
    Ok(trailers)
}

fn append(headers: &mut Headers, parsed: &[httparse::Header<'_>]) {
    for field in parsed {
        headers.append_parsed(field.name.as_bytes(), field.value);
    }
}

fn of_minor(version: u8) -> Version {
    if version == 0 {
        Version::Http10
    } else {
        Version::Http11
    }
}

/// Whether the first line ends in a version of HTTP, though not one of ours.
fn version_of_http(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

fn detail(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "the name of a field is not a token, or a line is folded",
        httparse::Error::HeaderValue => "the value of a field has a control character",
        httparse::Error::NewLine => "CR without LF",
        httparse::Error::Status => "the status code is not three digits",
        httparse::Error::Token => "the first line is not one of HTTP",
        httparse::Error::TooManyHeaders => "too many fields",
        httparse::Error::Version => "not HTTP/1.0 or HTTP/1.1",
    }
}
