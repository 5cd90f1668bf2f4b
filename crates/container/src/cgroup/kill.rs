//! Who is in a cgroup, and killing them all.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{CgroupHandle, subdirectories, write};

/// How often to look again for processes that were forked while others were killed.
const ROUNDS: usize = 64;
/// How long one round waits for what it killed: long enough for a core's worth of memory to be freed.
const PATIENCE: Duration = Duration::from_millis(500);

impl CgroupHandle {
    /// The processes in this cgroup and beneath it, by their numbers on the machine.
    ///
    /// # Errors
    /// The error of reading `cgroup.procs`; a cgroup that does not exist has no processes.
    pub fn processes(&self) -> io::Result<Vec<i32>> {
        let mut pids = Vec::new();
        for dir in &self.dirs {
            collect(&dir.path, &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Kills every process in this cgroup and beneath, however fast they fork, and waits until all have ended.
    ///
    /// Blocks for the milliseconds that takes. Children of the caller are not collected.
    ///
    /// # Errors
    /// `TimedOut` when some remain, such as those in uninterruptible sleep.
    pub fn kill(&self) -> io::Result<()> {
        if self.v2
            && let Some(dir) = self.dirs.first()
        {
            // One write kills the whole subtree atomically (Linux 5.14); then the loop only waits.
            let _ = write(&dir.path, "cgroup.kill", "1");
        }
        for _ in 0..ROUNDS {
            let pids = self.processes()?;
            if pids.is_empty() {
                return Ok(());
            }
            let pidfds: Vec<(i32, OwnedFd)> = pids
                .into_iter()
                .filter_map(|pid| {
                    let pidfd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
                    Some((pid, pidfd))
                })
                .collect();
            // A number may have been reused between reading and opening; those still listed were ours when opened.
            let still = self.processes()?;
            let ours: Vec<OwnedFd> = pidfds
                .into_iter()
                .filter(|(pid, _)| still.binary_search(pid).is_ok())
                .map(|(_, pidfd)| pidfd)
                .collect();
            for pidfd in &ours {
                let _ = pidfd_send_signal(pidfd, Signal::KILL);
            }
            wait_for(&ours)?;
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "processes remain in the cgroup after SIGKILL",
        ))
    }
}

fn wait_for(pidfds: &[OwnedFd]) -> io::Result<()> {
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(PATIENCE.subsec_nanos()),
    };
    for pidfd in pidfds {
        let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut fds, Some(&timeout)))?;
    }
    Ok(())
}

fn collect(dir: &Path, pids: &mut Vec<i32>) -> io::Result<()> {
    match std::fs::read_to_string(dir.join("cgroup.procs")) {
        Ok(text) => pids.extend(
            text.lines()
                .filter_map(|line| line.trim().parse::<i32>().ok()),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // Removed while it was open.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    for child in subdirectories(dir) {
        collect(&child, pids)?;
    }
    Ok(())
}
