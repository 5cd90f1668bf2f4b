//! The streams of the Kubernetes API: exec, attach and port-forward over WebSocket and SPDY, both ends.
//!
//! This crate knows the wire and nothing of Pods. A server hands it the HTTP request that asks for an upgrade
//! and gets a [`server::CommandSession`] or a [`server::PortForwardSession`]; a client hands it a connection and
//! gets the mirror image, a [`client::Command`] or a [`client::PortForward`].
//!
//! | | exec, attach | port-forward |
//! | --- | --- | --- |
//! | served | WebSocket `v5`, `v4` and unversioned `channel.k8s.io`; SPDY/3.1 `v5` to `v1` | SPDY/3.1 `portforward.k8s.io`, plain or tunnelled in a WebSocket |
//! | asked for by our client | WebSocket `v5`, else `v4` | SPDY/3.1 tunnelled in a WebSocket |
//!
//! Every byte stream is bounded: who writes waits until the other side reads. What the protocols cannot do is
//! hold back one stream of a connection and not the others (Kubernetes' SPDY has no flow control, its WebSocket
//! never had any): a stream that nobody reads holds up its neighbours once its buffer is full.
//!
//! A connection is driven by a task of its own, started with [`tokio::spawn`].

mod channels;
pub mod client;
mod outcome;
mod outgoing;
mod query;
pub mod server;
pub mod spdy;
mod stream;
mod terminal;
pub mod websocket;

pub use outcome::Outcome;
pub use query::Streams;
pub use stream::{StreamReader, StreamWriter};
pub use terminal::{TerminalSize, TerminalSizes};
