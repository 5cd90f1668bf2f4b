//! What mounts show, opened as detached copies: on the machine's side first, in the Pod's mount namespace after it.
//!
//! A detached copy can be attached in any mount namespace, also one that cannot see where it came from. That is why
//! containers never have the machine's mounts in view, not even while they are set up.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags, fstat, statx};
use rustix::mount::{OpenTreeFlags, open_tree};

use super::resolve::{Kind, open_or_create_beneath};
use crate::error::{At, StartError, Step};
use crate::spec::MountPropagation;
use crate::wire::{WireMount, WireSource};

/// A mount ready to be attached.
pub(super) struct Source {
    pub(super) tree: OwnedFd,
    pub(super) kind: Kind,
}

impl Source {
    /// A copy of the mount tree at `fd`, which must be on a mount of the namespace we are in.
    pub(super) fn copy_of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let tree = open_tree(fd, c"", copy() | OpenTreeFlags::AT_EMPTY_PATH)?;
        let kind = kind_of(tree.as_fd())?;
        Ok(Self { tree, kind })
    }

    /// A copy of the mount tree at an absolute path.
    pub(super) fn at_path(path: &Path) -> io::Result<Self> {
        let tree = open_tree(CWD, path, copy())?;
        let kind = kind_of(tree.as_fd())?;
        Ok(Self { tree, kind })
    }
}

fn copy() -> OpenTreeFlags {
    OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE
}

fn kind_of(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    let is_dir = FileType::from_raw_mode(fstat(fd)?.st_mode) == FileType::Directory;
    Ok(if is_dir { Kind::Directory } else { Kind::File })
}

/// Opens the source of `mount` if it is on the machine's side; `None` for one in the Pod's mount namespace.
pub(super) fn open_on_machine(
    mount: &WireMount,
    fds: &[OwnedFd],
) -> Result<Option<Source>, StartError> {
    let failed = |error: io::Error| failed(mount, &error);
    let base: OwnedFd = match &mount.source {
        WireSource::PodTmpfs(_) => return Ok(None),
        WireSource::Path(path) => {
            rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
                .map_err(|errno| failed(errno.into()))?
        }
        WireSource::Fd(index) => {
            let fd = fds
                .get(*index)
                .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            fd.try_clone().map_err(failed)?
        }
    };
    let base = descend(base, mount.sub_path.as_deref()).map_err(failed)?;
    check_propagation(mount, base.as_fd())?;
    Source::copy_of(base.as_fd()).map(Some).map_err(failed)
}

/// Opens the source of `mount` beneath `volume`, a file system in memory, from inside the Pod's mount namespace.
pub(super) fn open_in_pod(volume: &Path, mount: &WireMount) -> Result<Source, StartError> {
    let open = || {
        let base = rustix::fs::open(
            volume,
            OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )?;
        Source::copy_of(descend(base, mount.sub_path.as_deref())?.as_fd())
    };
    open().map_err(|error| failed(mount, &error))
}

fn descend(base: OwnedFd, sub_path: Option<&Path>) -> io::Result<OwnedFd> {
    let Some(sub_path) = sub_path else {
        return Ok(base);
    };
    // As the kubelet: what it creates has the volume's own permission bits.
    let mode = Mode::from_raw_mode(fstat(&base)?.st_mode & 0o777);
    open_or_create_beneath(base.as_fd(), sub_path, mode)
}

fn failed(mount: &WireMount, error: &io::Error) -> StartError {
    let source: PathBuf = match &mount.source {
        WireSource::Path(path) => path.clone(),
        WireSource::PodTmpfs(_) => "a volume in memory".into(),
        WireSource::Fd(_) => "an open volume".into(),
    };
    let what = match &mount.sub_path {
        None => format!("mount {} at {}", source.display(), mount.target.display()),
        Some(sub) => format!(
            "mount subPath {} of {} at {}",
            sub.display(),
            source.display(),
            mount.target.display()
        ),
    };
    let error = StartError::io(Step::Mount, what, error);
    if error.is_errno(rustix::io::Errno::XDEV) {
        return error.with_hint("the subPath leads out of its volume");
    }
    error
}

/// Propagation that cannot work is an error, as in containerd: a private mount hears of nothing.
fn check_propagation(mount: &WireMount, source: BorrowedFd<'_>) -> Result<(), StartError> {
    let wanted = match mount.propagation {
        MountPropagation::None => return Ok(()),
        MountPropagation::HostToContainer => "a shared or slave mount",
        MountPropagation::Bidirectional => "a shared mount",
    };
    let read = || -> io::Result<String> {
        let id = statx(source, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id;
        let table = std::fs::read_to_string("/proc/self/mountinfo")?;
        let prefix = format!("{id} ");
        let line = table
            .lines()
            .find(|line| line.starts_with(&prefix))
            .unwrap_or_default();
        Ok(line.split(" - ").next().unwrap_or_default().to_owned())
    };
    let line = read().at(Step::Mount, || "read the propagation of a mount")?;
    let shared = line.contains(" shared:");
    let slave = line.contains(" master:");
    if shared || (slave && mount.propagation == MountPropagation::HostToContainer) {
        return Ok(());
    }
    let error = io::Error::other(format!("the source is not on {wanted}"));
    Err(failed(mount, &error).with_hint("mount --make-rshared makes it one"))
}
