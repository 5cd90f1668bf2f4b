//! Supervisors as processes: how one is started, and how it says that it is there.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::paths::Paths;
use crate::state::{Ownership, StateError};

/// Why a Pod has no supervisor.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The process could not be made.
    #[error("start the Pod's supervisor")]
    Start(#[source] io::Error),
    /// On disk.
    #[error(transparent)]
    State(#[from] StateError),
    /// It started, and could not do its work.
    #[error("{0}")]
    Refused(String),
    /// It ended without a word.
    #[error("the Pod's supervisor ended at once ({status}): {log}")]
    Died {
        /// How it ended.
        status: String,
        /// The end of what it wrote.
        log: String,
    },
}

/// What a supervisor says on its standard output, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Greeting {
    /// It owns the Pod and answers for it.
    Ready,
    /// It cannot.
    Refused(String),
}

/// A supervisor on its way.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    log: std::path::PathBuf,
}

impl Starting {
    /// Starts the supervisor of a Pod and gives it the Pod's lock. `pod` is what lists of processes show: `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// When the process cannot be made; the Pod has no owner then.
    pub fn begin(
        paths: &Paths,
        uid: &str,
        pod: &str,
        ownership: Ownership,
    ) -> Result<Self, SupervisorError> {
        let log = paths.pod(uid).supervisor_log();
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| StateError::new("open", &log, error))?;
        let mut command = Command::new("/proc/self/exe");
        if let Some(root) = paths.root() {
            command.arg("--root").arg(root);
        }
        let child = command
            .arg0("pillion")
            .args(["supervise", pod, uid])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(ownership)))
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(SupervisorError::Start)?;
        Ok(Self { child, log })
    }

    /// Waits until the supervisor answers for the Pod.
    ///
    /// # Errors
    /// Its own words when it cannot, or the end of its log.
    pub fn ready(mut self) -> Result<(), SupervisorError> {
        let mut said = String::new();
        if let Some(stdout) = self.child.stdout.as_mut() {
            // What cannot be read was not said.
            let _ = stdout.read_to_string(&mut said);
        }
        match serde_json::from_str(&said) {
            Ok(Greeting::Ready) => Ok(()),
            Ok(Greeting::Refused(why)) => {
                let _ = self.child.wait();
                Err(SupervisorError::Refused(why))
            }
            Err(_) => {
                // It has closed its output, which it does when it ends.
                let _ = self.child.kill();
                let status = self.child.wait();
                let status = status.map_or_else(|error| error.to_string(), |s| s.to_string());
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let log = log.trim().lines().last().unwrap_or("it wrote nothing");
                Err(SupervisorError::Died {
                    status,
                    log: log.to_owned(),
                })
            }
        }
    }
}

/// In a supervisor, before anything else: takes the Pod's lock from standard input, which is nothing from then on, and
/// lets go of whatever else it inherited, since somebody may wait for that to be closed.
///
/// # Errors
/// When there are no descriptors left.
pub fn take_lock() -> io::Result<Ownership> {
    sys::exec::close_from(3)?;
    let lock = rustix::io::fcntl_dupfd_cloexec(io::stdin().as_fd(), 3)?;
    let nothing = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(lock.into())
}
