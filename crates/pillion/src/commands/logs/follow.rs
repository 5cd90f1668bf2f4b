//! `--follow`: logs that are still written, several at once.

use std::time::Duration;

use client::{ByteStream, Client, Query};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::lines::Lines;
use super::{Logs, Source, is_waiting};
use crate::commands::Failure;
use crate::commands::kube::waits;
use crate::term::Term;

/// Pieces of logs that wait to be printed.
const WAITING: usize = 16;

/// Opens a log; waits for a container that has not started yet.
pub(super) async fn open(
    client: &Client,
    source: &Source,
    within: Duration,
    term: &Term,
) -> Result<ByteStream, Failure> {
    let deadline = Instant::now() + within;
    let mut watch = None;
    let mut told = String::new();
    loop {
        let error = match client.log(&source.pod, &source.options).await {
            Err(error) if is_waiting(&error) => error,
            other => return Ok(other?),
        };
        if error.to_string() != told {
            told = error.to_string();
            term.remark(&format!("{}\n", printers::escape::terminal(&told)));
            let container = source.options.container.as_deref();
            for wait in waits::of(client, &source.pod, container).await {
                term.remark(&format!("{wait}\n"));
            }
        }
        let Some(watch) = &mut watch else {
            // Once more when it is there: the container may have started meanwhile.
            let (_, started) = client.watch::<Value>(&Query::pod(&source.pod)).await?;
            watch = Some(started);
            continue;
        };
        match timeout_at(deadline, watch.next()).await {
            Ok(event) => event?,
            Err(_) => {
                return Err(Failure::text("timed out waiting for the condition".into()));
            }
        };
    }
}

/// Follows several logs until all have ended.
pub(super) async fn all(logs: &Logs<'_>, sources: Vec<Source>) -> Result<(), Failure> {
    let (sender, mut pieces) = mpsc::channel(WAITING);
    let mut tasks = JoinSet::new();
    for source in sources {
        let copy = copy(
            logs.client.clone(),
            source,
            logs.args.pod_running_timeout,
            logs.term,
            sender.clone(),
        );
        tasks.spawn(copy);
    }
    drop(sender);
    loop {
        tokio::select! {
            // What was read is printed before an error ends all.
            biased;
            Some(piece) = pieces.recv() => logs.write(&piece)?,
            Some(ended) = tasks.join_next() => match ended {
                Ok(done) => logs.tolerate(done)?,
                Err(panicked) => return Err(Failure::new("follow a log".into(), panicked)),
            },
            else => return Ok(()),
        }
    }
}

async fn copy(
    client: Client,
    source: Source,
    within: Duration,
    term: Term,
    to: mpsc::Sender<Vec<u8>>,
) -> Result<(), Failure> {
    let mut log = open(&client, &source, within, &term).await?;
    let mut lines = Lines::new(&source.prefix);
    while let Some(chunk) = log.chunk().await? {
        let complete = lines.push(&chunk);
        if !complete.is_empty() && to.send(complete).await.is_err() {
            return Ok(());
        }
    }
    // Nobody waits for it any more when it cannot be sent.
    let _ = to.send(lines.end()).await;
    Ok(())
}
