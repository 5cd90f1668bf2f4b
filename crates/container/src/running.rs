//! A running container or exec, held by its pidfd: its number can be reused, the descriptor cannot.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use crate::cgroup::CgroupHandle;

/// A process this crate started, a child of this process. Poll its descriptor for reading to learn of its exit.
///
/// Dropping it neither signals nor reaps: an owner calls [`Running::signal`] and [`Running::try_wait`].
#[derive(Debug)]
pub struct Running {
    pid: i32,
    pidfd: OwnedFd,
    terminal: Option<OwnedFd>,
    cgroup: Option<CgroupHandle>,
    privileged: bool,
    notes: Vec<String>,
}

/// A running process on its way into the next program of its parent, whose child it stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRunning {
    pid: i32,
    pidfd: i32,
    cgroup: Option<CgroupHandle>,
    privileged: bool,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus {
    /// The exit code; 128 + signal for a process that a signal ended.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Running {
    pub(crate) fn new(
        pid: i32,
        pidfd: OwnedFd,
        terminal: Option<OwnedFd>,
        cgroup: Option<CgroupHandle>,
        privileged: bool,
        notes: Vec<String>,
    ) -> Self {
        Self {
            pid,
            pidfd,
            terminal,
            cgroup,
            privileged,
            notes,
        }
    }

    /// Sends it on into the next program of this process. Its terminal is not among what goes along.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn hand_over(&self, outgoing: &mut Outgoing) -> std::io::Result<KeptRunning> {
        Ok(KeptRunning {
            pid: self.pid,
            pidfd: outgoing.add(&self.pidfd)?,
            cgroup: self.cgroup.clone(),
            privileged: self.privileged,
        })
    }

    /// Takes one over from the program before. It may have ended meanwhile: its exit is ours to collect.
    ///
    /// # Errors
    /// Its descriptor did not come along.
    pub fn take_over(kept: KeptRunning, incoming: &mut Incoming) -> std::io::Result<Self> {
        let pidfd = incoming.claim(kept.pidfd)?;
        let (pid, cgroup, privileged) = (kept.pid, kept.cgroup, kept.privileged);
        Ok(Self::new(pid, pidfd, None, cgroup, privileged, Vec::new()))
    }

    /// A child of this process by its number, whose exit nobody has collected.
    ///
    /// # Errors
    /// There is none.
    pub fn child(pid: i32) -> std::io::Result<Self> {
        let number = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        let pidfd = pidfd_open(number, PidfdFlags::empty())?;
        Ok(Self::new(pid, pidfd, None, None, false, Vec::new()))
    }

    /// Its number on the machine, for people and logs; signals go through the pidfd.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Takes the terminal's controlling end, once, for a process with `tty`.
    pub fn take_terminal(&mut self) -> Option<OwnedFd> {
        self.terminal.take()
    }

    /// The cgroup it runs in.
    #[must_use]
    pub fn cgroup(&self) -> Option<&CgroupHandle> {
        self.cgroup.as_ref()
    }

    pub(crate) fn privileged(&self) -> bool {
        self.privileged
    }

    /// What could not be done but did not prevent the start, as sentences.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Sends `signal`, such as 15. A process that has already ended is no error.
    ///
    /// # Errors
    /// `EINVAL` for a number that is no signal.
    pub fn signal(&self, signal: i32) -> std::io::Result<()> {
        match sys::signal::send(self.pidfd.as_fd(), signal) {
            Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(()),
            other => other,
        }
    }

    /// Its exit, if it has ended; the exit is collected by this call and reported once.
    ///
    /// # Errors
    /// `ECHILD` when it was collected before or when another thread waits for all children.
    pub fn try_wait(&self) -> std::io::Result<Option<ExitStatus>> {
        self.wait_with(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    /// Whether it has ended, or is ending: the kernel takes the other processes of its PID namespace along before its
    /// end can be seen, and lets nobody in any more.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let at_once = Timespec::default();
        if !matches!(poll(&mut fds, Some(&at_once)), Ok(0)) {
            return true;
        }
        // Nobody has collected it, so its number is still its own.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid));
        stat.is_ok_and(|stat| has_exiting_flag(&stat))
    }

    /// Blocks until it ends.
    ///
    /// # Errors
    /// As [`Running::try_wait`].
    pub fn wait(&self) -> std::io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.wait_with(WaitIdOptions::EXITED)? {
                return Ok(status);
            }
        }
    }

    fn wait_with(&self, options: WaitIdOptions) -> std::io::Result<Option<ExitStatus>> {
        let status =
            rustix::io::retry_on_intr(|| waitid(WaitId::PidFd(self.pidfd.as_fd()), options))?;
        Ok(status.map(
            |status| match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => ExitStatus { code, signal: None },
                (None, signal) => ExitStatus {
                    code: 128 + signal.unwrap_or(0),
                    signal,
                },
            },
        ))
    }

    /// For a start that nobody wants any more.
    pub(crate) fn kill_and_reap(&self) {
        // Both can only fail because it is gone, which is the aim.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        let _ = self.wait();
    }
}

impl AsFd for Running {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Whether `/proc/PID/stat` tells of a process on its way out: `PF_EXITING` in the field `flags` (proc(5)), which is set
/// before anything else of its end happens.
fn has_exiting_flag(stat: &str) -> bool {
    const PF_EXITING: u64 = 0x4;
    // The name before may have spaces and parentheses in it; the flags are the seventh field after it.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
    let flags = fields.and_then(|fields| fields.split_whitespace().nth(6));
    let flags = flags.and_then(|flags| flags.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & PF_EXITING != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_on_its_way_out_is_told_by_its_flags() {
        let stat = |flags: u32| format!("7 (a) b (c) S 1 7 7 0 -1 {flags} 100 0 0 0 1");
        assert!(!has_exiting_flag(&stat(0x40_0100)));
        assert!(has_exiting_flag(&stat(0x40_0104)));
        assert!(!has_exiting_flag(""));
    }

    #[test]
    fn a_process_is_ending_once_it_has_ended_and_not_before() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let running = Running::child(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(!running.is_ending());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(running.is_ending());
    }
}
