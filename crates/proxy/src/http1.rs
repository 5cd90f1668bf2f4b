//! HTTP/1.0 and HTTP/1.1, both ends, over any transport (RFC 9112).
//!
//! Heads are found by an incremental scan that takes only CR LF as the end of a line, then parsed once by httparse. What
//! the specification lets a recipient repair is refused (see [`crate::message::framing`]).

mod chunked;
mod client;
mod encode;
mod parse;
mod server;
mod wire;

use std::time::Duration;

pub use client::ClientConnection;
pub use server::{After, ServerConnection};

#[cfg(test)]
mod tests;

/// What a peer may ask of memory and patience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, or of trailers, at most 64 KiB.
    pub head_bytes: usize,
    /// Bytes of a request's target.
    pub target_bytes: usize,
    /// Fields of a head, or of trailers, at most 128.
    pub fields: usize,
    /// Bytes of a request's body; None: as many as it likes.
    pub body_bytes: Option<u64>,
    /// From the first byte of a request's head (or the connection's start) to its last.
    pub head_timeout: Duration,
    /// Between the pieces of a request's body, while no response has begun; and for a client that does not take a response.
    pub body_timeout: Duration,
    /// How long a connection is kept for the next request.
    pub idle_timeout: Duration,
    /// How long what a client still sends is read and dropped after the last response, so that it can read that response.
    pub linger_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            target_bytes: 16 * 1024,
            fields: 100,
            body_bytes: None,
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            linger_timeout: Duration::from_secs(5),
        }
    }
}
