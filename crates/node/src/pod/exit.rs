//! The end of a container.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use lifecycle::{Exit, Input};
use manifest::core::v1::TerminationMessagePolicy;

use super::start::StartedContainer;
use super::wait;
use super::worker::{Report, Reports};

/// At most so much of the termination message file counts (R15.2).
const MESSAGE_LIMIT: u64 = 4096;

/// Waits for the end of a container, collects what is to be known of it, and reports.
pub(crate) async fn watch(started: Arc<StartedContainer>, reports: Reports) {
    let status = wait::exited(started.running()).await;
    // With a process namespace of its own the container's other processes are dead by now; where it
    // shares one, they have to be ended, or they would keep its output and its cgroup.
    started.kill_rest();
    let tail = match started.take_pumps() {
        Some(pumps) => pumps.finish().await,
        None => String::new(),
    };
    let (code, signal) = match status {
        Ok(status) => (status.code, status.signal),
        // It was our child and is gone, but its code is not to be had.
        Err(_) => (137, None),
    };
    let message = message(&started, code, tail);
    let exit = Exit { code, signal, oom_killed: started.oom_killed() };
    let (container, instance) = started.run();
    let _ = reports.send(Report::Input(Input::Exited { container, instance, exit, message }));
}

/// R15.1 to R15.4: the file wins; the log stands in only after a failure and where the container says so.
fn message(started: &StartedContainer, code: i32, tail: String) -> Option<String> {
    let text = last_bytes(started.termination_log()).unwrap_or_default();
    if !text.is_empty() {
        return Some(text);
    }
    let falls_back =
        started.message_policy() == Some(TerminationMessagePolicy::FallbackToLogsOnError);
    (falls_back && code != 0 && !tail.is_empty()).then_some(tail)
}

fn last_bytes(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MESSAGE_LIMIT)))?;
    let mut bytes = Vec::new();
    file.take(MESSAGE_LIMIT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
