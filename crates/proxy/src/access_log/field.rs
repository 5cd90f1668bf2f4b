//! The fields of a line.

use std::borrow::Cow;
use std::time::Duration;

use super::{Line, address};
use crate::message::{RequestHead, Version};

/// What a field of a line has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Absent,
    Text(Cow<'a, [u8]>),
    Number(u64),
    Milliseconds(Duration),
    Flag,
}

/// Declares the list once: variant, its name in lines, what it has.
macro_rules! fields {
    ($($variant:ident, $name:literal, $meaning:literal;)*) => {
        /// A field of a line of the access log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $(#[doc = $meaning] $variant,)*
        }

        impl Field {
            /// Each with its name, in the order of lines.
            pub const ALL: &'static [(&'static str, Field)] = &[$(($name, Field::$variant)),*];

            /// Each with its name and meaning, for the documentation.
            pub const MEANINGS: &'static [(&'static str, &'static str)] = &[$(($name, $meaning)),*];
        }
    };
}

fields! {
    Time, "time", "When it was over: RFC 3339, UTC, milliseconds.";
    Client, "client", "Address of the other end, as the socket or the PROXY protocol has it.";
    Method, "method", "The method.";
    Scheme, "scheme", "http or https.";
    Host, "host", "The host asked for, as it came.";
    Path, "path", "The path, as it came.";
    Query, "query", "The query, as it came, if there was one.";
    Protocol, "protocol", "HTTP/1.0, HTTP/1.1 or HTTP/2.";
    Status, "status", "The status that the client got; 0 if none.";
    Received, "received", "Bytes of the request's body.";
    Sent, "sent", "Bytes of the response's body.";
    Duration, "durationMs", "Milliseconds from the request's head to the end of the response.";
    Listener, "listener", "Name of the listener.";
    Route, "route", "Name of the route.";
    Rule, "rule", "Name of the rule.";
    Backend, "backend", "Name of the backend.";
    UserAgent, "userAgent", "The request's User-Agent.";
    RequestId, "requestId", "The request's X-Request-Id.";
    TraceParent, "traceParent", "The request's traceparent (W3C Trace Context).";
    TlsVersion, "tlsVersion", "TLSv1.2 or TLSv1.3.";
    ServerName, "serverName", "The server name of the TLS handshake (SNI).";
    ClientSubject, "clientSubject", "Subject of the client's certificate.";
    Replayed, "replayed", "true if the request was sent to the backend a second time.";
    Reason, "reason", "Why it did not go as asked: one of the list of reasons.";
    Detail, "detail", "What exactly was wrong.";
}

impl Field {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, field)| *field)
    }

    pub(super) fn of<'a>(self, line: &Line<'a>) -> Value<'a> {
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text.as_bytes()));
        let owned = |text: String| Value::Text(Cow::Owned(text.into_bytes()));
        let some = |bytes: Option<&'a [u8]>| match bytes {
            Some(bytes) if !bytes.is_empty() => Value::Text(Cow::Borrowed(bytes)),
            _ => Value::Absent,
        };
        let name = |name: Option<&'a str>| name.map_or(Value::Absent, text);
        let record = line.record;
        let request = record.and_then(|record| record.request);
        let tls = record.and_then(|record| record.client.tls.as_deref());
        let failure = record.and_then(|record| record.failure);
        match self {
            Field::Time => owned(format!("{:.3}", line.time)),
            Field::Client => {
                let peer = record.and_then(|record| address(record.client.peer));
                peer.map_or(Value::Absent, owned)
            }
            Field::Method => name(request.map(RequestHead::method)),
            Field::Scheme => text(line.scheme),
            Field::Host => some(Some(line.host)),
            Field::Path => some(Some(line.path)),
            Field::Query => some(line.query),
            Field::Protocol => name(request.map(|request| match request.version() {
                Version::Http10 => "HTTP/1.0",
                Version::Http11 => "HTTP/1.1",
                Version::Http2 => "HTTP/2",
            })),
            Field::Status => Value::Number(record.map_or(0, |record| record.status.into())),
            Field::Received => Value::Number(record.map_or(0, |record| record.received)),
            Field::Sent => Value::Number(record.map_or(0, |record| record.sent)),
            Field::Duration => {
                Value::Milliseconds(record.map_or(Duration::ZERO, |record| record.took))
            }
            Field::Listener => text(line.listener),
            Field::Route => name(line.route),
            Field::Rule => name(line.rule),
            Field::Backend => name(line.backend),
            Field::UserAgent => some(header(request, "User-Agent")),
            Field::RequestId => some(header(request, "X-Request-Id")),
            Field::TraceParent => some(header(request, "traceparent")),
            Field::TlsVersion => name(tls.map(|tls| tls.version)),
            Field::ServerName => name(tls.and_then(|tls| tls.server_name.as_deref())),
            Field::ClientSubject => {
                let peer = tls.and_then(|tls| tls.peer.as_ref());
                name(peer.map(|peer| peer.subject.as_str()))
            }
            Field::Replayed if record.is_some_and(|record| record.replayed) => Value::Flag,
            Field::Replayed => Value::Absent,
            Field::Reason => name(failure.map(|failure| failure.reason.name())),
            Field::Detail => name(failure.map(|failure| failure.detail.as_ref())),
        }
    }
}

fn header<'a>(request: Option<&'a RequestHead>, name: &str) -> Option<&'a [u8]> {
    request.and_then(|request| request.headers().get(name))
}

pub(super) fn request_header<'a>(line: &Line<'a>, name: &str) -> Option<&'a [u8]> {
    header(line.record.and_then(|record| record.request), name)
}
