//! How the first process of a container is reached by those who attach to it: its standard input and its terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use manifest::core::v1::Container;

/// The runner's ends, kept open while the process runs.
#[derive(Debug)]
pub(crate) struct Console {
    ends: Mutex<Ends>,
    /// `stdinOnce`.
    once: bool,
}

#[derive(Debug, Default)]
struct Ends {
    /// Writing end of a pipe; of what runs on a terminal, that.
    stdin: Option<OwnedFd>,
    terminal: Option<OwnedFd>,
}

impl Console {
    /// `stdin` is the writing end of a pipe, `terminal` the controlling end; neither blocks.
    pub(crate) fn new(
        stdin: Option<OwnedFd>,
        terminal: Option<OwnedFd>,
        container: &Container,
    ) -> io::Result<Arc<Self>> {
        let reads = container.stdin == Some(true);
        let stdin = match terminal.as_ref().filter(|_| reads) {
            Some(terminal) => Some(terminal.try_clone()?),
            None => stdin,
        };
        Ok(Arc::new(Self {
            ends: Mutex::new(Ends { stdin, terminal }),
            once: container.stdin_once == Some(true),
        }))
    }

    /// A copy of the terminal's controlling end.
    pub(crate) fn terminal(&self) -> io::Result<Option<OwnedFd>> {
        self.with(|ends| ends.terminal.as_ref().map(OwnedFd::try_clone).transpose())
    }

    /// A copy of the end to write to, and what is to be dropped with it.
    pub(crate) fn stdin(self: &Arc<Self>) -> io::Result<Option<(OwnedFd, Option<StdinOnce>)>> {
        self.with(|ends| {
            let Some(stdin) = &ends.stdin else {
                return Ok(None);
            };
            // A terminal has no end of input but what is typed as such.
            let once = self.once && ends.terminal.is_none();
            let once = once.then(|| StdinOnce(Arc::clone(self)));
            Ok(Some((stdin.try_clone()?, once)))
        })
    }

    /// The process has ended.
    pub(crate) fn close(&self) {
        self.with(std::mem::take);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Ends) -> T) -> T {
        work(&mut self.ends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Closes a container's standard input when dropped: what `stdinOnce` asks for at the end of the first attached one.
#[derive(Debug)]
pub(crate) struct StdinOnce(Arc<Console>);

impl Drop for StdinOnce {
    fn drop(&mut self) {
        self.0.with(|ends| ends.stdin = None);
    }
}
