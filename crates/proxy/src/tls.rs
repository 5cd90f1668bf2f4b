//! TLS on both sides of the proxy. Nothing outside this module names the library it is done with.
//!
//! - [`store`] reads certificates, keys and authorities from files, and again when they change.
//! - [`server`] accepts, [`client`] connects; either makes a TLS [`Transport`](crate::transport::Transport) of a plain one.
//! - [`hello`] looks at a ClientHello without answering it, for passthrough.
//! - The record layer is `stream` over `session`; nothing is buffered for a connection without data.

use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

mod certificate;
pub mod client;
mod error;
mod facts;
mod files;
pub mod hello;
mod identity;
mod options;
mod resolver;
mod self_signed;
pub mod server;
mod session;
pub mod store;
mod stream;
#[cfg(test)]
mod testing;
mod verify;

pub use certificate::{Certificate, Pair};
pub use error::{Error, HandshakeError};
pub use facts::Facts;
pub use files::Files;
pub use identity::{Identity, SanPattern};
pub(crate) use stream::Stream;

/// The versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    From12,
    /// Only 1.3.
    Only13,
}

impl Versions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        static ALL: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        match self {
            Self::From12 => &ALL,
            Self::Only13 => &ALL[..1],
        }
    }
}

/// The outcome of `work`, if there is one within `limit`.
async fn in_time<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, HandshakeError>>,
) -> Result<T, HandshakeError> {
    let Some(limit) = limit else {
        return work.await;
    };
    let late = |_| {
        Err(HandshakeError::Timeout {
            ms: limit.as_millis(),
        })
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}
