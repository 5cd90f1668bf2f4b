//! Copies out of and into a container, as tar streams, without a tar program in its image.
//!
//! A thread of its own does the work with the rights of the container's process, and is never used for anything else. A pipe
//! between it and the stream bounds what waits in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;

use archive::{PackError, UnpackError, pack, unpack};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::inside::Inside;
use super::{SessionError, Target};
use crate::pod::{PodControl, StartedContainer, input_pipe, output_pipe};

/// Bytes that are read or written at a time.
const PIECE: usize = 64 << 10;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The container does not run, or the machine refused something.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A path in the container, or the tar stream: what was tried, on what, and why not.
    #[error("{0}")]
    Path(String),
}

impl From<PackError> for ArchiveError {
    fn from(error: PackError) -> Self {
        Self::Path(error.to_string())
    }
}

impl From<UnpackError> for ArchiveError {
    fn from(error: UnpackError) -> Self {
        Self::Path(error.to_string())
    }
}

type Done = oneshot::Receiver<Result<Vec<String>, ArchiveError>>;

/// A tar stream of files of a container. A failure under way is an error of reading, so that no part is taken for the whole.
#[derive(Debug)]
pub struct ArchiveOut {
    pipe: Receiver,
    done: Option<Done>,
    skipped: Vec<String>,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl ArchiveOut {
    /// What was left out, known once all is read, a sentence each: devices, pipes, sockets, what the container's user may not
    /// read.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

impl AsyncRead for ArchiveOut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.pipe).poll_read(context, buffer))?;
        if buffer.filled().len() > before || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // The end, of whatever kind.
        let Some(done) = &mut self.done else {
            return Poll::Ready(Ok(()));
        };
        let result = ready!(Pin::new(done).poll(context));
        self.done = None;
        self.skipped = told(result).map_err(io::Error::other)?;
        Poll::Ready(Ok(()))
    }
}

/// What came of a copy into a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// What was left out, a sentence each: devices, pipes.
    pub skipped: Vec<String>,
}

impl PodControl {
    /// Reads a file or folder of a container as a tar stream whose entries begin with the last name of `path`; see
    /// [`archive::pack`]. A path that is not absolute begins at the container's working directory. It is read with the rights
    /// of the container's process.
    ///
    /// # Errors
    /// A container that does not run; a path that does not exist or that may not be read.
    pub async fn archive_out(
        &self,
        container: &str,
        path: &str,
    ) -> Result<ArchiveOut, ArchiveError> {
        let Target { node, container } = self.target(container).await?;
        let permit = node.session().ok_or(SessionError::TooMany)?;
        let (ours, theirs) = output_pipe().map_err(no_pipe)?;
        let path = absolute(&container, path);
        let mut done = at_work(&container, move |root| {
            let mut out = BufWriter::with_capacity(PIECE, File::from(theirs));
            let packed = pack(root.as_fd(), &path, &mut out);
            // What is still in the buffer belongs to an archive that failed.
            let (pipe, _) = out.into_parts();
            (packed.map_err(ArchiveError::from), Some(pipe))
        })?;
        let pipe = Receiver::from_owned_fd(ours).map_err(no_pipe)?;
        // A path that is not there is the answer, not an archive that breaks off.
        pipe.readable().await.map_err(no_pipe)?;
        let (done, skipped) = match done.try_recv() {
            Ok(result) => (None, result?),
            Err(oneshot::error::TryRecvError::Empty) => (Some(done), Vec::new()),
            Err(oneshot::error::TryRecvError::Closed) => return Err(died()),
        };
        Ok(ArchiveOut {
            pipe,
            done,
            skipped,
            _permit: permit,
        })
    }

    /// Unpacks a tar stream in a container: beneath `path` if that is a folder, else as `path` itself, whose parent must exist;
    /// the entries then lie beneath one name, for which the last name of `path` stands; see [`archive::unpack`]. A path that is
    /// not absolute begins at the container's working directory. It is written with the rights of the container's process, to
    /// whom it belongs then. What follows the archive's end is not read.
    ///
    /// # Errors
    /// A container that does not run; a stream that is no tar or has no end; what may not be written. What was written before
    /// stays.
    pub async fn archive_in(
        &self,
        container: &str,
        path: &str,
        mut tar: impl AsyncRead + Send + Unpin,
    ) -> Result<Unpacked, ArchiveError> {
        let name = container;
        let Target { node, container } = self.target(container).await?;
        let _permit = node.session().ok_or(SessionError::TooMany)?;
        let (theirs, ours) = input_pipe().map_err(no_pipe)?;
        let mut pipe = Sender::from_owned_fd(ours).map_err(no_pipe)?;
        let path = absolute(&container, path);
        let mut done = at_work(&container, move |root| {
            let input = BufReader::with_capacity(PIECE, File::from(theirs));
            let unpacked = unpack(root.as_fd(), &path, input);
            (unpacked.map_err(ArchiveError::from), None)
        })?;
        let mut exit_code = container.exit_code();
        drop(container);
        // Whatever ends it, the pipe is closed by that, and the archive has no end where none came.
        let feed = async move {
            let _ = tokio::io::copy(&mut tar, &mut pipe).await;
        };
        let result = tokio::select! {
            result = &mut done => result,
            () = feed => done.await,
            _ = async { exit_code.wait_for(Option::is_some).await.is_ok() } => {
                return Err(SessionError::ContainerNotFound(name.to_owned()).into());
            }
        };
        told(result).map(|skipped| Unpacked { skipped })
    }
}

/// Starts a thread with the rights of the container's process. What `work` gives besides its result is closed only after
/// that has been told.
fn at_work(
    container: &StartedContainer,
    work: impl FnOnce(&File) -> (Result<Vec<String>, ArchiveError>, Option<File>) + Send + 'static,
) -> Result<Done, ArchiveError> {
    let failed = |error| SessionError::system("look into the container", error);
    let inside = Inside::of(container).map_err(failed)?;
    let inside = inside.ok_or_else(|| {
        let (name, _) = container.run();
        SessionError::ContainerNotFound(name)
    })?;
    let (sender, done) = oneshot::channel();
    thread::Builder::new()
        .name("archive".into())
        .spawn(move || {
            let (result, _open) = match inside.enter() {
                Ok(root) => work(&File::from(root)),
                Err(error) => (Err(failed(error).into()), None),
            };
            // Whoever waited may have given up.
            let _ = sender.send(result);
        })
        .map_err(failed)?;
    Ok(done)
}

fn absolute(container: &StartedContainer, path: &str) -> PathBuf {
    let cwd: &Path = &container.process().cwd;
    // Joined as text: a slash at the end of `path` means something.
    cwd.join(path)
}

fn told(
    result: Result<Result<Vec<String>, ArchiveError>, oneshot::error::RecvError>,
) -> Result<Vec<String>, ArchiveError> {
    result.unwrap_or_else(|_| Err(died()))
}

fn died() -> ArchiveError {
    let error = io::Error::other("the thread that did it died");
    SessionError::system("copy", error).into()
}

fn no_pipe(error: io::Error) -> SessionError {
    SessionError::system("open a pipe", error)
}
