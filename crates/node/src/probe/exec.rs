//! Commands run inside a container: `exec` probes and hooks (R6.1, R6.2).

use std::os::fd::OwnedFd;
use std::time::Duration;

use container::{Launcher, Process, Running, Stdio};
use lifecycle::ProbeOutcome;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

use super::Answer;
use crate::pod::wait;

/// At most so much output is kept (R6.1).
const OUTPUT_LIMIT: usize = 10 << 10;

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
}

/// A command could not be run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ExecError(String);

/// Runs `command` in the container that `target` is and waits until it has ended and its output is closed.
/// Dropped before that, the command is killed if `kill` says so.
pub(crate) async fn run(
    launcher: &Launcher,
    target: &Running,
    process: &Process,
    command: &[String],
    kill: bool,
) -> Result<Ended, ExecError> {
    let failed = |error: &dyn std::fmt::Display| ExecError(error.to_string());
    let (read, write) = crate::pod::output_pipe().map_err(|error| failed(&error))?;
    let also: OwnedFd = write.try_clone().map_err(|error| failed(&error))?;
    let process = Process {
        args: command.to_vec(),
        tty: false,
        ..process.clone()
    };
    let stdio = Stdio {
        stdin: None,
        stdout: write,
        stderr: also,
    };
    let starting = launcher
        .exec(target, &process, stdio)
        .map_err(|error| failed(&error))?;
    let running = wait::started(starting)
        .await
        .map_err(|error| failed(&error))?;
    let mut guard = Collector {
        running: Some(running),
        kill,
    };
    let mut pipe = Receiver::from_owned_fd(read).map_err(|error| failed(&error))?;
    let mut output = Vec::new();
    let mut chunk = [0; 4096];
    // Read on past the limit: a full pipe would stop the command.
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        let room = OUTPUT_LIMIT.saturating_sub(output.len());
        output.extend_from_slice(&chunk[..length.min(room)]);
    }
    let Some(running) = &guard.running else {
        return Err(failed(&"its process is gone"));
    };
    let status = wait::exited(running)
        .await
        .map_err(|error| failed(&error))?;
    guard.running = None;
    Ok(Ended {
        code: status.code,
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

/// Collects the end of a command that nobody waits for any more: as long as it is not collected the container's
/// first process, and with it the container, cannot go.
struct Collector {
    running: Option<Running>,
    kill: bool,
}

impl Drop for Collector {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        if self.kill {
            let _ = running.signal(rustix::process::Signal::KILL.as_raw());
        }
        // Without a runtime the program is ending, and all that is in its containers with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { wait::exited(&running).await });
        }
    }
}

/// One run of an `exec` probe.
pub(crate) async fn probe(
    launcher: &Launcher,
    target: &Running,
    process: &Process,
    command: &[String],
    timeout: Duration,
) -> Answer {
    match tokio::time::timeout(timeout, run(launcher, target, process, command, true)).await {
        Err(_) => Answer::new(
            ProbeOutcome::Failure,
            format!(
                "command timed out: {:?} timed out after {}s",
                command.join(" "),
                timeout.as_secs()
            ),
        ),
        Ok(Err(error)) => Answer::error(error.to_string()),
        Ok(Ok(Ended { code: 0, output })) => Answer::new(ProbeOutcome::Success, output),
        Ok(Ok(Ended { output, .. })) => Answer::new(ProbeOutcome::Failure, output),
    }
}
