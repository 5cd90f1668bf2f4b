//! Waiting for processes without a thread and without polling.

use std::io;

use container::{ExitStatus, Running, StartError, Starting};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits until the helper has said how a start went.
pub(crate) async fn started(starting: Starting) -> Result<Running, StartError> {
    let ready = AsyncFd::with_interest(starting, Interest::READABLE);
    match ready {
        Ok(ready) => {
            // An error here means that the socket cannot be watched; reading it then blocks briefly.
            let _ = ready.readable().await;
            ready.into_inner().finish()
        }
        Err(error) => Err(StartError::from(io::Error::from(error))),
    }
}

/// Waits until a process has ended.
pub(crate) async fn exited(running: &Running) -> io::Result<ExitStatus> {
    let pidfd = AsyncFd::with_interest(running.pidfd().try_clone_to_owned()?, Interest::READABLE)?;
    loop {
        let mut ready = pidfd.readable().await?;
        if let Some(status) = running.try_wait()? {
            return Ok(status);
        }
        ready.clear_ready();
    }
}
