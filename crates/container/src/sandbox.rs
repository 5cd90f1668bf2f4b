//! The sandbox of a Pod: namespaces and file systems in memory, all held by descriptors.
//!
//! Nothing of it is visible on the machine: no file, no mount, no named namespace. When the descriptors close, at the latest
//! when this process dies, the kernel takes everything back.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use crate::error::{StartError, Step};
use crate::running::{KeptRunning, Running};
use crate::spec::{PidMode, SandboxSpec};

/// A Pod's namespaces.
#[derive(Debug)]
pub struct Sandbox {
    network: Option<OwnedFd>,
    uts: Option<OwnedFd>,
    ipc: Option<OwnedFd>,
    mount: OwnedFd,
    pid: PidMode,
    pause: Option<Running>,
    tmpfs: Vec<OwnedFd>,
    tmpfs_index: HashMap<String, usize>,
    notes: Vec<String>,
}

/// A sandbox on its way into the next program of its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptSandbox {
    network: Option<i32>,
    uts: Option<i32>,
    ipc: Option<i32>,
    mount: i32,
    pid: PidMode,
    pause: Option<KeptRunning>,
    tmpfs: Vec<i32>,
    tmpfs_index: HashMap<String, usize>,
}

impl Sandbox {
    /// Sends it on into the next program of this process.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn hand_over(&self, outgoing: &mut Outgoing) -> std::io::Result<KeptSandbox> {
        let mut add = |fd: &OwnedFd| outgoing.add(fd);
        Ok(KeptSandbox {
            network: self.network.as_ref().map(&mut add).transpose()?,
            uts: self.uts.as_ref().map(&mut add).transpose()?,
            ipc: self.ipc.as_ref().map(&mut add).transpose()?,
            mount: add(&self.mount)?,
            tmpfs: self.tmpfs.iter().map(&mut add).collect::<Result<_, _>>()?,
            pid: self.pid,
            pause: match &self.pause {
                Some(pause) => Some(pause.hand_over(outgoing)?),
                None => None,
            },
            tmpfs_index: self.tmpfs_index.clone(),
        })
    }

    /// Takes one over from the program before.
    ///
    /// # Errors
    /// A descriptor of it did not come along.
    pub fn take_over(kept: KeptSandbox, incoming: &mut Incoming) -> std::io::Result<Self> {
        let mut claim = |number| incoming.claim(number);
        Ok(Self {
            network: kept.network.map(&mut claim).transpose()?,
            uts: kept.uts.map(&mut claim).transpose()?,
            ipc: kept.ipc.map(&mut claim).transpose()?,
            mount: claim(kept.mount)?,
            tmpfs: kept
                .tmpfs
                .into_iter()
                .map(&mut claim)
                .collect::<Result<_, _>>()?,
            pid: kept.pid,
            pause: match kept.pause {
                Some(pause) => Some(Running::take_over(pause, incoming)?),
                None => None,
            },
            tmpfs_index: kept.tmpfs_index,
            notes: Vec::new(),
        })
    }

    pub(crate) fn from_reply(
        spec: &SandboxSpec,
        pause: Option<i32>,
        notes: Vec<String>,
        fds: Vec<OwnedFd>,
    ) -> Result<Self, StartError> {
        let mut fds = fds.into_iter();
        let mut next = |what: &str| {
            fds.next().ok_or_else(|| {
                StartError::new(
                    Step::Launch,
                    format!("the helper sent no descriptor of {what}"),
                )
            })
        };
        let network = (!spec.host_network)
            .then(|| next("the network namespace"))
            .transpose()?;
        let uts = (!spec.host_network)
            .then(|| next("the uts namespace"))
            .transpose()?;
        let ipc = (!spec.host_ipc)
            .then(|| next("the ipc namespace"))
            .transpose()?;
        let mount = next("the mount namespace")?;
        let pause = pause
            .map(|pid| {
                let pidfd = next("the pause process")?;
                Ok::<_, StartError>(Running::new(pid, pidfd, None, None, false, Vec::new()))
            })
            .transpose()?;
        let mut tmpfs = Vec::with_capacity(spec.tmpfs.len());
        let mut tmpfs_index = HashMap::with_capacity(spec.tmpfs.len());
        for (index, volume) in spec.tmpfs.iter().enumerate() {
            tmpfs.push(next("a tmpfs")?);
            tmpfs_index.insert(volume.name.clone(), index);
        }
        Ok(Self {
            network,
            uts,
            ipc,
            mount,
            pid: spec.pid,
            pause,
            tmpfs,
            tmpfs_index,
            notes,
        })
    }

    /// The network namespace; `None` with `host_network`.
    #[must_use]
    pub fn network_namespace(&self) -> Option<BorrowedFd<'_>> {
        self.network.as_ref().map(AsFd::as_fd)
    }

    /// The root directory of the tmpfs of that name, to write into with `openat` and `mkdirat`.
    #[must_use]
    pub fn tmpfs(&self, name: &str) -> Option<BorrowedFd<'_>> {
        self.tmpfs_index(name)
            .and_then(|index| self.tmpfs.get(index))
            .map(AsFd::as_fd)
    }

    /// What could not be done but did not prevent the sandbox, as sentences.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The Pod's pause process, PID 1 of its shared PID namespace, whose end ends all its containers.
    #[must_use]
    pub fn pause(&self) -> Option<&Running> {
        self.pause.as_ref()
    }

    /// Ends the pause process, and with it whatever still runs in a shared PID namespace, and lets go of all namespaces.
    /// Dropping does the same and reports nothing.
    ///
    /// Collect the exits of the containers first: the kernel lets the first process of a PID namespace end only when all
    /// others are gone, and a container is not gone before its exit has been collected.
    ///
    /// # Errors
    /// `TimedOut` when the pause process has not ended after two seconds.
    pub fn close(mut self) -> std::io::Result<()> {
        let Some(pause) = self.pause.take() else {
            return Ok(());
        };
        pause.signal(9)?;
        let timeout = Timespec {
            tv_sec: 2,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&pause, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut fds, Some(&timeout)))?;
        match pause.try_wait()? {
            Some(_) => Ok(()),
            None => Err(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "the pause process waits for containers whose exits were not collected",
            )),
        }
    }

    pub(crate) fn uts_namespace(&self) -> Option<BorrowedFd<'_>> {
        self.uts.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn ipc_namespace(&self) -> Option<BorrowedFd<'_>> {
        self.ipc.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn mount_namespace(&self) -> BorrowedFd<'_> {
        self.mount.as_fd()
    }

    pub(crate) fn pid_mode(&self) -> PidMode {
        self.pid
    }

    pub(crate) fn pause_process(&self) -> Option<BorrowedFd<'_>> {
        self.pause.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn tmpfs_index(&self, name: &str) -> Option<usize> {
        self.tmpfs_index.get(name).copied()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(pause) = self.pause.take() {
            // Never blocks: a pause process that cannot end yet stays a zombie until we end ourselves.
            let _ = pause.signal(9);
            let _ = pause.try_wait();
        }
    }
}
