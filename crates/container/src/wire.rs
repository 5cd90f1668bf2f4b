//! What runner and helper say to each other: one packet each way, JSON plus descriptors.
//!
//! The socket is `SOCK_SEQPACKET`, so a packet arrives whole or not at all, and the death of either side is end-of-file at
//! the other. A job travels in a memfd, since environment and mounts may exceed what a packet can hold; all else is small.

use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cgroup::CgroupHandle;
use crate::error::StartError;
use crate::spec::{MountPropagation, PidMode, PodTmpfs, ProcMount, Process, Rootfs};

/// Kernel's limit of descriptors in a packet (`SCM_MAX_FD`).
const MAX_FDS: usize = 253;
/// Largest packet; longer messages are cut by their sender.
const MAX_PACKET: usize = 64 * 1024;

/// First packet to a helper, sent at once: what it can do before it knows its job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The cgroup it enters itself, so that its child is born there.
    pub(crate) cgroup: Option<CgroupHandle>,
    /// How many descriptors it and its child may open, where that is not what the runner may.
    pub(crate) descriptors: Option<u64>,
}

/// Second packet. Descriptors are referred to by their place in the packet, after the memfd.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    Sandbox(SandboxJob),
    Start(Box<StartJob>),
    Exec(Box<ExecJob>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SandboxJob {
    pub(crate) hostname: Option<String>,
    pub(crate) host_network: bool,
    pub(crate) host_ipc: bool,
    pub(crate) pid: PidMode,
    pub(crate) sysctls: Vec<(String, String)>,
    pub(crate) tmpfs: Vec<PodTmpfs>,
}

/// Namespaces of a Pod, as places of descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Namespaces {
    pub(crate) network: Option<usize>,
    pub(crate) uts: Option<usize>,
    pub(crate) ipc: Option<usize>,
    pub(crate) mount: usize,
    /// A pidfd of the pause process.
    pub(crate) pause: Option<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartJob {
    pub(crate) id: String,
    pub(crate) namespaces: Namespaces,
    pub(crate) pid: PidMode,
    /// `/dev/shm` of the machine instead of the Pod's.
    pub(crate) host_ipc: bool,
    pub(crate) stdio: [Option<usize>; 3],
    pub(crate) rootfs: Rootfs,
    pub(crate) read_only_root: bool,
    pub(crate) process: Process,
    pub(crate) privileged: bool,
    pub(crate) proc_mount: ProcMount,
    pub(crate) mounts: Vec<WireMount>,
    pub(crate) cgroup: Option<CgroupHandle>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WireMount {
    pub(crate) source: WireSource,
    pub(crate) sub_path: Option<PathBuf>,
    pub(crate) target: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) recursive_read_only: bool,
    pub(crate) propagation: MountPropagation,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireSource {
    Path(PathBuf),
    /// Place in the Pod's list of file systems in memory.
    PodTmpfs(usize),
    Fd(usize),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExecJob {
    /// Place of the container's pidfd.
    pub(crate) container: usize,
    pub(crate) stdio: [Option<usize>; 3],
    pub(crate) process: Process,
    pub(crate) privileged: bool,
    pub(crate) cgroup: Option<CgroupHandle>,
}

/// The helper's only packet, and a child's to its helper.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Descriptors: network, uts, ipc (each if private), mount, pidfd of the pause process (if shared), one per tmpfs.
    Sandbox {
        pause: Option<i32>,
        notes: Vec<String>,
    },
    /// Descriptors: pidfd, then the terminal if there is one.
    Started { pid: i32, notes: Vec<String> },
    /// From child to helper: the controlling end of its terminal, as a descriptor.
    Terminal,
    /// From child to helper: about to become the program.
    Ready,
    /// Descriptors: pidfd of what must still be reaped, if any.
    Failed(StartError),
}

/// A connected pair, both ends close-on-exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Sends `message` with `fds` as one packet.
pub(crate) fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    send_bytes(socket, &bytes, fds)
}

/// Sends `job` in a memfd, followed by `fds`.
pub(crate) fn send_job(
    socket: BorrowedFd<'_>,
    job: &Job,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let memfd = rustix::fs::memfd_create("pillion-job", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(memfd);
    file.write_all(&serde_json::to_vec(job)?)?;
    file.rewind()?;
    let all: Vec<BorrowedFd<'_>> = std::iter::once(file.as_fd())
        .chain(fds.iter().copied())
        .collect();
    send_bytes(socket, b"job", &all)
}

fn send_bytes(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if fds.len() > MAX_FDS || bytes.len() > MAX_PACKET {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "{} descriptors and {} bytes do not fit one packet",
                fds.len(),
                bytes.len()
            ),
        ));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other(
            "descriptors do not fit the control buffer",
        ));
    }
    // NOSIGNAL: the other side may be gone, which is an error here and not a signal.
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Receives one packet; `None` is end-of-file. The descriptors are close-on-exec.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let Some((bytes, fds)) = receive_bytes(socket)? else {
        return Ok(None);
    };
    Ok(Some((serde_json::from_slice(&bytes)?, fds)))
}

/// Receives a job and its descriptors; `None` when the runner is gone.
pub(crate) fn receive_job(socket: BorrowedFd<'_>) -> io::Result<Option<(Job, Vec<OwnedFd>)>> {
    let Some((_, mut fds)) = receive_bytes(socket)? else {
        return Ok(None);
    };
    if fds.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a job without its memfd",
        ));
    }
    let mut bytes = Vec::new();
    std::fs::File::from(fds.remove(0)).read_to_end(&mut bytes)?;
    Ok(Some((serde_json::from_slice(&bytes)?, fds)))
}

fn receive_bytes(socket: BorrowedFd<'_>) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; MAX_PACKET];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
    });
    let received = match received {
        Ok(received) => received,
        // The peer died with our packet unread; for the reader that is an end like any other.
        Err(rustix::io::Errno::CONNRESET) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    bytes.truncate(received.bytes);
    Ok(Some((bytes, fds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_bytes_and_order_of_descriptors() {
        let (a, b) = pair().expect("pair");
        let zero = std::fs::File::open("/dev/zero").expect("open");
        let null = std::fs::File::open("/dev/null").expect("open");
        send(
            a.as_fd(),
            &Reply::Started {
                pid: 7,
                notes: vec![],
            },
            &[zero.as_fd(), null.as_fd()],
        )
        .expect("send");
        let (reply, fds) = receive::<Reply>(b.as_fd())
            .expect("receive")
            .expect("a packet");
        assert!(matches!(reply, Reply::Started { pid: 7, .. }));
        let mut byte = [1];
        let mut first = std::fs::File::from(fds.into_iter().next().expect("two descriptors"));
        first.read_exact(&mut byte).expect("/dev/zero never ends");
        assert_eq!(byte, [0]);
        drop(a);
        assert!(receive::<Reply>(b.as_fd()).expect("receive").is_none());
    }

    #[test]
    fn a_job_larger_than_a_packet_arrives() {
        let (a, b) = pair().expect("pair");
        let mut job = SandboxJob {
            hostname: None,
            host_network: false,
            host_ipc: false,
            pid: PidMode::Shared,
            sysctls: vec![],
            tmpfs: vec![],
        };
        job.sysctls
            .push(("long".into(), "x".repeat(3 * MAX_PACKET)));
        send_job(a.as_fd(), &Job::Sandbox(job), &[]).expect("send");
        let (job, _) = receive_job(b.as_fd()).expect("receive").expect("a job");
        let Job::Sandbox(job) = job else {
            panic!("another job")
        };
        assert_eq!(job.sysctls[0].1.len(), 3 * MAX_PACKET);
    }
}
