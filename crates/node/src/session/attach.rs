//! The streams of a container's own first process.

use std::io;

use super::{Session, SessionError, SessionInput, SessionOutput, Target};
use crate::output::Stream;
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
    /// What is not read slows the container down, and after half a minute is an error of reading.
    ///
    /// # Errors
    /// [`SessionError::ContainerNotFound`] for a container that does not run, [`SessionError::TooMany`],
    /// [`SessionError::System`].
    pub async fn attach(&self, request: AttachRequest) -> Result<Session, SessionError> {
        let Target { node, container } = self.target(&request.container).await?;
        let permit = node.session().ok_or(SessionError::TooMany)?;
        let console = container.console();
        let tap = |wanted: bool, stream| {
            let tap = wanted.then(|| container.tap()).flatten();
            tap.map(|tap| SessionOutput::of_tap(tap, stream))
        };
        let open = || -> io::Result<Session> {
            let terminal = console.terminal()?;
            let stdin = request.stdin.then(|| console.stdin()).transpose()?;
            let stdin = stdin
                .flatten()
                .map(|(fd, once)| SessionInput::attached(fd, once));
            Ok(Session {
                stdin: stdin.transpose()?,
                stdout: tap(request.stdout, Stream::Stdout),
                stderr: tap(request.stderr && terminal.is_none(), Stream::Stderr),
                terminal,
                exit_code: container.exit_code(),
                _permit: permit,
            })
        };
        open().map_err(|error| SessionError::system("open the streams", error))
    }
}
