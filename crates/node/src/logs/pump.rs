//! From a container's output pipes to the [`Output`], line by line and in bounded memory, and to whoever is
//! attached, as it comes.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;

use super::tail::Tail;
use super::tap::{Tap, Taps};
use crate::output::{LogSource, Output, Stream};

/// A line longer than this is handed on in pieces, so that a container that never ends its line costs
/// no more memory than one that does.
const LONGEST_PIECE: usize = 64 << 10;

/// What a container may leave in its pipe after it has died is read within this time. The pipe closes with
/// the last process that holds it, so this is a bound for one that was handed out of the container.
const DRAIN: Duration = Duration::from_secs(2);

/// The readers of one run of a container.
#[derive(Debug)]
pub(crate) struct Pumps {
    readers: Vec<JoinHandle<()>>,
    tail: Arc<Mutex<Tail>>,
    taps: Taps,
}

impl Pumps {
    /// Starts to read pipes, or the controlling end of a terminal; neither may block.
    pub(crate) fn start(
        output: &Output,
        source: &LogSource,
        pipes: Vec<(Stream, OwnedFd)>,
    ) -> std::io::Result<Self> {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let taps = Taps::default();
        let mut readers = Vec::new();
        for (stream, fd) in pipes {
            let pump = Pump {
                // Unchecked, because a terminal is read in just the same way.
                pipe: Receiver::from_owned_fd_unchecked(fd)?,
                output: output.clone(),
                source: source.clone(),
                stream,
                tail: Arc::clone(&tail),
                taps: taps.clone(),
            };
            readers.push(tokio::spawn(pump.run()));
        }
        Ok(Self {
            readers,
            tail,
            taps,
        })
    }

    /// What the container writes from now on, as it is read.
    pub(crate) fn subscribe(&self) -> Tap {
        self.taps.subscribe()
    }

    /// Waits for the rest of the output after the container's end, and gives the end of it.
    pub(crate) async fn finish(self) -> Vec<u8> {
        let deadline = tokio::time::Instant::now() + DRAIN;
        for mut reader in self.readers {
            if tokio::time::timeout_at(deadline, &mut reader)
                .await
                .is_err()
            {
                reader.abort();
            }
        }
        self.tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last()
    }
}

struct Pump {
    pipe: Receiver,
    output: Output,
    source: LogSource,
    stream: Stream,
    tail: Arc<Mutex<Tail>>,
    taps: Taps,
}

impl Pump {
    async fn run(mut self) {
        let mut pending = Vec::with_capacity(LONGEST_PIECE);
        loop {
            let before = pending.len();
            match self.pipe.read_buf(&mut pending).await {
                Ok(0) | Err(_) => break,
                Ok(_) => self.taps.push(self.stream, &pending[before..]).await,
            }
            let whole = match pending.iter().rposition(|byte| *byte == b'\n') {
                Some(at) => at + 1,
                None if pending.len() >= LONGEST_PIECE => pending.len(),
                None => continue,
            };
            let mut rest = Vec::with_capacity(LONGEST_PIECE.max(pending.len() - whole));
            rest.extend_from_slice(&pending[whole..]);
            pending.truncate(whole);
            self.hand_on(std::mem::replace(&mut pending, rest)).await;
        }
        if !pending.is_empty() {
            self.hand_on(pending).await;
        }
    }

    async fn hand_on(&self, bytes: Vec<u8>) {
        self.tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(&bytes);
        self.output.log(&self.source, self.stream, bytes).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::logs::tail::TAIL_BYTES;
    use crate::output::Message;

    async fn pumped(
        write: impl FnOnce(&mut std::fs::File) + Send + 'static,
    ) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (output, mut messages) = Output::channel();
        let (out_read, out_write) = rustix::pipe::pipe().expect("pipe");
        let (err_read, err_write) = rustix::pipe::pipe().expect("pipe");
        drop(err_write);
        for fd in [&out_read, &err_read] {
            rustix::io::ioctl_fionbio(fd, true).expect("nonblocking");
        }
        let writer = std::thread::spawn(move || write(&mut std::fs::File::from(out_write)));
        let pumps = Pumps::start(
            &output,
            &LogSource {
                pod: "pod".into(),
                container: "app".into(),
                instance: 0,
            },
            vec![(Stream::Stdout, out_read), (Stream::Stderr, err_read)],
        )
        .expect("pumps");
        drop(output);
        let reader = tokio::spawn(async move {
            let mut chunks = Vec::new();
            while let Some(message) = messages.recv().await {
                if let Message::Log(chunk) = message {
                    chunks.push(chunk.bytes);
                }
            }
            chunks
        });
        let tail = pumps.finish().await;
        writer.join().expect("writer");
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
}
