//! Exec and attach, served.

use std::io;

use bytes::Bytes;
use hyper::{Request, Response};

use super::SessionError;
use crate::{Outcome, StreamReader, StreamWriter, Streams, TerminalSizes};

/// Answers a request for exec or attach: 101 and what becomes the session once the answer is out; or, with no
/// session, the answer that refuses it in the API server's words (400 where no upgrade was asked for, 403 where no
/// protocol is shared, 426 for a version of WebSocket that there is not). `streams` are those of
/// [`Streams::from_query`].
pub fn command<B>(
    _request: &mut Request<B>,
    streams: Streams,
) -> (Response<Bytes>, Option<PendingCommand>) {
    (
        Response::new(Bytes::new()),
        Some(PendingCommand { streams }),
    )
}

/// An accepted exec or attach, whose connection is still HTTP's.
#[derive(Debug)]
pub struct PendingCommand {
    streams: Streams,
}

impl PendingCommand {
    /// Waits for the connection, and for the client's streams.
    ///
    /// # Errors
    ///
    /// The client left, or did not open its streams.
    pub async fn session(self) -> Result<CommandSession, SessionError> {
        let _ = self.streams;
        Err(SessionError::Streams("not there yet"))
    }
}

/// An exec or attach in progress. What was not asked for is `None`.
#[derive(Debug)]
pub struct CommandSession {
    /// What the client sends; ends when the client closes it or is gone.
    pub stdin: Option<StreamReader>,
    /// Standard output, or the terminal's.
    pub stdout: Option<StreamWriter>,
    /// Standard error.
    pub stderr: Option<StreamWriter>,
    /// The sizes of the client's terminal.
    pub sizes: Option<TerminalSizes>,
    /// The way to end it.
    pub end: CommandEnd,
}

/// Ends an exec or attach.
#[derive(Debug)]
pub struct CommandEnd(());

impl CommandEnd {
    /// Tells the client how it ended, after all that was written before, and closes the connection. Returns when it
    /// is out. What is written to the outputs from here on fails.
    ///
    /// # Errors
    ///
    /// The client is gone.
    pub async fn finish(self, _outcome: Outcome) -> io::Result<()> {
        Ok(())
    }

    /// Returns when the client is gone, however it went.
    pub async fn gone(&self) {
        std::future::pending::<()>().await;
    }
}
