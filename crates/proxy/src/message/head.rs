//! The heads of requests and responses.

use super::headers::{Headers, Span, is_token};
use super::{InvalidField, Known};
use crate::reason::{Failure, Reason};

#[cfg(test)]
mod tests;

/// The version that a message was sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// As it stands in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2",
        }
    }
}

/// In which form a request names what it wants (RFC 9112, 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`: the usual.
    Origin,
    /// `http://host/path`: to a proxy, or over HTTP/2.
    Absolute,
    /// `host:port`: CONNECT.
    Authority,
    /// `*`: OPTIONS about the server as a whole.
    Asterisk,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct RequestHead {
    headers: Headers,
    version: Version,
    method: Span,
    form: TargetForm,
    scheme: Option<Span>,
    authority: Option<Span>,
    path: Span,
    query: Option<Span>,
    protocol: Option<Span>,
}

fn malformed(detail: &'static str) -> Failure {
    Failure::new(Reason::MalformedRequest, detail)
}

impl RequestHead {
    /// A head without fields, from a method and a target in any form.
    ///
    /// # Errors
    /// [`Reason::MalformedRequest`]: a method that is not a token; a target with white space, control characters or a
    /// fragment, or of a form that is not for this method.
    pub fn new(method: &[u8], target: &[u8], version: Version) -> Result<Self, Failure> {
        if !is_token(method) {
            return Err(malformed("the method is not a token"));
        }
        if target
            .iter()
            .any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b'#')
        {
            return Err(malformed("the target has a character that no target has"));
        }
        let mut headers = Headers::new();
        let method_at = headers.store(method);
        let target_at = headers.store(target);
        let mut head = Self {
            headers,
            version,
            method: method_at,
            form: TargetForm::Origin,
            scheme: None,
            authority: None,
            path: target_at,
            query: None,
            protocol: None,
        };
        head.divide(method, target, target_at)?;
        Ok(head)
    }

    /// Finds the parts of the target, which is kept at `whole`.
    fn divide(&mut self, method: &[u8], target: &[u8], whole: Span) -> Result<(), Failure> {
        let at = |from: usize, to: usize| Span {
            start: whole.start + from as u32,
            end: whole.start + to as u32,
        };
        if method == b"CONNECT" {
            if !is_authority(target) || !target.contains(&b':') {
                return Err(malformed("CONNECT is not to a host and port"));
            }
            self.form = TargetForm::Authority;
            self.authority = Some(whole);
            self.path = Span::default();
            return Ok(());
        }
        if target == b"*" {
            self.form = TargetForm::Asterisk;
            let allowed = method == b"OPTIONS";
            return if allowed {
                Ok(())
            } else {
                Err(malformed("the target * is for OPTIONS"))
            };
        }
        let mut path_from = 0;
        if target.first() != Some(&b'/') {
            let scheme = target
                .windows(3)
                .position(|three| three == b"://")
                .filter(|scheme| {
                    *scheme > 0 && target[..*scheme].iter().all(u8::is_ascii_alphanumeric)
                })
                .ok_or(malformed("the target is neither a path nor a URL"))?;
            let from = scheme + 3;
            path_from = target[from..]
                .iter()
                .position(|byte| matches!(byte, b'/' | b'?'))
                .map_or(target.len(), |end| from + end);
            if !is_authority(&target[from..path_from]) {
                return Err(malformed("the target's host is not one"));
            }
            self.form = TargetForm::Absolute;
            self.scheme = Some(at(0, scheme));
            self.authority = Some(at(from, path_from));
        }
        let path_to = target[path_from..]
            .iter()
            .position(|byte| *byte == b'?')
            .map_or(target.len(), |end| path_from + end);
        self.path = if path_from == path_to {
            self.headers
                .store(if method == b"OPTIONS" { b"*" } else { b"/" })
        } else {
            at(path_from, path_to)
        };
        self.query = (path_to < target.len()).then(|| at(path_to + 1, target.len()));
        Ok(())
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be edited.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The version in which the request came.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The method, as it came.
    pub fn method(&self) -> &str {
        std::str::from_utf8(self.method.of(&self.headers.bytes)).unwrap_or_default()
    }

    /// Whether the method is HEAD: its response has no body.
    pub fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }

    /// Whether doing it twice is as good as once (RFC 9110, 9.2.2), so that it may be sent again.
    pub fn is_idempotent(&self) -> bool {
        matches!(
            self.method(),
            "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE"
        )
    }

    /// The form of the target.
    pub fn form(&self) -> TargetForm {
        self.form
    }

    /// The scheme, where the target has one.
    pub fn scheme(&self) -> Option<&[u8]> {
        self.scheme.map(|span| span.of(&self.headers.bytes))
    }

    /// Whom the request is for, `host` or `host:port`: from the target, else from the field Host.
    pub fn authority(&self) -> Option<&[u8]> {
        match self.authority {
            Some(span) => Some(span.of(&self.headers.bytes)),
            None => self.headers.known(Known::Host),
        }
    }

    /// The authority in the target itself.
    pub fn target_authority(&self) -> Option<&[u8]> {
        self.authority.map(|span| span.of(&self.headers.bytes))
    }

    /// The path as it came, not decoded. Empty for CONNECT, `*` for a request about the whole server.
    pub fn path(&self) -> &[u8] {
        self.path.of(&self.headers.bytes)
    }

    /// What stands behind the first question mark, as it came.
    pub fn query(&self) -> Option<&[u8]> {
        self.query.map(|span| span.of(&self.headers.bytes))
    }

    /// The protocol that the client asks to change to: `Upgrade` of HTTP/1.1 once [`hop::strip_request`](super::hop::strip_request)
    /// has read it, `:protocol` of an extended CONNECT (RFC 8441).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.protocol.map(|span| span.of(&self.headers.bytes))
    }

    /// Sets the protocol that is asked for, or that none is.
    ///
    /// # Errors
    /// What is not a name of a protocol: it stays as it was.
    pub fn set_protocol(&mut self, protocol: Option<&[u8]>) -> Result<(), InvalidField> {
        if !protocol.is_none_or(is_protocol) {
            return Err(InvalidField);
        }
        self.protocol = protocol.map(|name| self.headers.store(name));
        Ok(())
    }

    /// Rewrites the path. `path` starts with a slash.
    ///
    /// # Errors
    /// What cannot stand in a path: it stays as it was.
    pub fn set_path(&mut self, path: &[u8]) -> Result<(), InvalidField> {
        if path.first() != Some(&b'/') || !is_target_part(path) || path.contains(&b'?') {
            return Err(InvalidField);
        }
        self.path = self.headers.store(path);
        Ok(())
    }

    /// Rewrites the query.
    ///
    /// # Errors
    /// What cannot stand in a query: it stays as it was.
    pub fn set_query(&mut self, query: Option<&[u8]>) -> Result<(), InvalidField> {
        if !query.is_none_or(is_target_part) {
            return Err(InvalidField);
        }
        self.query = query.map(|query| self.headers.store(query));
        Ok(())
    }

    /// Says whom the request is for, in the target (where it has an authority) and in the field Host.
    ///
    /// # Errors
    /// What is not a host: it stays as it was.
    pub fn set_authority(&mut self, authority: &[u8]) -> Result<(), InvalidField> {
        if !is_authority(authority) {
            return Err(InvalidField);
        }
        if self.authority.is_some() {
            self.authority = Some(self.headers.store(authority));
        }
        self.headers.set("Host", authority)
    }

    /// Says by which scheme the request came or goes (HTTP/2 sends it).
    ///
    /// # Errors
    /// What is not a scheme: it stays as it was.
    pub fn set_scheme(&mut self, scheme: &str) -> Result<(), InvalidField> {
        if !is_token(scheme.as_bytes()) {
            return Err(InvalidField);
        }
        self.scheme = Some(self.headers.store(scheme.as_bytes()));
        Ok(())
    }
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    headers: Headers,
    version: Version,
    status: u16,
    phrase: Span,
    protocol: Option<Span>,
}

impl ResponseHead {
    /// A head without fields, with the usual phrase for its status.
    pub fn new(status: u16) -> Self {
        Self::received(status, phrase(status).as_bytes(), Version::Http11)
    }

    /// A head without fields, as it came. A phrase that is no value of a field is left out.
    pub fn received(status: u16, phrase: &[u8], version: Version) -> Self {
        let mut headers = Headers::new();
        let phrase = headers.store(if super::headers::is_value(phrase) {
            phrase
        } else {
            Default::default()
        });
        Self {
            headers,
            version,
            status,
            phrase,
            protocol: None,
        }
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be edited.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The version in which the response came.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The status code: 100 to 599 once the policy has seen it.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The phrase behind the status code, as it came. HTTP/2 has none.
    pub fn phrase(&self) -> &[u8] {
        self.phrase.of(&self.headers.bytes)
    }

    /// The protocol that a 101 changes to, once [`hop::strip_response`](super::hop::strip_response) has read it.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.protocol.map(|span| span.of(&self.headers.bytes))
    }

    /// Sets the protocol that the connection changes to.
    ///
    /// # Errors
    /// What is not a name of a protocol: it stays as it was.
    pub fn set_protocol(&mut self, protocol: Option<&[u8]>) -> Result<(), InvalidField> {
        if !protocol.is_none_or(is_protocol) {
            return Err(InvalidField);
        }
        self.protocol = protocol.map(|name| self.headers.store(name));
        Ok(())
    }

    /// Changes the status code, and the phrase with it.
    pub fn set_status(&mut self, status: u16) {
        self.status = status;
        self.phrase = self.headers.store(phrase(status).as_bytes());
    }
}

/// Whether `name` names a protocol (RFC 9110, 7.8): a token, or two with a slash between.
fn is_protocol(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'/').all(is_token)
}

/// Whether `bytes` can stand in a path or a query.
fn is_target_part(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| *byte > b' ' && *byte != 0x7f && *byte != b'#')
}

/// Whether `bytes` has the form of a host with or without a port (RFC 3986, 3.2), and no user in front of it. Narrower
/// than the RFC, which allows commas and quotes that no name in DNS has, but that others may split at.
pub(crate) fn is_authority(bytes: &[u8]) -> bool {
    let (host, port) = match bytes.first() {
        Some(b'[') => match bytes.iter().position(|byte| *byte == b']') {
            Some(end) => (&bytes[1..end], &bytes[end + 1..]),
            None => return false,
        },
        _ => bytes.split_at(
            bytes
                .iter()
                .position(|byte| *byte == b':')
                .unwrap_or(bytes.len()),
        ),
    };
    let of_host = |byte: &u8| match bytes[0] {
        b'[' => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'%'),
        _ => byte.is_ascii_alphanumeric() || b"-._~%".contains(byte),
    };
    let port_is_one = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    !host.is_empty() && host.iter().all(of_host) && port_is_one
}

/// The usual phrase for a status code (the registry of IANA), empty for one that has none.
fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
