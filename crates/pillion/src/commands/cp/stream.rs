//! Archives between the connection, which waits, and files, which block.

use std::io::{self, Read, Write};

use client::ByteStream;
use hyper::body::{Buf, Bytes};
use tokio::sync::{mpsc, oneshot};

use crate::commands::Failure;

/// Pieces that wait.
const WAITING: usize = 4;

/// Has `work` read what comes, in a thread of its own. Returns what came of it, and what was not sent at all.
pub(super) async fn read<T: Send + 'static>(
    mut from: ByteStream,
    work: impl FnOnce(Pieces) -> T + Send + 'static,
) -> Result<(T, Vec<String>), Failure> {
    let (sender, pieces) = mpsc::channel(WAITING);
    let work = tokio::task::spawn_blocking(move || {
        let pieces = Pieces {
            pieces,
            piece: Bytes::new(),
        };
        work(pieces)
    });
    loop {
        let piece = match from.chunk().await {
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => break,
            Err(error) => Err(io::Error::other(error)),
        };
        let over = piece.is_err();
        // Who needs no more has ended, and says why.
        if sender.send(piece).await.is_err() || over {
            break;
        }
    }
    drop(sender);
    let done = work.await;
    let done = done.map_err(|error| Failure::new("unpack".into(), error))?;
    Ok((done, from.skipped()))
}

/// Bytes that come in pieces.
pub(super) struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// Has `work` write, in a thread of its own: what it writes, and what came of it. An error of it ends what it writes.
pub(super) fn write<T, E>(
    work: impl FnOnce(PieceWriter) -> Result<T, E> + Send + 'static,
) -> (
    mpsc::Receiver<io::Result<Bytes>>,
    impl Future<Output = Option<Result<T, E>>>,
)
where
    T: Send + 'static,
    E: Send + 'static,
{
    let (sender, pieces) = mpsc::channel(WAITING);
    let (done, result) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let worked = work(PieceWriter(sender.clone()));
        if worked.is_err() {
            // Half an archive must not be taken for a whole one.
            let broken = Err(io::ErrorKind::BrokenPipe.into());
            let _ = sender.blocking_send(broken);
        }
        // Who asked may have gone.
        let _ = done.send(worked);
    });
    (pieces, async { result.await.ok() })
}

/// Sends what is written.
pub(super) struct PieceWriter(mpsc::Sender<io::Result<Bytes>>);

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0
            .blocking_send(Ok(piece))
            .map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
