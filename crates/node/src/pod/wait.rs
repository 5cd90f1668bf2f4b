//! Waiting for processes without a thread and without polling.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use container::{ExitStatus, Running, StartError, Starting};

/// Waits until a helper has said how its work went; `finish` then does not block. Should the descriptor not
/// be watchable, it comes back at once, and `finish` blocks for the helper's few milliseconds.
pub(crate) async fn readable<T: AsFd>(source: T) -> T {
    let Ok(copy) = source.as_fd().try_clone_to_owned() else {
        return source;
    };
    if let Ok(watched) = sys::watch::readable(copy) {
        let _ = watched.readable().await;
    }
    source
}

/// Waits until the helper has said how a start went.
pub(crate) async fn started(starting: Starting) -> Result<Running, StartError> {
    readable(starting).await.finish()
}

/// Waits until a process has ended, and collects its exit.
pub(crate) async fn exited(running: &Running) -> io::Result<ExitStatus> {
    let copy: OwnedFd = running.as_fd().try_clone_to_owned()?;
    let pidfd = sys::watch::readable(copy)?;
    loop {
        let mut ready = pidfd.readable().await?;
        if let Some(status) = running.try_wait()? {
            return Ok(status);
        }
        ready.clear_ready();
    }
}

/// Waits until a process has ended, and leaves its exit to be collected.
pub(crate) async fn gone(running: &Running) -> io::Result<()> {
    let pidfd = sys::watch::readable(running.as_fd().try_clone_to_owned()?)?;
    let _ready = pidfd.readable().await?;
    Ok(())
}
