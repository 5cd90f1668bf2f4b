//! Making a Pod's sandbox: namespaces, host name, loopback, sysctls, file systems in memory, pause process.
//!
//! The Pod's mount namespace holds nothing of the machine: an empty tmpfs with one directory per volume. Containers' mount
//! namespaces are copies of it, which makes them cheap to copy, pins no mount of the machine, and leaves nothing to hide.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, mkdirat, open};
use rustix::mount::{
    MountAttrFlags as A, MountPropagationFlags, UnmountFlags, mount_change, unmount,
};
use rustix::process::{chdir, fchdir, pivot_root};
use sys::clone::{CloneSpec, Cloned, NewNamespaces};

use super::attach::attach;
use super::devices::mount_point;
use super::overlay::new_mount;
use super::{Answer, Context};
use crate::error::{At, StartError, Step};
use crate::spec::{PidMode, PodTmpfs};
use crate::wire::{Reply, SandboxJob, pair, receive, send};

/// Where the Pod's `/dev/shm` is in its mount namespace.
pub(super) const SHM_PATH: &str = "/shm";
/// Its size, as containerd makes it.
const SHM_SIZE: &str = "65536k";

/// Where volume number `index` is in the Pod's mount namespace.
pub(super) fn volume_path(index: usize) -> PathBuf {
    PathBuf::from(format!("/volume-{index}"))
}

pub(super) fn create(context: &Context<'_>, job: &SandboxJob) -> Answer {
    run(context, job).unwrap_or_else(Answer::from)
}

fn run(context: &Context<'_>, job: &SandboxJob) -> Result<Answer, StartError> {
    sys::namespace::unshare(sys::namespace::Unshare {
        cgroup: false,
        ipc: !job.host_ipc,
        mount: true,
        network: !job.host_network,
        uts: !job.host_network,
    })
    .at(Step::Namespaces, || "create the Pod's namespaces")?;
    let mut fds = Vec::new();
    if !job.host_network {
        if let Some(hostname) = &job.hostname {
            rustix::system::sethostname(hostname.as_bytes())
                .at(Step::Namespaces, || format!("set the host name {hostname}"))?;
        }
        sys::link::set_loopback_up().at(Step::Namespaces, || "set the loopback interface up")?;
        fds.push(own_namespace("net")?);
        fds.push(own_namespace("uts")?);
    }
    if !job.host_ipc {
        fds.push(own_namespace("ipc")?);
    }
    fds.push(own_namespace("mnt")?);
    for (name, value) in &job.sysctls {
        if !is_of_the_pod(name, job) {
            return Err(StartError::new(
                Step::Namespaces,
                format!("set sysctl {name}={value}: it belongs to no namespace of the Pod"),
            ));
        }
        set_sysctl(name, value)?;
    }
    let volumes = enter_empty_root(&job.tmpfs)?;
    let mut pause = None;
    if job.pid == PidMode::Shared {
        let (pid, pidfd) = start_pause(context)?;
        pause = Some(pid);
        fds.push(pidfd);
    }
    fds.extend(volumes);
    Ok(Answer {
        reply: Reply::Sandbox {
            pause,
            notes: Vec::new(),
        },
        fds,
    })
}

fn own_namespace(kind: &str) -> Result<OwnedFd, StartError> {
    let path = format!("/proc/self/ns/{kind}");
    open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).at(Step::Namespaces, || path)
}

/// Whether a setting is the Pod's own. Any other would be the machine's: validation refuses those, and so does this.
fn is_of_the_pod(name: &str, job: &SandboxJob) -> bool {
    let dotted = name.replace('/', ".");
    let ipc = dotted == "kernel.sem"
        || ["kernel.shm", "kernel.msg", "fs.mqueue."]
            .iter()
            .any(|prefix| dotted.starts_with(prefix));
    (ipc && !job.host_ipc) || (dotted.starts_with("net.") && !job.host_network)
}

/// The files show the namespaces of who opens them, so the machine's `/proc` will do.
fn set_sysctl(name: &str, value: &str) -> Result<(), StartError> {
    let what = || format!("set sysctl {name}={value}");
    // Dots and slashes are both used, and an interface name may contain a dot: then slashes separate.
    let relative = if name.contains('/') {
        name.to_owned()
    } else {
        name.replace('.', "/")
    };
    if relative.starts_with('/') || relative.split('/').any(|part| part == "..") {
        return Err(StartError::new(
            Step::Namespaces,
            format!("{}: not a sysctl", what()),
        ));
    }
    let path = Path::new("/proc/sys").join(relative);
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()))
        .at(Step::Namespaces, what)
}

/// Replaces the copy of the machine's mounts by an empty root with the Pod's volumes, whose descriptors it returns.
fn enter_empty_root(tmpfs: &[PodTmpfs]) -> Result<Vec<OwnedFd>, StartError> {
    let step = || "make the Pod's mount namespace";
    let run = || -> io::Result<OwnedFd> {
        mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        let quiet = A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV | A::MOUNT_ATTR_NOEXEC;
        let root = new_mount("tmpfs", &[("mode", "0700"), ("size", "64k")], quiet)?;
        switch_root(root.as_fd())?;
        let shm = new_mount("tmpfs", &[("mode", "1777"), ("size", SHM_SIZE)], quiet)?;
        attach(
            shm.as_fd(),
            mount_point(root.as_fd(), SHM_PATH.trim_start_matches('/'))?.as_fd(),
        )?;
        Ok(root)
    };
    let root = run().at(Step::Mount, step)?;
    let mut volumes = Vec::with_capacity(tmpfs.len());
    for (index, volume) in tmpfs.iter().enumerate() {
        volumes.push(
            make_volume(root.as_fd(), &volume_path(index), volume).at(Step::Mount, || {
                format!("mount tmpfs of volume {}", volume.name)
            })?,
        );
    }
    Ok(volumes)
}

fn make_volume(root: BorrowedFd<'_>, at: &Path, volume: &PodTmpfs) -> io::Result<OwnedFd> {
    let mode = format!("{:04o}", volume.mode & 0o7777);
    // The kernel reads 0 as "no limit".
    let size = volume.size_bytes.map(|bytes| bytes.max(1).to_string());
    let mut options = vec![("mode", mode.as_str())];
    if let Some(size) = &size {
        options.push(("size", size));
    }
    let mount = new_mount(
        "tmpfs",
        &options,
        A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV,
    )?;
    let name = at.strip_prefix("/").unwrap_or(at);
    mkdirat(root, name, Mode::from_raw_mode(0o700))?;
    attach(
        mount.as_fd(),
        super::resolve::open_plain(root, name)?.as_fd(),
    )?;
    // For the runner, who writes into it: the mount's own descriptor serves as a directory for `openat`.
    Ok(mount)
}

/// Makes `root`, a detached mount, the root of this mount namespace and lets go of the old one.
pub(super) fn switch_root(root: BorrowedFd<'_>) -> io::Result<()> {
    let old = open(
        "/",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    // On top of the old root, which needs no directory to be mounted on.
    attach(root, old.as_fd())?;
    detach_old_root(root)
}

/// With `root` mounted over `/`: swaps the two and detaches what was there before.
pub(super) fn detach_old_root(root: BorrowedFd<'_>) -> io::Result<()> {
    fchdir(root)?;
    // Both arguments the same directory: the old root ends up mounted on the new one, and is taken off again.
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    Ok(chdir("/")?)
}

/// The first process of the Pod's PID namespace. It collects orphans, and its own death, which comes with the runner's, ends
/// all others in the namespace.
fn start_pause(context: &Context<'_>) -> Result<(i32, OwnedFd), StartError> {
    let spec = CloneSpec {
        namespaces: NewNamespaces {
            pid: true,
            mount: false,
        },
        as_sibling: true,
        cgroup: None,
    };
    let step = || "create the Pod's PID namespace";
    let (ours, theirs) = pair().at(Step::Launch, step)?;
    match sys::clone::clone3(&spec, context.alone).at(Step::Namespaces, step)? {
        Cloned::Parent { pid, pidfd } => {
            drop(theirs);
            // Not before it has looked whether the runner lives: once answered, the runner closes the socket it looks at.
            match receive::<Reply>(ours.as_fd()).at(Step::Launch, step)? {
                Some(_) => Ok((pid, pidfd)),
                None => Err(StartError::new(
                    Step::Launch,
                    "the pause process did not start",
                )),
            }
        }
        Cloned::Child => {
            let tied = context.die_with_runner();
            let _ = rustix::process::setsid();
            let _ = rustix::thread::set_name(c"pause");
            if tied.is_err() || send(theirs.as_fd(), &Reply::Ready, &[]).is_err() {
                sys::exec::exit_now(1);
            }
            // Also the copy of the runner's socket: the runner must see it close when the helper exits.
            let _ = sys::exec::close_from(0);
            sys::signal::reap_for_ever()
        }
    }
}
