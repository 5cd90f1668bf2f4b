//! From a container's output pipes to the [`Recorder`], line by line and in bounded memory, and to whoever is
//! attached, as it comes.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::recorder::{Recorder, Room};
use super::run_log::RunLog;
use super::tail::Tail;
use super::tap::{Tap, Taps};
use crate::output::Stream;

/// A line longer than this is handed on in pieces, so that a container that never ends its line costs
/// no more memory than one that does.
const LONGEST_PIECE: usize = 64 << 10;

/// What a container may leave in its pipe after it has died is read within this time. The pipe closes with
/// the last process that holds it, so this is a bound for one that was handed out of the container.
const DRAIN: Duration = Duration::from_secs(2);

/// What a pipe holds: so much is read even if the reader of the output has made no room for it in that time.
const PIPE: usize = 64 << 10;

/// The readers of one run of a container.
#[derive(Debug)]
pub(crate) struct Pumps {
    readers: Vec<JoinHandle<()>>,
    sources: Vec<Arc<Source>>,
    over: watch::Sender<bool>,
    recorder: Recorder,
    log: Arc<RunLog>,
    tail: Arc<Mutex<Tail>>,
    taps: Taps,
}

/// What is read, and what of it has not been handed on yet.
#[derive(Debug)]
struct Source {
    stream: Stream,
    pipe: Receiver,
    pending: Mutex<Vec<u8>>,
}

/// The readers of one run on their way into the next program of their process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptPumps {
    sources: Vec<KeptSource>,
    tail: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptSource {
    stream: Stream,
    fd: i32,
    pending: Vec<u8>,
}

impl Source {
    fn new(stream: Stream, fd: OwnedFd, pending: Vec<u8>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            stream,
            // Unchecked, because a terminal is read in just the same way.
            pipe: Receiver::from_owned_fd_unchecked(fd)?,
            pending: Mutex::new(pending),
        }))
    }

    fn pending(&self) -> MutexGuard<'_, Vec<u8>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pumps {
    /// Starts to read pipes, or the controlling end of a terminal; neither may block.
    pub(crate) fn start(
        recorder: &Recorder,
        log: Arc<RunLog>,
        pipes: Vec<(Stream, OwnedFd)>,
    ) -> io::Result<Self> {
        let sources = pipes.into_iter();
        let sources = sources.map(|(stream, fd)| Source::new(stream, fd, Vec::new()));
        let sources = sources.collect::<io::Result<_>>()?;
        Ok(Self::read(recorder, log, sources, Tail::default()))
    }

    fn read(recorder: &Recorder, log: Arc<RunLog>, sources: Vec<Arc<Source>>, tail: Tail) -> Self {
        let mut pumps = Self {
            readers: Vec::new(),
            sources,
            over: watch::Sender::new(false),
            recorder: recorder.clone(),
            log,
            tail: Arc::new(Mutex::new(tail)),
            taps: Taps::default(),
        };
        let pump = |source| tokio::spawn(pumps.pump(source).run());
        pumps.readers = pumps.sources.iter().map(pump).collect();
        pumps
    }

    fn pump(&self, source: &Arc<Source>) -> Pump {
        Pump {
            source: Arc::clone(source),
            over: self.over.subscribe(),
            recorder: self.recorder.clone(),
            log: Arc::clone(&self.log),
            tail: Arc::clone(&self.tail),
            taps: self.taps.clone(),
        }
    }

    /// Sends the readers on into the next program of this process. What has been handed to the recorder must be in its file
    /// before; nothing may be read after.
    ///
    /// # Errors
    /// `EMFILE`.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<KeptPumps> {
        let kept = |source: &Arc<Source>| {
            Ok(KeptSource {
                stream: source.stream,
                fd: outgoing.add(&source.pipe)?,
                pending: source.pending().clone(),
            })
        };
        Ok(KeptPumps {
            sources: self.sources.iter().map(kept).collect::<io::Result<_>>()?,
            tail: self.tail().last(),
        })
    }

    /// Reads on where the program before has stopped.
    ///
    /// # Errors
    /// A descriptor did not come along.
    pub(crate) fn take_over(
        recorder: &Recorder,
        log: Arc<RunLog>,
        kept: KeptPumps,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        let mut source =
            |kept: KeptSource| Source::new(kept.stream, incoming.claim(kept.fd)?, kept.pending);
        let sources = kept.sources.into_iter().map(&mut source);
        let sources = sources.collect::<io::Result<_>>()?;
        Ok(Self::read(recorder, log, sources, Tail::of(kept.tail)))
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the container writes from now on, as it is read.
    pub(crate) fn subscribe(&self) -> Tap {
        self.taps.subscribe()
    }

    /// Waits for the rest of the output after the container's end, and gives the end of it.
    pub(crate) async fn finish(self) -> Vec<u8> {
        let deadline = tokio::time::Instant::now() + DRAIN;
        for mut reader in self.readers {
            let ended = tokio::time::timeout_at(deadline, &mut reader).await;
            if ended.is_err() {
                // From now on it waits for nothing.
                self.over.send_replace(true);
                let _ = reader.await;
            }
        }
        self.recorder.end(&self.log);
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.last()
    }
}

struct Pump {
    source: Arc<Source>,
    /// Told when there is no more time to wait.
    over: watch::Receiver<bool>,
    recorder: Recorder,
    log: Arc<RunLog>,
    tail: Arc<Mutex<Tail>>,
    taps: Taps,
}

impl Pump {
    async fn run(mut self) {
        self.source.pending().reserve(LONGEST_PIECE);
        self.hand_on_rest().await;
        // What may still be read when time is over.
        let mut last = PIPE;
        while last > 0 && self.is_readable().await {
            // Room first: what has been read then goes to its file at once, however far behind the reader is.
            let room = self.room(LONGEST_PIECE).await;
            let (before, tapped) = {
                let mut pending = self.source.pending();
                let before = pending.len();
                match self.source.pipe.try_read_buf(&mut *pending) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_) => break,
                }
                if *self.over.borrow() {
                    last = last.saturating_sub(pending.len() - before);
                }
                let tapped = self.taps.any().then(|| pending[before..].to_vec());
                (before, tapped)
            };
            if let Some(bytes) = tapped {
                let stream = self.source.stream;
                self.taps.push(stream, &bytes, &mut self.over).await;
            }
            // Until it is handed on it can be handed over.
            let mut pending = self.source.pending();
            let whole = match memchr::memrchr(b'\n', &pending[before..]) {
                Some(at) => before + at + 1,
                None if pending.len() >= LONGEST_PIECE => pending.len(),
                None => continue,
            };
            self.hand_on(pending[..whole].to_vec(), room);
            pending.drain(..whole);
        }
        let left = self.source.pending().len();
        if left > 0 {
            let room = self.room(left).await;
            let pending = std::mem::take(&mut *self.source.pending());
            self.hand_on(pending, room);
        }
    }

    /// Hands on the lines that the program before had read last.
    async fn hand_on_rest(&mut self) {
        let whole = memchr::memrchr(b'\n', &self.source.pending());
        let Some(whole) = whole.map(|at| at + 1) else {
            return;
        };
        let room = self.room(whole).await;
        let lines = self.source.pending().drain(..whole).collect();
        self.hand_on(lines, room);
    }

    async fn is_readable(&mut self) -> bool {
        tokio::select! {
            biased;
            readable = self.source.pipe.readable() => readable.is_ok(),
            _ = self.over.wait_for(|over| *over) => false,
        }
    }

    async fn room(&mut self, bytes: usize) -> Option<Room> {
        tokio::select! {
            biased;
            room = self.recorder.room(bytes) => room,
            _ = self.over.wait_for(|over| *over) => None,
        }
    }

    fn hand_on(&self, bytes: Vec<u8>, room: Option<Room>) {
        self.tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(&bytes);
        self.recorder
            .log(&self.log, self.source.stream, bytes, room);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;
    use crate::clock::Clock;
    use crate::logs::LogRotation;
    use crate::logs::tail::TAIL_BYTES;
    use crate::output::{LOG_BYTES_IN_FLIGHT, LogSource, Message, Output};
    use crate::paths::Paths;

    /// Pumps that read a pipe, the end to write to, and what is handed on.
    fn pumps(root: &tempfile::TempDir) -> (Pumps, File, UnboundedReceiver<Message>) {
        let (output, messages) = Output::channel();
        let recorder = Recorder::start(output, Clock::start()).expect("recorder");
        let paths = Paths::new(Some(root.path())).pod("uid");
        let source = LogSource {
            pod: "pod".into(),
            container: "app".into(),
            instance: 0,
        };
        let log = Arc::new(RunLog::begin(source, &paths, LogRotation::default()).expect("begin"));
        let (read, write) = crate::pod::output_pipe().expect("pipe");
        let pumps = Pumps::start(&recorder, log, vec![(Stream::Stdout, read)]).expect("pumps");
        (pumps, write.into(), messages)
    }

    async fn chunks(mut messages: UnboundedReceiver<Message>) -> Vec<Vec<u8>> {
        let mut chunks = Vec::new();
        while let Some(message) = messages.recv().await {
            if let Message::Log(chunk) = message {
                chunks.push(chunk.bytes);
            }
        }
        chunks
    }

    async fn pumped(write: impl FnOnce(&mut File) + Send + 'static) -> (Vec<Vec<u8>>, Vec<u8>) {
        let root = tempfile::tempdir().expect("tempdir");
        let (pumps, mut pipe, messages) = pumps(&root);
        let writer = tokio::task::spawn_blocking(move || write(&mut pipe));
        let reader = tokio::spawn(chunks(messages));
        writer.await.expect("writer");
        let tail = pumps.finish().await;
        (reader.await.expect("reader"), tail)
    }

    #[tokio::test]
    async fn chunks_end_at_line_ends_and_no_byte_is_lost() {
        let (chunks, _) = pumped(|pipe| {
            for n in 0..50_000 {
                writeln!(pipe, "line {n}").expect("write");
            }
            write!(pipe, "no end").expect("write");
        })
        .await;
        let (last, whole) = chunks.split_last().expect("chunks");
        assert!(whole.iter().all(|chunk| chunk.ends_with(b"\n")));
        assert_eq!(last, b"no end");
        let all = chunks.concat();
        let expected: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        assert_eq!(all, [expected.as_bytes(), b"no end"].concat());
    }

    #[tokio::test]
    async fn an_endless_line_is_handed_on_in_pieces() {
        let (chunks, _) = pumped(|pipe| pipe.write_all(&vec![b'x'; 5 << 20]).expect("write")).await;
        assert!(chunks.iter().all(|chunk| chunk.len() <= 2 * LONGEST_PIECE));
        assert_eq!(chunks.concat(), vec![b'x'; 5 << 20]);
    }

    #[tokio::test]
    async fn the_end_of_the_log_is_kept() {
        let (_, tail) =
            pumped(|pipe| (0..1000).for_each(|n| writeln!(pipe, "{n}").expect("write"))).await;
        let all: String = (0..1000).map(|n| format!("{n}\n")).collect();
        assert_eq!(tail, all.as_bytes()[all.len() - TAIL_BYTES..]);
        let (_, tail) = pumped(|_| ()).await;
        assert_eq!(tail, b"");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_behind_slows_the_container_but_does_not_hold_up_its_end() {
        let root = tempfile::tempdir().expect("tempdir");
        let (pumps, pipe, mut messages) = pumps(&root);
        rustix::io::ioctl_fionbio(&pipe, true).expect("nonblocking");
        let mut pipe = pipe;
        let line = [[b'x'; 1023].as_slice(), b"\n"].concat();
        let mut written = 0;
        // As long as anything moves there is room in the pipe at some time.
        let mut idle = 0;
        while idle < 1000 {
            match pipe.write(&line) {
                Ok(count) => (written, idle) = (written + count, 0),
                Err(_) => idle += 1,
            }
            tokio::task::yield_now().await;
        }
        assert!(written <= LOG_BYTES_IN_FLIGHT + PIPE, "{written}");
        drop(pipe);
        let _ = pumps.finish().await;
        let mut read = 0;
        while let Some(message) = messages.recv().await {
            if let Message::Log(chunk) = message {
                read += chunk.bytes.len();
            }
        }
        assert_eq!(read, written);
    }

    #[tokio::test]
    async fn whoever_is_attached_gets_a_prompt() {
        let root = tempfile::tempdir().expect("tempdir");
        let (pumps, mut pipe, _messages) = pumps(&root);
        let mut tap = pumps.subscribe();
        pipe.write_all(b"login: ").expect("write");
        let chunk = tap.next().await.expect("a chunk").expect("not stalled");
        assert_eq!(
            (chunk.stream, &*chunk.bytes),
            (Stream::Stdout, &b"login: "[..])
        );
        drop(pipe);
        let _ = pumps.finish().await;
        assert!(tap.next().await.is_none());
    }
}
