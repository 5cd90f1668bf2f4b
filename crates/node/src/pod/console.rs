//! How the first process of a container is reached by those who attach to it: its standard input and its terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use manifest::core::v1::Container;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

/// The runner's ends, kept open while the process runs.
#[derive(Debug)]
pub(crate) struct Console {
    ends: Mutex<Ends>,
    /// `stdinOnce`.
    once: bool,
}

/// Both on their way into the next program of their process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptConsole {
    stdin: Option<i32>,
    terminal: Option<i32>,
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

    /// Sends what there is of both on into the next program of this process.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<KeptConsole> {
        self.with(|ends| {
            let mut add =
                |end: &Option<OwnedFd>| end.as_ref().map(|fd| outgoing.add(fd)).transpose();
            Ok(KeptConsole {
                stdin: add(&ends.stdin)?,
                terminal: add(&ends.terminal)?,
                once: self.once,
            })
        })
    }

    /// Takes them over from the program before.
    pub(crate) fn take_over(kept: &KeptConsole, incoming: &mut Incoming) -> io::Result<Arc<Self>> {
        let mut claim = |end: Option<i32>| end.map(|number| incoming.claim(number)).transpose();
        let ends = Ends {
            stdin: claim(kept.stdin)?,
            terminal: claim(kept.terminal)?,
        };
        Ok(Arc::new(Self {
            ends: Mutex::new(ends),
            once: kept.once,
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
