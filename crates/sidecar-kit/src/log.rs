//! Lines that are written by a thread of their own: whoever has one never waits for a disk or a paused terminal.
//!
//! Lines wait in one bounded piece of memory; the writer takes all of it at once. When there is no room a line is dropped and
//! counted. The lock is held for a copy and no longer.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes that may wait.
const CAPACITY: usize = 1024 * 1024;
/// How much memory is kept when nothing waits.
const KEPT: usize = 64 * 1024;
/// Lines are collected for so long before they are written: a busy process is not to write each by itself.
const COLLECT: Duration = Duration::from_millis(5);

/// Where lines go to. Clones share it.
#[derive(Clone, Debug)]
pub struct Log {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    written: Condvar,
    dropped: AtomicU64,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<u8>,
    /// The writer has taken lines and is writing them.
    writing: bool,
    closed: bool,
}

/// The thread that writes.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A log that is written to `out`, and its writer.
///
/// # Errors
/// The thread cannot be started.
pub fn start(out: impl Write + Send + 'static) -> std::io::Result<(Log, Writer)> {
    start_with(out, CAPACITY)
}

fn start_with(out: impl Write + Send + 'static, capacity: usize) -> std::io::Result<(Log, Writer)> {
    let shared = Arc::new(Shared {
        queue: Mutex::default(),
        more: Condvar::new(),
        written: Condvar::new(),
        dropped: AtomicU64::new(0),
        capacity,
    });
    let own = Arc::clone(&shared);
    let thread = std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || own.write_all(out))?;
    let log = Log {
        shared: Arc::clone(&shared),
    };
    let thread = Some(thread);
    Ok((log, Writer { shared, thread }))
}

impl Log {
    /// Takes a line, which must end with a line feed. False: there was no room, and it is dropped.
    pub fn line(&self, line: &[u8]) -> bool {
        let mut queue = self.shared.lock();
        if queue.closed || queue.waiting.len() + line.len() > self.shared.capacity {
            drop(queue);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let idle = queue.waiting.is_empty() && !queue.writing;
        queue.waiting.extend_from_slice(line);
        drop(queue);
        if idle {
            self.shared.more.notify_one();
        }
        true
    }

    /// How many lines were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it holds the lock; and bytes are whole in any case.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        let mut queue = self.lock();
        loop {
            while queue.waiting.is_empty() {
                queue.writing = false;
                self.written.notify_all();
                if queue.closed {
                    return;
                }
                queue = self
                    .more
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            queue.writing = true;
            if !queue.closed {
                drop(queue);
                std::thread::sleep(COLLECT);
                queue = self.lock();
            }
            std::mem::swap(&mut queue.waiting, &mut lines);
            drop(queue);
            // A reader that went away is no reason to stop serving.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            lines.shrink_to(KEPT);
            queue = self.lock();
        }
    }
}

impl Writer {
    /// Writes what waits, but no longer than `limit`; further lines are dropped. False: not all was written.
    pub fn close(mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut queue = self.shared.lock();
        queue.closed = true;
        self.shared.more.notify_one();
        while !queue.waiting.is_empty() || queue.writing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.written.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Gives what is written to a channel, once it may.
    struct Gate {
        open: mpsc::Receiver<()>,
        out: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.open.recv();
            let _ = self.out.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Gate, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let (opener, open) = mpsc::channel();
        let (out, written) = mpsc::channel();
        (Gate { open, out }, opener, written)
    }

    #[test]
    fn a_writer_that_is_stuck_holds_up_nobody_and_drops_are_counted() {
        let (gate, opener, written) = gate();
        let (log, writer) = start_with(gate, 10).expect("a thread");
        let mut taken = 0;
        // Whether the writer has taken the first lines already is its own affair: at most twice the capacity fits.
        for _ in 0..100 {
            taken += usize::from(log.line(b"four\n"));
        }
        assert!((2..=4).contains(&taken), "{taken}");
        assert_eq!(log.dropped(), 100 - taken as u64);
        drop(opener);
        assert!(writer.close(Duration::from_secs(60)));
        let all: Vec<u8> = written.iter().flatten().collect();
        assert_eq!(all, b"four\n".repeat(taken));
    }

    #[test]
    fn closing_does_not_wait_for_ever() {
        let (gate, opener, _written) = gate();
        let (log, writer) = start(gate).expect("a thread");
        assert!(log.line(b"never written\n"));
        assert!(!writer.close(Duration::from_millis(10)));
        assert!(!log.line(b"too late\n"));
        drop(opener);
    }

    #[test]
    fn lines_keep_their_order() {
        let (gate, opener, written) = gate();
        drop(opener);
        let (log, writer) = start(gate).expect("a thread");
        for number in 0..1000 {
            assert!(log.line(format!("{number}\n").as_bytes()));
        }
        assert!(writer.close(Duration::from_secs(60)));
        let all: Vec<u8> = written.iter().flatten().collect();
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(all).expect("text"), expected);
    }
}
