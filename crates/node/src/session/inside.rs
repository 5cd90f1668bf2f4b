//! A container's files as its own process sees and may touch them, without a program in it.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::Pid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, capabilities, set_capabilities, set_thread_groups,
};

use crate::pod::StartedContainer;

/// The root directory of a container and the rights of its first process.
pub(super) struct Inside {
    root: OwnedFd,
    uid: u32,
    gid: u32,
    groups: Vec<Gid>,
    effective: CapabilitySet,
}

impl Inside {
    /// Of a container; nothing once that has ended.
    pub(super) fn of(container: &StartedContainer) -> io::Result<Option<Self>> {
        let running = container.running();
        let read = || -> io::Result<Self> {
            let pid = running.pid();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let root = openat(CWD, format!("/proc/{pid}/root"), flags, Mode::empty())?;
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let ids = |field| numbers(&status, field);
            // The last of the four is about files.
            let last = |field| ids(field).last().copied().unwrap_or_default();
            let sets = capabilities(Pid::from_raw(pid))?;
            Ok(Self {
                root,
                uid: last("Uid:"),
                gid: last("Gid:"),
                groups: ids("Groups:").into_iter().map(Gid::from_raw).collect(),
                effective: sets.effective,
            })
        };
        let inside = read();
        // While it has not ended its number was nobody else's, so what was read was its own.
        let mut ended = [PollFd::new(running, PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match rustix::io::retry_on_intr(|| poll(&mut ended, Some(&now)))? {
            0 => inside.map(Some),
            _ => Ok(None),
        }
    }

    /// Gives the calling thread the rights of the container's process, for good, and the container's root.
    pub(super) fn enter(self) -> io::Result<OwnedFd> {
        set_thread_groups(&self.groups)?;
        sys::identity::access_files_as(self.uid, self.gid)?;
        let own = capabilities(None)?;
        set_capabilities(
            None,
            CapabilitySets {
                effective: own.effective & self.effective,
                ..own
            },
        )?;
        Ok(self.root)
    }
}

/// The numbers of a line of `/proc/<pid>/status`.
fn numbers(status: &str, field: &str) -> Vec<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let words = line.unwrap_or_default().split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_a_line_is_about_files() {
        let status =
            "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nVmPeak:\t1 kB\n";
        assert_eq!(numbers(status, "Uid:"), [1, 2, 3, 4]);
        assert_eq!(numbers(status, "Groups:"), [9, 10]);
        assert!(numbers(status, "Nope:").is_empty());
    }
}
