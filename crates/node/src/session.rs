//! What a second terminal does with a running Pod: exec, attach, forwarded ports, copies, usage.
//!
//! All of it is asked of a [`PodControl`](crate::PodControl), on the thread of the node's runtime: processes are started there.
//! The Pod's task only says what there is; a session then lives with whoever asked, and a slow one slows nothing else.
//!
//! Errors are worded as the kubelet and containerd word them, without what the API server puts around them.

mod archive;
mod attach;
mod dial;
mod exec;
mod inside;
mod stats;
mod streams;

pub use archive::{ArchiveError, ArchiveOut, Unpacked};
pub use attach::AttachRequest;
pub(crate) use dial::PodNetwork;
pub use exec::ExecRequest;
pub(crate) use stats::Counted;
pub use stats::{ContainerStats, ContainerUsage, PodStats, PodUsage};
pub use streams::{SessionInput, SessionOutput};

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use container::StartError;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::node::Node;
use crate::pod::StartedContainer;

/// How many execs and attaches one process serves at a time; each costs it up to eight descriptors.
pub(crate) const MOST_SESSIONS: usize = 256;

/// Why a session could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The Pod has no running container of this name.
    #[error("container not found ({0:?})")]
    ContainerNotFound(String),
    /// The Pod, as `name_namespace`, has no sandbox: it has ended or has not begun.
    #[error("pod not found ({0:?})")]
    PodNotFound(String),
    /// The command could not be started; runc's words.
    #[error("failed to exec in container: unable to start container process: {0}")]
    Exec(StartError),
    /// Nobody listens on the port, in either family.
    #[error(
        "failed to connect to localhost:{port} inside namespace {pod:?}, IPv4: dial tcp4 127.0.0.1:{port}: {ipv4} \
         IPv6: dial tcp6 [::1]:{port}: {ipv6}"
    )]
    Dial {
        /// The Pod's UID.
        pod: String,
        /// The port.
        port: u16,
        /// Why not by 127.0.0.1.
        ipv4: String,
        /// Why not by ::1.
        ipv6: String,
    },
    /// As many execs and attaches are open as one process serves.
    #[error("too many sessions: {MOST_SESSIONS} are open (hint: end some of them)")]
    TooMany,
    /// The machine refused something, such as another descriptor.
    #[error("{step}: {source}")]
    System {
        /// What was tried.
        step: &'static str,
        /// The cause.
        source: io::Error,
    },
}

impl SessionError {
    pub(crate) fn system(step: &'static str, source: impl Into<io::Error>) -> Self {
        Self::System {
            step,
            source: source.into(),
        }
    }
}

/// What a Pod's task says of a container that runs.
pub(crate) struct Target {
    pub(crate) node: Arc<Node>,
    pub(crate) container: Arc<StartedContainer>,
}

/// Size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// An exec or an attach.
///
/// When it and its streams are dropped, standard input is closed and an exec's terminal hangs up. A process that bears that
/// lives on until its container ends, as in Kubernetes; its exit is collected in any case.
#[derive(Debug)]
pub struct Session {
    /// To write to; shut down or dropped, it is closed. `None` where it was not asked for, or where an attached container
    /// has none.
    pub stdin: Option<SessionInput>,
    /// Output; of a terminal, all of it. It ends when the last process that has it open has closed it, which may be later
    /// than [`Session::wait`].
    pub stdout: Option<SessionOutput>,
    /// Errors; never with a terminal.
    pub stderr: Option<SessionOutput>,
    terminal: Option<OwnedFd>,
    exit_code: watch::Receiver<Option<i32>>,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Session {
    /// Tells the terminal's size; without a terminal it does nothing.
    ///
    /// # Errors
    /// The terminal's refusal.
    pub fn resize(&self, size: TerminalSize) -> io::Result<()> {
        let Some(terminal) = &self.terminal else {
            return Ok(());
        };
        let size = Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(tcsetwinsize(terminal, size)?)
    }

    /// Waits for the end of the process (an attach: of the container) and gives its exit code, 128 + n by signal n.
    pub async fn wait(&self) -> i32 {
        let mut exit_code = self.exit_code.clone();
        let ended = exit_code.wait_for(Option::is_some).await;
        // Without a sender nobody will ever know; 137 is what Kubernetes shows of such an end.
        ended.ok().and_then(|code| *code).unwrap_or(137)
    }
}
