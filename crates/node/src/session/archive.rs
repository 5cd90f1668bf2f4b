//! Copies out of and into a container, as tar streams, without a tar program in its image.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use super::SessionError;
use crate::pod::PodControl;

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The container does not run.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something in the container, in tar's words: `tar: /x: Cannot stat: No such file or directory`.
    #[error("tar: {0}")]
    Path(String),
}

/// A tar stream of files of a container. A failure under way is an error of reading, so that no part is taken for the whole.
#[derive(Debug)]
pub struct ArchiveOut {
    skipped: Vec<String>,
}

impl ArchiveOut {
    /// What was left out so far, a sentence each: devices, pipes, sockets, what the container's user may not read.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }
}

impl AsyncRead for ArchiveOut {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What came of a copy into a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// What was left out, a sentence each: devices, pipes, sockets.
    pub skipped: Vec<String>,
}

impl PodControl {
    /// Reads a file or folder of a container as a tar stream whose entries begin with the last name of `path`.
    ///
    /// # Errors
    /// A container that does not run; a path that does not exist or that the container's user may not read.
    pub async fn archive_out(
        &self,
        container: &str,
        path: &str,
    ) -> Result<ArchiveOut, ArchiveError> {
        self.target(container).await?;
        Err(ArchiveError::Path(format!("{path}: not supported yet")))
    }

    /// Unpacks a tar stream in a container, as its user: beneath `path` if that is a folder, else to `path` itself, whose
    /// parent must exist; the entries then lie beneath one name, for which `path`'s last name stands.
    ///
    /// # Errors
    /// A container that does not run; a stream that is no tar; what the container's user may not write. What was written
    /// before stays.
    pub async fn archive_in(
        &self,
        container: &str,
        path: &str,
        tar: impl AsyncRead + Send + Unpin,
    ) -> Result<Unpacked, ArchiveError> {
        self.target(container).await?;
        drop(tar);
        Err(ArchiveError::Path(format!("{path}: not supported yet")))
    }
}
