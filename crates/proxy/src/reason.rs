//! Why an exchange failed: one closed list, shared by the access log, the metrics' label `reason`, and the response header.
//!
//! A reason is for machines and for looking up; what exactly was wrong stands in [`Failure::detail`], for the log.

use std::borrow::Cow;

/// Declares the list once: variant, its name outside, the status code of the answer, what it means.
macro_rules! reasons {
    ($($variant:ident, $name:literal, $status:literal, $meaning:literal;)*) => {
        /// Why an exchange did not go as asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)*
        }

        impl Reason {
            /// Each of them, in the order of their declaration.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];

            /// Its name in logs, metrics and the response header.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name),* }
            }

            /// The status code of the answer that the proxy makes for it.
            pub const fn status(self) -> u16 {
                match self { $(Reason::$variant => $status),* }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => $meaning),* }
            }
        }
    };
}

reasons! {
    MalformedRequest, "malformed_request", 400, "The request's head is not HTTP.";
    AmbiguousFraming, "ambiguous_framing", 400, "Where the request's body ends could be read in two ways.";
    MalformedBody, "malformed_body", 400, "The request's body is not framed as its head says.";
    BadHost, "bad_host", 400, "The request names no host, several, or one that contradicts its target.";
    UnsupportedTransferCoding, "unsupported_transfer_coding", 501, "The request's body has a transfer coding other than chunked.";
    UnsupportedVersion, "unsupported_version", 505, "The request is of a version of HTTP that is not served.";
    ExpectationFailed, "expectation_failed", 417, "The request expects something other than 100-continue.";
    TargetTooLong, "target_too_long", 414, "The request's target is longer than the limit.";
    HeadTooLarge, "head_too_large", 431, "The request's head is larger, or has more fields, than the limit.";
    BodyTooLarge, "body_too_large", 413, "The request's body is larger than the limit.";
    ProxyProtocol, "proxy_protocol", 400, "A connection did not begin with a header of the PROXY protocol, or not from somebody trusted.";
    HeadTimeout, "head_timeout", 408, "The request's head did not arrive in time.";
    BodyTimeout, "body_timeout", 408, "The request's body stopped arriving.";
    ConnectRefused, "connect_refused", 405, "CONNECT is not allowed here.";
    AmbiguousPath, "ambiguous_path", 400, "The request's path could be read in two ways.";
    Misdirected, "misdirected", 421, "The request is for a host of another listener than the connection.";
    NoRoute, "no_route", 404, "No route matches the request.";
    ClientClosed, "client_closed", 499, "The client closed its connection before the answer was complete.";
    ClientTimeout, "client_timeout", 499, "The client stopped taking the answer.";
    ConnectFailed, "connect_failed", 503, "No endpoint of the backend accepted a connection.";
    ConnectTimeout, "connect_timeout", 504, "No endpoint of the backend accepted a connection in time.";
    BackendTlsFailed, "backend_tls_failed", 502, "The TLS handshake with the backend failed.";
    HoldQueueFull, "hold_queue_full", 503, "Too many requests wait for the backend to start.";
    TooManyConnections, "too_many_connections", 503, "The backend has as many connections as it may have.";
    BackendClosed, "backend_closed", 502, "The backend closed the connection before any byte of its response.";
    BackendTimeout, "backend_timeout", 504, "The backend did not respond in time.";
    MalformedResponse, "malformed_response", 502, "The backend's response is not HTTP, or could be read in two ways.";
    ResponseHeadTooLarge, "response_head_too_large", 502, "The head of the backend's response is larger than the limit.";
    TruncatedResponse, "truncated_response", 502, "The backend's response ended before its end.";
    UnexpectedUpgrade, "unexpected_upgrade", 502, "The backend changed protocols without being asked.";
    IdleTimeout, "idle_timeout", 504, "Neither side of an exchange moved a byte for too long.";
    FileFailed, "file_failed", 500, "A file could not be read, or became shorter while it was sent.";
    Overloaded, "overloaded", 503, "The proxy is at its limit of memory or connections.";
    Draining, "draining", 503, "The proxy is shutting down.";
    Internal, "internal", 500, "The proxy failed.";
}

impl Reason {
    /// The nearest type of error that RFC 9209 registers for the field `Proxy-Status`.
    pub const fn proxy_error(self) -> &'static str {
        match self {
            Reason::ConnectFailed => "connection_refused",
            Reason::ConnectTimeout => "connection_timeout",
            Reason::BackendTlsFailed => "tls_protocol_error",
            Reason::HoldQueueFull | Reason::TooManyConnections => "connection_limit_reached",
            Reason::BackendClosed => "connection_terminated",
            Reason::BackendTimeout => "http_response_timeout",
            Reason::IdleTimeout => "connection_read_timeout",
            Reason::MalformedResponse => "http_protocol_error",
            Reason::ResponseHeadTooLarge => "http_response_header_section_size",
            Reason::TruncatedResponse => "http_response_incomplete",
            Reason::UnexpectedUpgrade => "http_upgrade_failed",
            Reason::ConnectRefused | Reason::NoRoute => "http_request_denied",
            Reason::FileFailed | Reason::Overloaded | Reason::Draining | Reason::Internal => {
                "proxy_internal_error"
            }
            _ => "http_request_error",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A reason, and what exactly was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Failure {
    /// Which of the list.
    pub reason: Reason,
    /// For the log, in lower case without a full stop. Contains nothing that the other side wrote, unless escaped.
    pub detail: Cow<'static, str>,
}

impl Failure {
    /// A failure for `reason`.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_fit_for_labels() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
        for name in names {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}"
            );
        }
    }

    #[test]
    fn each_has_the_status_of_an_error() {
        for reason in Reason::ALL {
            assert!((400..600).contains(&reason.status()), "{reason}");
        }
    }
}
