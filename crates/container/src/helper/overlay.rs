//! The root file system as a detached mount.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_change,
};

use super::sources::Source;
use crate::error::{At, StartError, Step};
use crate::spec::Rootfs;

/// Creates a file system with `options` (an empty value is a flag) and mounts it, attached to nothing.
pub(super) fn new_mount(
    fs: &str,
    options: &[(&str, &str)],
    attributes: MountAttrFlags,
) -> io::Result<OwnedFd> {
    let context = fsopen(fs, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        if value.is_empty() {
            fsconfig_set_flag(&context, *key)?;
        } else {
            fsconfig_set_string(&context, *key, *value)?;
        }
    }
    fsconfig_create(&context)?;
    Ok(fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        attributes,
    )?)
}

/// Opens the root file system. Must come after all other sources: the fall-back leaves the machine's mount namespace.
pub(super) fn open_rootfs(rootfs: &Rootfs, privileged: bool) -> Result<OwnedFd, StartError> {
    let attributes = if privileged {
        MountAttrFlags::empty()
    } else {
        MountAttrFlags::MOUNT_ATTR_NODEV
    };
    match rootfs {
        Rootfs::Directory(path) => Ok(Source::at_path(path)
            .at(Step::Rootfs, || {
                format!("open root file system {}", path.display())
            })?
            .tree),
        Rootfs::Overlay { lower, upper, work } => {
            let what = || format!("mount overlay root file system on {}", upper.display());
            if lower.is_empty() {
                return Err(StartError::new(
                    Step::Rootfs,
                    format!("{}: no layer", what()),
                ));
            }
            match by_descriptor(lower, upper, work, attributes) {
                // No `lowerdir+` before Linux 6.8, no new mount API of overlayfs before 6.5.
                Err(Refused {
                    errno: Errno::INVAL,
                    ..
                }) => by_mount(lower, upper, work, attributes).at(Step::Rootfs, what),
                other => other.map_err(|refused| {
                    let mut error = StartError::io(Step::Rootfs, what(), &refused.errno.into());
                    if !refused.kernel_says.is_empty() {
                        error.message = format!("{} ({})", error.message, refused.kernel_says);
                    }
                    error
                }),
            }
        }
    }
}

struct Refused {
    errno: Errno,
    /// What the file system context logged.
    kernel_says: String,
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self {
            errno,
            kernel_says: String::new(),
        }
    }
}

fn by_descriptor(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Refused> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for layer in lower {
        fsconfig_set_string(&context, "lowerdir+", layer.as_path())?;
    }
    fsconfig_set_string(&context, "upperdir", upper)?;
    fsconfig_set_string(&context, "workdir", work)?;
    fsconfig_create(&context).map_err(|errno| Refused {
        errno,
        kernel_says: log_of(context.as_fd()),
    })?;
    Ok(fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        attributes,
    )?)
}

/// The last message of a file system context, which says what the errno cannot.
fn log_of(context: BorrowedFd<'_>) -> String {
    let mut last = String::new();
    let mut line = [0u8; 512];
    while let Ok(length) = rustix::io::read(context, &mut line) {
        let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default());
        last = text.trim().trim_start_matches("e ").to_owned();
    }
    last
}

/// With `mount(2)`, in a copy of the machine's mount namespace that nobody else sees. Layers go by descriptor numbers, since
/// all options together must fit a page.
fn by_mount(
    lower: &[PathBuf],
    upper: &Path,
    work: &Path,
    attributes: MountAttrFlags,
) -> io::Result<OwnedFd> {
    sys::namespace::unshare(sys::namespace::Unshare {
        mount: true,
        ..Default::default()
    })?;
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    let open_dir = |path: &Path| {
        open(
            path,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    };
    let name = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let layers = lower
        .iter()
        .map(|path| open_dir(path))
        .collect::<Result<Vec<_>, _>>()?;
    let (upper_fd, work_fd) = (open_dir(upper)?, open_dir(work)?);
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        layers.iter().map(name).collect::<Vec<_>>().join(":"),
        name(&upper_fd),
        name(&work_fd),
    );
    let mut flags = MountFlags::empty();
    flags.set(
        MountFlags::NODEV,
        attributes.contains(MountAttrFlags::MOUNT_ATTR_NODEV),
    );
    let options = std::ffi::CString::new(options)?;
    // Any directory will do to hold it for a moment; its own upper directory is surely there.
    mount("overlay", upper, "overlay", flags, Some(options.as_c_str()))?;
    Ok(Source::at_path(upper)?.tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_required() {
        let rootfs = Rootfs::Overlay {
            lower: vec![],
            upper: "/u".into(),
            work: "/w".into(),
        };
        let error = open_rootfs(&rootfs, false).expect_err("no layer");
        assert_eq!(error.step, Step::Rootfs);
    }
}
