//! SPDY/3.1, as far as Kubernetes uses it: streams that the client opens, with the headers it gives them, over a
//! connection of their own or inside the messages of a WebSocket.
//!
//! There is no flow control, since the clients of Kubernetes have none: windows are neither kept nor minded. Of a
//! connection whose streams are not read, no more is read.

mod connection;
mod decoder;
mod frame;
mod headers;
mod streams;

pub use connection::{Connection, Opened, Opener, Transport};
pub use decoder::{Decoder, Event};
pub(crate) use frame::data;
pub use headers::Headers;
pub use streams::SpdyStream;

use crate::outgoing::{Outgoing, Packet, Queue};

/// Bytes that are no SPDY.
#[derive(Debug, thiserror::Error)]
#[error("SPDY: {0}")]
pub struct SpdyError(&'static str);

/// Queues a packet without waiting: where there is no room, a task waits.
pub(crate) fn send_later(queue: &Queue, packet: Packet) {
    use tokio::sync::mpsc::error::TrySendError;
    let Err(TrySendError::Full(packet)) = queue.try_send(Outgoing::Packet(packet)) else {
        return;
    };
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let queue = queue.clone();
        runtime.spawn(async move {
            // Where the connection is gone, so are its streams.
            let _ = queue.send(packet).await;
        });
    }
}

#[cfg(test)]
mod tests;
