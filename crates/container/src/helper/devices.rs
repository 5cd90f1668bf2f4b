//! `/dev` of a container, and its terminal.
//!
//! The nodes are our own, made in a new tmpfs: a bind of the machine's would let root in the container change the mode of the
//! machine's `/dev/null`. Then every mount that root can write to refuses device nodes, `/dev` included, and only the nodes
//! themselves are mounted without that rule. So `mknod` (which the default capabilities allow) makes nothing that can be
//! opened, on cgroup v1 and v2 alike, without a device filter.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Dev, FileType, Mode, OFlags, major, makedev, minor};
use rustix::fs::{chownat, mkdirat, mknodat, openat, symlinkat};
use rustix::mount::MountAttrFlags as A;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use sys::mount::Attributes;

use super::attach::{Attributer, attach};
use super::overlay::new_mount;
use super::resolve::{Kind, open_or_create};
use super::sources::Source;
use crate::error::{At, StartError, Step};

/// A device node to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Relative to `/dev`.
    path: PathBuf,
    kind: FileType,
    pub(super) device: Dev,
    mode: u32,
    owner: (u32, u32),
}

/// What every container has.
pub(super) fn standard_nodes() -> Vec<Node> {
    [
        ("null", 3),
        ("zero", 5),
        ("full", 7),
        ("random", 8),
        ("urandom", 9),
    ]
    .into_iter()
    .map(|(name, minor)| (name, makedev(1, minor)))
    .chain([("tty", makedev(5, 0))])
    .map(|(name, device)| Node {
        path: name.into(),
        kind: FileType::CharacterDevice,
        device,
        mode: 0o666,
        owner: (0, 0),
    })
    .collect()
}

/// All of the machine's, for a privileged container, together with the standard ones.
pub(super) fn machine_nodes() -> io::Result<Vec<Node>> {
    let mut nodes = standard_nodes();
    walk(Path::new("/dev"), Path::new(""), &mut nodes)?;
    Ok(nodes)
}

fn walk(dev: &Path, beneath: &Path, nodes: &mut Vec<Node>) -> io::Result<()> {
    for entry in std::fs::read_dir(dev.join(beneath))? {
        let entry = entry?;
        let path = beneath.join(entry.file_name());
        // Gone since it was listed, as devices do.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let kind = metadata.file_type();
        if kind.is_dir() {
            // File systems of their own, which the container gets new.
            if !["pts", "shm", "mqueue", "fd"]
                .iter()
                .any(|own| path == Path::new(own))
            {
                walk(dev, &path, nodes)?;
            }
        } else if (kind.is_char_device() || kind.is_block_device())
            && path != Path::new("console")
            && path != Path::new("ptmx")
            && !nodes.iter().any(|node| node.path == path)
        {
            nodes.push(Node {
                path,
                kind: if kind.is_char_device() {
                    FileType::CharacterDevice
                } else {
                    FileType::BlockDevice
                },
                device: makedev(major(metadata.rdev()), minor(metadata.rdev())),
                mode: metadata.permissions().mode() & 0o7777,
                owner: (metadata.uid(), metadata.gid()),
            });
        }
    }
    Ok(())
}

/// The mounted `/dev`.
pub(super) struct DevMount {
    tree: OwnedFd,
    pts: OwnedFd,
    /// `/dev/null`, a mount of its own.
    pub(super) null: OwnedFd,
}

/// Mounts `/dev` with `nodes`, `pts`, `mqueue` and `shm` beneath `root`.
pub(super) fn mount_dev(
    root: BorrowedFd<'_>,
    nodes: &[Node],
    shm: &Source,
    privileged: bool,
    attributer: &Attributer<'_>,
) -> Result<DevMount, StartError> {
    let run = || -> io::Result<DevMount> {
        let tree = new_mount(
            "tmpfs",
            &[("mode", "0755"), ("size", "65536k")],
            A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_STRICTATIME,
        )?;
        attach(tree.as_fd(), mount_point(root, "dev")?.as_fd())?;
        let dev = tree.as_fd();
        for node in nodes {
            make_node(dev, node)?;
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("core", "/proc/kcore"),
            ("ptmx", "pts/ptmx"),
        ] {
            symlinkat(target, dev, name)?;
        }
        if privileged {
            let null = openat(dev, "null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            let pts = mount_beneath(dev, shm)?;
            return Ok(DevMount { tree, pts, null });
        }
        // Copied while /dev still honours devices; a copy keeps the rule it was made under.
        let mut copies = Vec::with_capacity(nodes.len());
        for node in nodes {
            let fd = openat(
                dev,
                &node.path,
                OFlags::PATH | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            copies.push((Source::copy_of(fd.as_fd())?.tree, fd));
        }
        attributer.set(dev, Attributes::NO_DEV, None, false)?;
        let mut null = None;
        for (node, (copy, at)) in nodes.iter().zip(copies) {
            attach(copy.as_fd(), at.as_fd())?;
            if node.path == Path::new("null") {
                null = Some(copy);
            }
        }
        let null = null.ok_or_else(|| io::Error::other("no /dev/null among the nodes"))?;
        let pts = mount_beneath(dev, shm)?;
        Ok(DevMount { tree, pts, null })
    };
    run().at(Step::Devices, || "mount /dev")
}

fn make_node(dev: BorrowedFd<'_>, node: &Node) -> io::Result<()> {
    if let Some(parent) = node
        .path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        open_or_create(dev, parent, Kind::Directory)?;
    }
    mknodat(
        dev,
        &node.path,
        node.kind,
        Mode::from_raw_mode(node.mode),
        node.device,
    )?;
    if node.owner != (0, 0) {
        let (uid, gid) = node.owner;
        chownat(
            dev,
            &node.path,
            Some(rustix::fs::Uid::from_raw(uid)),
            Some(rustix::fs::Gid::from_raw(gid)),
            rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        )?;
    }
    Ok(())
}

/// The file systems beneath `/dev`. Returns that of terminals.
fn mount_beneath(dev: BorrowedFd<'_>, shm: &Source) -> io::Result<OwnedFd> {
    let quiet = A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NOEXEC;
    let pts = new_mount(
        "devpts",
        &[
            ("newinstance", ""),
            ("ptmxmode", "0666"),
            ("mode", "0620"),
            ("gid", "5"),
        ],
        quiet,
    )?;
    attach(pts.as_fd(), mount_point(dev, "pts")?.as_fd())?;
    let mqueue = new_mount("mqueue", &[], quiet | A::MOUNT_ATTR_NODEV)?;
    attach(mqueue.as_fd(), mount_point(dev, "mqueue")?.as_fd())?;
    attach(shm.tree.as_fd(), mount_point(dev, "shm")?.as_fd())?;
    Ok(pts)
}

/// A directory to mount on, made when missing. It must not be a link: what is mounted on `/proc` must be found at `/proc`.
pub(super) fn mount_point(root: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    match mkdirat(root, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        // A read-only image may still have the directory.
        Err(rustix::io::Errno::ROFS) => {}
        Err(errno) => return Err(errno.into()),
    }
    super::resolve::open_plain(root, name.as_ref())
}

impl DevMount {
    /// Opens a terminal in the container's own devpts and mounts it on `/dev/console`: controlling end first, then the
    /// container's.
    pub(super) fn open_terminal(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        let (controller, terminal) = terminal_of(self.pts.as_fd())?;
        let copy = Source::copy_of(terminal.as_fd())?;
        let console = open_or_create(self.tree.as_fd(), Path::new("console"), Kind::File)?;
        attach(copy.tree.as_fd(), console.as_fd())?;
        Ok((controller, terminal))
    }
}

/// Opens a terminal in the devpts mounted at `pts`.
pub(super) fn terminal_of(pts: BorrowedFd<'_>) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let controller = openat(pts, "ptmx", flags, Mode::empty())?;
    unlockpt(&controller)?;
    // By the descriptor, not by a name that something else may be mounted on (CVE-2025-52565).
    let terminal = ioctl_tiocgptpeer(
        &controller,
        OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
    )?;
    Ok((controller, terminal))
}
