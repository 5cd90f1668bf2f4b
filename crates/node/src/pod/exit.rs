//! The end of a container.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use lifecycle::{Exit, Input, message};

use super::start::StartedContainer;
use super::wait;
use super::worker::{Report, Reports};

/// Waits for the end of a container, collects what is to be known of it, and reports.
pub(crate) async fn watch(started: Arc<StartedContainer>, reports: Reports) {
    let status = wait::exited(started.running()).await;
    // With a process namespace of its own the container's other processes are dead by now; where it
    // shares one, they have to be ended, or they would keep its output and its cgroup.
    started.kill_rest();
    let (code, signal) = match status {
        Ok(status) => (status.code, status.signal),
        // It was our child and is gone, but its code is not to be had.
        Err(_) => (137, None),
    };
    started.ended(code);
    let tail = match started.take_pumps() {
        Some(pumps) => pumps.finish().await,
        None => Vec::new(),
    };
    let message = termination_message(&started, code, &tail);
    let exit = Exit {
        code,
        signal,
        oom_killed: started.oom_killed(),
    };
    let (container, instance) = started.run();
    let _ = reports.send(Report::Input(Input::Exited {
        container,
        instance,
        exit,
        message,
    }));
}

/// R15.1 to R15.4: the file wins; the log stands in only where the container says so.
fn termination_message(started: &StartedContainer, code: i32, log: &[u8]) -> Option<String> {
    let file = last_bytes(started.termination_log()).unwrap_or_default();
    if message::falls_back_to_log(started.container(), code, file.is_empty()) {
        return Some(message::tail_of_log(log)).filter(|text| !text.is_empty());
    }
    Some(message::tail_of_file(&file)).filter(|text| !text.is_empty())
}

fn last_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = message::FILE_LIMIT as u64;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
