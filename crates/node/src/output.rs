//! What a node tells its owner: log output, events, statuses.
//!
//! One ordered channel, so that a container's `Started` comes before its first line and its exit after its
//! last. Log output is in its file before it comes here. Events and statuses are few and never wait for the reader; log
//! output is bounded in bytes ([`LOG_BYTES_IN_FLIGHT`]), so that a slow reader slows the container and not our memory.

use std::sync::Arc;

use manifest::core::v1::{Event, Pod};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Bytes of log output that may wait for the reader, over all containers.
pub const LOG_BYTES_IN_FLIGHT: usize = 1 << 20;

/// Which of a container's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

/// Who writes a log.
#[derive(Clone, Debug)]
pub struct LogSource {
    /// Name of the Pod.
    pub pod: Arc<str>,
    /// Name of the container.
    pub container: Arc<str>,
    /// Which run of the container.
    pub instance: u32,
}

/// A piece of a container's output.
#[derive(Debug)]
pub struct LogChunk {
    /// Name of the Pod.
    pub pod: Arc<str>,
    /// Name of the container.
    pub container: Arc<str>,
    /// Which run of the container.
    pub instance: u32,
    /// Where the container wrote it.
    pub stream: Stream,
    /// Whole lines with their line ends; only the last line of a stream, or one that is longer than a
    /// chunk, comes without.
    pub bytes: Vec<u8>,
    // Gives the room back when the reader is done with the chunk.
    _room: Option<OwnedSemaphorePermit>,
}

impl LogChunk {
    pub(crate) fn new(
        from: &LogSource,
        stream: Stream,
        bytes: Vec<u8>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            pod: Arc::clone(&from.pod),
            container: Arc::clone(&from.container),
            instance: from.instance,
            stream,
            bytes,
            _room: room,
        }
    }
}

/// Something that a node has to say.
#[derive(Debug)]
pub enum Message {
    /// Output of a container.
    Log(LogChunk),
    /// A Kubernetes Event about a Pod.
    Event(Box<Event>),
    /// A Pod whose status changed.
    Status(Arc<Pod>),
    /// A Pod or a container that has been waiting for long: the Pod's name, who, and for what.
    Wait(String, Option<String>, String),
    /// Something about this machine that people should know, as a sentence; may come more than once.
    Note(String),
}

/// The sending half, held by the node.
#[derive(Clone, Debug)]
pub struct Output(mpsc::UnboundedSender<Message>);

impl Output {
    /// A channel for one owner. It ends when the node has gone and all output is in its log files.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (messages, receiver) = mpsc::unbounded_channel();
        (Self(messages), receiver)
    }

    /// Puts a message in with the node's own, such as a wait, of which a node tells only who asks. A reader that is gone is no
    /// error: nobody listens.
    pub fn tell(&self, message: Message) {
        let _ = self.0.send(message);
    }
}
