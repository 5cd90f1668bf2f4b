//! Exec and attach, asked for.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::ClientError;
use crate::{Outcome, StreamReader, StreamWriter, Streams, TerminalSize};

/// Asks for exec or attach over `connection`. `path_and_query` is the whole of it, such as
/// `/api/v1/namespaces/default/pods/web/exec?command=ls&stdout=true`; its streams must be `streams`.
///
/// # Errors
///
/// The server refused, or is gone.
pub async fn command<C>(
    _connection: C,
    _path_and_query: &str,
    _streams: Streams,
) -> Result<Command, ClientError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Err(ClientError::Lost)
}

/// An exec or attach in progress. What was not asked for is `None`.
#[derive(Debug)]
pub struct Command {
    /// Goes to the command; shut down to close it (which servers before v5 of the protocol do not notice).
    pub stdin: Option<StreamWriter>,
    /// Standard output, or the terminal's.
    pub stdout: Option<StreamReader>,
    /// Standard error.
    pub stderr: Option<StreamReader>,
    /// Tells the size of the terminal.
    pub resizer: Option<TerminalResizer>,
    /// How it ends.
    pub result: CommandResult,
}

/// Tells the server the size of the terminal.
#[derive(Debug)]
pub struct TerminalResizer(());

impl TerminalResizer {
    /// Tells it.
    ///
    /// # Errors
    ///
    /// The server is gone.
    pub async fn resize(&self, _size: TerminalSize) -> io::Result<()> {
        Ok(())
    }
}

/// How an exec or attach ends. Dropping it, and all else of a [`Command`], closes the connection.
#[derive(Debug)]
pub struct CommandResult(());

impl CommandResult {
    /// Waits for the end. The outputs must be read meanwhile: their last bytes come before the result.
    ///
    /// # Errors
    ///
    /// The connection ended without a result.
    pub async fn outcome(self) -> Result<Outcome, ClientError> {
        Err(ClientError::Lost)
    }
}
