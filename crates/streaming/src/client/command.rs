//! Exec and attach, asked for.

use std::io;

use bytes::Bytes;
use manifest::meta::status::Status;
use tokio::io::{AsyncRead, AsyncWrite};

use super::ClientError;
use super::upgrade::upgrade;
use crate::channels::{self, ERROR, Inboxes, RESIZE, STDERR, STDIN, STDOUT};
use crate::outgoing::{self, Outgoing, Packet, Queue};
use crate::stream::Framing;
use crate::websocket::Role;
use crate::{Outcome, StreamReader, StreamWriter, Streams, TerminalSize};

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";
/// The most that is read of an outcome.
const MAX_OUTCOME: usize = 64 << 10;

/// Asks for exec or attach over `connection`. `path_and_query` is the whole of it, such as
/// `/api/v1/namespaces/default/pods/web/exec?command=ls&stdout=true`; its streams must be `streams`.
///
/// # Errors
///
/// The server refused, or is gone.
pub async fn command<C>(
    connection: C,
    path_and_query: &str,
    streams: Streams,
) -> Result<Command, ClientError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (connection, protocol) = upgrade(connection, path_and_query, &[V5, V4]).await?;
    let (queue, outgoing) = outgoing::queue();
    let mut inboxes = Inboxes::default();
    let mut reader = |channel| {
        let (inbox, reader) = StreamReader::new(queue.clone(), None);
        inboxes.insert(channel, inbox);
        reader
    };
    let command = Command {
        stdin: streams.stdin.then(|| {
            let framing = Framing::Channel {
                number: STDIN,
                closes: protocol == V5,
            };
            StreamWriter::new(queue.clone(), framing)
        }),
        stdout: streams.stdout.then(|| reader(STDOUT)),
        stderr: (streams.stderr && !streams.tty).then(|| reader(STDERR)),
        resizer: streams.tty.then(|| TerminalResizer(queue.clone())),
        result: CommandResult(reader(ERROR)),
    };
    tokio::spawn(channels::drive(
        connection,
        Role::Client,
        inboxes,
        queue.downgrade(),
        outgoing,
    ));
    Ok(command)
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
pub struct TerminalResizer(Queue);

impl TerminalResizer {
    /// Tells it.
    ///
    /// # Errors
    ///
    /// The server is gone.
    pub async fn resize(&self, size: TerminalSize) -> io::Result<()> {
        let size = serde_json::to_vec(&size)?;
        let packet = Packet::new(&[RESIZE], Bytes::from(size));
        let broken = |_| io::ErrorKind::BrokenPipe.into();
        self.0.send(Outgoing::Packet(packet)).await.map_err(broken)
    }
}

/// How an exec or attach ends. Dropping it, and all else of a [`Command`], closes the connection.
#[derive(Debug)]
pub struct CommandResult(StreamReader);

impl CommandResult {
    /// Waits for the end. The outputs must be read meanwhile, or dropped: their last bytes come before the result.
    ///
    /// # Errors
    ///
    /// The connection ended without a result.
    pub async fn outcome(mut self) -> Result<Outcome, ClientError> {
        let told = self.0.read_to_limit(MAX_OUTCOME).await;
        if told.is_empty() {
            return Err(ClientError::Lost);
        }
        let status = serde_json::from_slice(&told).unwrap_or_else(|error| {
            let told = String::from_utf8_lossy(&told);
            let message = format!("error stream protocol error: {error} in {told:?}");
            Status::failure(500, "InternalError", message)
        });
        Ok(Outcome::of_status(status))
    }
}
