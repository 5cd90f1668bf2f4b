//! The streams of a connection that are open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use super::frame::{self, ResetStatus};
use crate::outgoing::Packet;
use crate::stream::Inbox;

/// At most so many streams are open at once: five hundred forwarded connections.
const MAX_STREAMS: usize = 1024;
/// The highest number a stream can have.
const MAX_STREAM: u32 = 0x7fff_ffff;

/// What both ends of one stream have to know of it.
#[derive(Debug)]
pub struct SpdyStream {
    id: u32,
    streams: Weak<Streams>,
    /// We send no more.
    ended: AtomicBool,
    /// The other side sends no more.
    finished: AtomicBool,
    /// It was cut off, by either side or with the connection.
    reset: AtomicBool,
}

impl SpdyStream {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Nothing can be sent on it any more.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || self.is_reset()
    }

    /// It was cut off before the other side had sent all.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.is_reset() && !self.finished.load(Ordering::Relaxed)
    }

    /// Ends our direction: what tells it to the other side, where it was not told yet.
    pub(crate) fn end(&self) -> Option<Packet> {
        if self.ended.swap(true, Ordering::Relaxed) || self.is_reset() {
            return None;
        }
        if let Some(streams) = self.streams.upgrade() {
            streams.lock().sweep(self.id);
        }
        Some(frame::data(self.id, Bytes::new(), true))
    }

    /// Cuts it off, unless our direction has ended already.
    pub(crate) fn reset(&self) -> Option<Packet> {
        if self.ended.swap(true, Ordering::Relaxed) || self.reset.swap(true, Ordering::Relaxed) {
            return None;
        }
        if let Some(streams) = self.streams.upgrade() {
            streams.lock().open.remove(&self.id);
        }
        Some(frame::rst_stream(self.id, ResetStatus::Cancel))
    }
}

/// The streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u32, Entry>,
    /// The highest number there was.
    last: u32,
    /// The connection is gone.
    gone: bool,
}

#[derive(Debug)]
struct Entry {
    /// Where its bytes go; `None` once the other side has ended its direction.
    inbox: Option<Inbox>,
    stream: Arc<SpdyStream>,
}

/// Why there is no new stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoStream {
    /// There are too many.
    Refused,
    /// Its number is not what it must be.
    Invalid,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // The table is never left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a stream that the other side opens.
    pub(super) fn accept(self: &Arc<Self>, id: u32) -> Result<Arc<SpdyStream>, NoStream> {
        let mut table = self.lock();
        if id.is_multiple_of(2) || id <= table.last {
            return Err(NoStream::Invalid);
        }
        table.last = id;
        if table.gone || table.open.len() >= MAX_STREAMS {
            return Err(NoStream::Refused);
        }
        Ok(self.stream(id))
    }

    /// Enters a stream that we open.
    pub(super) fn open(self: &Arc<Self>) -> Result<Arc<SpdyStream>, NoStream> {
        let mut table = self.lock();
        if table.gone || table.open.len() >= MAX_STREAMS || table.last >= MAX_STREAM - 1 {
            return Err(NoStream::Refused);
        }
        // The client's numbers are odd.
        table.last = if table.last == 0 { 1 } else { table.last + 2 };
        Ok(self.stream(table.last))
    }

    fn stream(self: &Arc<Self>, id: u32) -> Arc<SpdyStream> {
        Arc::new(SpdyStream {
            id,
            streams: Arc::downgrade(self),
            ended: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            reset: AtomicBool::new(false),
        })
    }

    /// From here on what arrives on the stream goes to `inbox`, if anything can.
    pub(super) fn insert(&self, stream: Arc<SpdyStream>, inbox: Option<Inbox>) {
        let mut table = self.lock();
        stream.finished.store(inbox.is_none(), Ordering::Relaxed);
        if table.gone {
            stream.reset.store(true, Ordering::Relaxed);
        } else {
            table.open.insert(stream.id, Entry { inbox, stream });
        }
    }

    pub(super) fn inbox(&self, id: u32) -> Option<Inbox> {
        self.lock().open.get(&id)?.inbox.clone()
    }

    /// The other side has ended its direction.
    pub(super) fn end(&self, id: u32) {
        let mut table = self.lock();
        if let Some(entry) = table.open.get_mut(&id) {
            entry.stream.finished.store(true, Ordering::Relaxed);
            entry.inbox = None;
        }
        table.sweep(id);
    }

    /// Nobody reads the stream any more: says so, unless we still write to it.
    pub(super) fn unread(&self, id: u32) -> Option<Packet> {
        let mut table = self.lock();
        let entry = table.open.get(&id)?;
        if !entry.stream.ended.load(Ordering::Relaxed) {
            return None;
        }
        table.open.remove(&id);
        Some(frame::rst_stream(id, ResetStatus::Cancel))
    }

    /// The other side has cut the stream off.
    pub(super) fn reset(&self, id: u32) {
        if let Some(entry) = self.lock().open.remove(&id) {
            entry.stream.reset.store(true, Ordering::Relaxed);
        }
    }

    /// The connection is gone, and its streams with it.
    pub(super) fn clear(&self) {
        let mut table = self.lock();
        table.gone = true;
        for (_, entry) in table.open.drain() {
            entry.stream.reset.store(true, Ordering::Relaxed);
        }
    }
}

impl Table {
    /// Forgets a stream that has ended in both directions.
    fn sweep(&mut self, id: u32) {
        let done =
            |entry: &Entry| entry.inbox.is_none() && entry.stream.ended.load(Ordering::Relaxed);
        if self.open.get(&id).is_some_and(done) {
            self.open.remove(&id);
        }
    }
}
