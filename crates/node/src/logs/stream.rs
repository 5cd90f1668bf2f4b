//! A log being read, without blocking the thread that asks.

use std::io;

use tokio::sync::{mpsc, oneshot};

use super::cursor::{Cursor, Source, Then, Wanted};
use super::request::LogError;
use super::run_log::Progress;

/// The wanted part of a log, piece by piece. It holds two pieces of some 64 KiB in memory, however long the log is
/// and however slowly it is read. Dropping it ends the reading.
#[derive(Debug)]
pub struct LogStream {
    container: String,
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
}

impl LogStream {
    /// Begins to read once `settled` is told or dropped.
    pub(super) fn start(
        container: String,
        source: Source,
        wanted: Wanted,
        follow: bool,
        settled: oneshot::Receiver<()>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            let _ = settled.await;
            if let Err(error) = read(source, wanted, follow, &sender).await {
                // Whom it would be told is gone.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { container, pieces }
    }

    /// The next piece; `None` at the end. Safe to cancel.
    ///
    /// # Errors
    /// [`LogError::Read`], after which nothing comes any more.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, LogError>> {
        let piece = self.pieces.recv().await?;
        Some(piece.map_err(|source| LogError::Read {
            container: self.container.clone(),
            source,
        }))
    }
}

async fn read(
    source: Source,
    wanted: Wanted,
    follow: bool,
    pieces: &mpsc::Sender<io::Result<Vec<u8>>>,
) -> io::Result<()> {
    let mut changes = match &source {
        Source::Own(log) if follow => Some(log.progress()),
        _ => None,
    };
    let (mut cursor, opened) = blocking(move || Cursor::open(source, &wanted)).await??;
    loop {
        let upto = match &mut changes {
            Some(changes) => *changes.borrow_and_update(),
            // What comes later was not asked for.
            None => Progress {
                ended: true,
                ..opened
            },
        };
        let (back, read) = blocking(move || {
            let read = cursor.read(upto);
            (cursor, read)
        })
        .await?;
        cursor = back;
        let (bytes, then) = read?;
        if !bytes.is_empty() && pieces.send(Ok(bytes)).await.is_err() {
            return Ok(());
        }
        match (then, &mut changes) {
            (Then::More, _) => {}
            (Then::Wait, Some(changes)) => tokio::select! {
                () = pieces.closed() => return Ok(()),
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
            },
            (Then::End, _) | (Then::Wait, None) => return Ok(()),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)
}
