//! The streams of a container's own first process.

use super::{Session, SessionError, Target};
use crate::pod::PodControl;

/// Which streams of which container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachRequest {
    /// The container's name.
    pub container: String,
    /// Whether standard input is wanted; a container without `stdin: true` has none.
    pub stdin: bool,
    /// Whether standard output is wanted, from now on.
    pub stdout: bool,
    /// Whether standard error is wanted, from now on; a terminal has none of its own.
    pub stderr: bool,
}

impl PodControl {
    /// Attaches to a container. Whether that is a terminal was decided by the container's `tty`. With `stdinOnce` the
    /// container's standard input is closed when the first attached one is; without, it stays open for the next.
    ///
    /// # Errors
    /// [`SessionError::ContainerNotFound`] for a container that does not run, [`SessionError::TooMany`],
    /// [`SessionError::System`].
    pub async fn attach(&self, request: AttachRequest) -> Result<Session, SessionError> {
        let Target { node, container } = self.target(&request.container).await?;
        let permit = node.session().ok_or(SessionError::TooMany)?;
        Ok(Session {
            stdin: None,
            stdout: None,
            stderr: None,
            terminal: None,
            exit_code: container.exit_code(),
            _permit: permit,
        })
    }
}
