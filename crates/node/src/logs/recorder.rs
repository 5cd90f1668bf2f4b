//! The thread through which all that a node has to say goes: it writes log output to its files, then hands everything
//! on to the reader, in order.
//!
//! A write to a disk may take its time, which must not be that of the thread that runs probes and grace periods. What
//! has been handed on is in the file: should we be killed, it is there for the next one to read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lifecycle::Instance;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::files::LogFiles;
use super::run_log::RunLog;
use crate::clock::Clock;
use crate::output::{LOG_BYTES_IN_FLIGHT, LogChunk, Message, Output, Stream};
use crate::paths::PodPaths;

/// What is recorded at once, at most: by then those who follow are due.
const BATCH: usize = 1024;

/// What a chunk takes of the room besides its bytes, so that many short ones are bounded too.
const CHUNK_OVERHEAD: usize = 256;

/// The way to the recorder and with it to the reader of all output; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    items: UnboundedSender<Item>,
    room: Arc<Semaphore>,
    clock: Clock,
}

/// Room for a chunk of output until it has been read.
pub(crate) type Room = OwnedSemaphorePermit;

#[derive(Debug)]
enum Item {
    Tell(Message),
    Log(Arc<RunLog>, Timestamp, LogChunk),
    End(Arc<RunLog>, Timestamp),
    Remove(LogFiles),
    Settled(oneshot::Sender<()>),
    Flushed(std::sync::mpsc::Sender<()>),
}

impl Recorder {
    /// Starts the thread. It ends with the last clone, when all is written and handed on.
    pub(crate) fn start(output: Output, clock: Clock) -> io::Result<Self> {
        let (items, receiver) = unbounded_channel();
        std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || run(receiver, &output))?;
        Ok(Self {
            items,
            room: Arc::new(Semaphore::new(LOG_BYTES_IN_FLIGHT)),
            clock,
        })
    }

    /// Tells an event or a status. A reader that is gone is no error: nobody listens.
    pub(crate) fn tell(&self, message: Message) {
        self.send(Item::Tell(message));
    }

    /// Tells a sentence about this machine.
    pub(crate) fn note(&self, note: String) {
        self.tell(Message::Note(note));
    }

    /// Waits until a reader that is behind has room for so many bytes of output.
    pub(super) async fn room(&self, bytes: usize) -> Option<Room> {
        let wanted = (bytes + CHUNK_OVERHEAD).min(LOG_BYTES_IN_FLIGHT);
        let wanted = u32::try_from(wanted).unwrap_or(1);
        Arc::clone(&self.room).acquire_many_owned(wanted).await.ok()
    }

    /// Hands output over that has just been read. Of its room it keeps what it needs.
    pub(super) fn log(
        &self,
        log: &Arc<RunLog>,
        stream: Stream,
        bytes: Vec<u8>,
        mut room: Option<Room>,
    ) {
        let needed = bytes.len() + CHUNK_OVERHEAD;
        if let Some(room) = &mut room {
            drop(room.split(room.num_permits().saturating_sub(needed)));
        }
        let chunk = LogChunk::new(log.source(), stream, bytes, room);
        self.send(Item::Log(Arc::clone(log), self.clock.timestamp(), chunk));
    }

    /// Says that all output of a run has been handed over.
    pub(super) fn end(&self, log: &Arc<RunLog>) {
        self.send(Item::End(Arc::clone(log), self.clock.timestamp()));
    }

    /// Removes the log of a run; what cannot be removed is told as a note.
    pub(crate) fn remove(&self, paths: &PodPaths, container: &str, instance: Instance) {
        self.send(Item::Remove(LogFiles::new(paths.logs(container), instance)));
    }

    /// Told when all that has been handed over by now is in its file.
    pub(crate) fn settled(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.send(Item::Settled(sender));
        receiver
    }

    /// Blocks until all that has been handed over by now is in its file; says whether it was within that time.
    pub(crate) fn flush(&self, within: Duration) -> bool {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.send(Item::Flushed(sender));
        receiver.recv_timeout(within).is_ok()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn send(&self, item: Item) {
        // The thread ends with us, not before.
        let _ = self.items.send(item);
    }
}

fn run(mut items: UnboundedReceiver<Item>, output: &Output) {
    let mut batch = Vec::new();
    let mut scratch = Vec::new();
    while let Some(first) = items.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH
            && let Ok(item) = items.try_recv()
        {
            batch.push(item);
        }
        record(&batch, &mut scratch, output);
        for item in batch.drain(..) {
            match item {
                Item::Tell(message) => output.tell(message),
                Item::Log(_, _, chunk) => output.tell(Message::Log(chunk)),
                Item::End(log, time) => log.end(time),
                Item::Remove(files) => {
                    if let Err(error) = files.remove() {
                        let dir = files.dir().display();
                        output.tell(Message::Note(format!("remove logs in {dir}: {error}")));
                    }
                }
                Item::Settled(sender) => {
                    // Whoever asked may have given up.
                    let _ = sender.send(());
                }
                Item::Flushed(sender) => {
                    let _ = sender.send(());
                }
            }
        }
    }
}

/// Writes a batch, each log at one go.
fn record(batch: &[Item], scratch: &mut Vec<u8>, output: &Output) {
    let mut chunks: Vec<_> = batch
        .iter()
        .filter_map(|item| match item {
            Item::Log(log, time, chunk) => Some((log, time, chunk)),
            _ => None,
        })
        .collect();
    // Stable: the chunks of one log stay in order.
    chunks.sort_by_key(|(log, ..)| Arc::as_ptr(log));
    for of_one in chunks.chunk_by(|(a, ..), (b, ..)| Arc::ptr_eq(a, b)) {
        let (log, ..) = of_one[0];
        let chunks = of_one
            .iter()
            .map(|(_, time, chunk)| (**time, chunk.stream, chunk.bytes.as_slice()));
        if let Some(failure) = log.append(chunks, scratch) {
            output.tell(Message::Note(failure));
        }
    }
}
