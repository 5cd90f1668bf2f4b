//! A container's output as it is read, for whoever is attached to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::output::Stream;

/// Bytes that may wait for one subscriber.
pub(crate) const TAP_BYTES: usize = 256 << 10;

/// A subscriber that makes no room for so long is given up. Until then it slows the container down, as a paused
/// terminal does: without that, whoever reads more slowly than a busy container writes would always be given up.
pub(crate) const STALLED: Duration = Duration::from_secs(30);

/// Why a subscriber gets no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the output was not read for {} s, and {} KiB of it were waiting", STALLED.as_secs(), TAP_BYTES >> 10)]
pub(crate) struct TapStalled;

/// A piece of output, cut wherever the read ended: a prompt comes without its line end.
#[derive(Debug)]
pub(crate) struct TapChunk {
    /// Where the container wrote it.
    pub(crate) stream: Stream,
    /// What it wrote.
    pub(crate) bytes: Vec<u8>,
    // Gives the room back when the subscriber is done with the chunk.
    _room: Option<OwnedSemaphorePermit>,
}

/// What one run of a container writes from the moment of subscribing on. Dropping it unsubscribes.
#[derive(Debug)]
pub(crate) struct Tap(mpsc::UnboundedReceiver<Result<TapChunk, TapStalled>>);

impl Tap {
    /// The next piece; `None` when the run has ended and all is read.
    ///
    /// # Errors
    /// [`TapStalled`], after which nothing comes any more.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<TapChunk, TapStalled>>> {
        self.0.poll_recv(context)
    }

    #[cfg(test)]
    pub(super) async fn next(&mut self) -> Option<Result<TapChunk, TapStalled>> {
        self.0.recv().await
    }
}

/// The subscribers of one run of a container; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taps(Arc<Mutex<Vec<Subscriber>>>);

#[derive(Clone, Debug)]
struct Subscriber {
    chunks: mpsc::UnboundedSender<Result<TapChunk, TapStalled>>,
    room: Arc<Semaphore>,
}

impl Taps {
    pub(crate) fn subscribe(&self) -> Tap {
        let (chunks, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(TAP_BYTES));
        self.with(|subscribers| subscribers.push(Subscriber { chunks, room }));
        Tap(receiver)
    }

    /// Whether anybody wants to have the output.
    pub(crate) fn any(&self) -> bool {
        self.with(|subscribers| !subscribers.is_empty())
    }

    /// Hands a piece of output to every subscriber, waiting for those that have no room until it is `over`.
    pub(crate) async fn push(
        &self,
        stream: Stream,
        bytes: &[u8],
        over: &mut watch::Receiver<bool>,
    ) {
        let subscribers = self.with(|subscribers| subscribers.clone());
        for subscriber in subscribers {
            for piece in bytes.chunks(TAP_BYTES) {
                if !subscriber.push(stream, piece, over).await {
                    self.with(|all| all.retain(|one| !one.chunks.same_channel(&subscriber.chunks)));
                    break;
                }
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Subscriber>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscriber {
    /// Whether the subscriber is to get more.
    async fn push(&self, stream: Stream, bytes: &[u8], over: &mut watch::Receiver<bool>) -> bool {
        let wanted = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(wanted);
        let room = tokio::select! {
            biased;
            () = self.chunks.closed() => return false,
            room = room => room.ok(),
            _ = over.wait_for(|over| *over) => None,
            () = tokio::time::sleep(STALLED) => {
                // Who is gone meanwhile needs no word.
                let _ = self.chunks.send(Err(TapStalled));
                return false;
            }
        };
        let chunk = TapChunk {
            stream,
            bytes: bytes.to_vec(),
            _room: room,
        };
        self.chunks.send(Ok(chunk)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn push(taps: &Taps, bytes: &[u8]) {
        let (_running, mut over) = watch::channel(false);
        taps.push(Stream::Stdout, bytes, &mut over).await;
    }

    async fn rest(tap: &mut Tap) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(Ok(chunk)) = tap.next().await {
            all.extend(&chunk.bytes);
        }
        all
    }

    #[tokio::test]
    async fn each_subscriber_gets_all_from_its_beginning_on() {
        let taps = Taps::default();
        push(&taps, b"before").await;
        let mut first = taps.subscribe();
        push(&taps, b"login: ").await;
        let mut second = taps.subscribe();
        push(&taps, b"oops").await;
        drop(taps);
        assert_eq!(rest(&mut first).await, b"login: oops");
        assert_eq!(rest(&mut second).await, b"oops");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_read_is_given_up_and_told() {
        let taps = Taps::default();
        let (mut reads, mut sleeps) = (taps.subscribe(), taps.subscribe());
        let reader = tokio::spawn(async move { rest(&mut reads).await.len() });
        let piece = vec![b'x'; TAP_BYTES];
        for _ in 0..3 {
            push(&taps, &piece).await;
        }
        drop(taps);
        assert_eq!(reader.await.expect("reader"), 3 * TAP_BYTES);
        assert!(sleeps.next().await.is_some_and(|chunk| chunk.is_ok()));
        assert_eq!(sleeps.next().await.map(|chunk| chunk.is_ok()), Some(false));
        assert!(sleeps.next().await.is_none());
    }

    #[tokio::test]
    async fn one_that_is_gone_holds_nobody_up() {
        let taps = Taps::default();
        let tap = taps.subscribe();
        let mut tap = Some(tap);
        for _ in 0..2 {
            let pushing = push(&taps, &[b'x'; TAP_BYTES]);
            let gone = async {
                tokio::task::yield_now().await;
                drop(tap.take());
            };
            tokio::join!(pushing, gone);
        }
        assert!(taps.with(|all| all.is_empty()));
    }

    #[tokio::test]
    async fn when_time_is_over_nobody_is_waited_for_and_nothing_lost() {
        let taps = Taps::default();
        let mut tap = taps.subscribe();
        push(&taps, &[b'x'; TAP_BYTES]).await;
        let (over, mut told) = watch::channel(false);
        let bytes = b"the last words";
        tokio::join!(taps.push(Stream::Stdout, bytes, &mut told), async {
            tokio::task::yield_now().await;
            over.send_replace(true);
        });
        drop(taps);
        assert!(rest(&mut tap).await.ends_with(bytes));
    }
}
