//! Starting a container in a sandbox.
//!
//! On the machine's side the sources are opened; then the helper joins the Pod's namespaces and clones the container, which
//! builds its root from descriptors alone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags, open};
use rustix::mount::MountAttrFlags as A;
use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, move_into_link_name_space, move_into_thread_name_spaces,
};
use sys::clone::{CloneSpec, NewNamespaces};
use sys::mount::{Attributes, Propagation};

use super::attach::{Attributer, attach, protect};
use super::devices::{Node, machine_nodes, mount_dev, mount_point, standard_nodes};
use super::overlay::{new_mount, open_rootfs};
use super::process::{Streams, Surroundings, become_program, streams};
use super::resolve::{Kind, open_in_root, open_or_create};
use super::sandbox::{SHM_PATH, detach_old_root, volume_path};
use super::sources::{Source, open_in_pod, open_on_machine};
use super::{Answer, Context};
use crate::error::{At, StartError, Step};
use crate::spec::{MountPropagation, PidMode, ProcMount};
use crate::wire::{Namespaces, StartJob, WireMount, WireSource};

pub(super) fn start(context: &Context<'_>, job: StartJob, fds: Vec<OwnedFd>) -> Answer {
    run(context, &job, fds).unwrap_or_else(Answer::from)
}

/// Everything the container needs, opened.
struct Materials {
    rootfs: OwnedFd,
    mounts: Vec<Source>,
    shm: Source,
    cgroup_views: Vec<(String, Source)>,
    nodes: Vec<Node>,
    streams: Streams,
}

fn run(context: &Context<'_>, job: &StartJob, mut fds: Vec<OwnedFd>) -> Result<Answer, StartError> {
    check_targets(&job.mounts)?;
    let mut notes = Vec::new();
    adjust_oom_score(job.process.oom_score_adj, &mut notes)?;

    // On the machine's side.
    let on_machine = job
        .mounts
        .iter()
        .map(|mount| open_on_machine(mount, &fds))
        .collect::<Result<Vec<_>, _>>()?;
    let machine_shm = match job.host_ipc {
        true => Some(Source::at_path(Path::new("/dev/shm")).at(Step::Mount, || "open /dev/shm")?),
        false => None,
    };
    let nodes = match job.privileged {
        true => machine_nodes().at(Step::Devices, || "list the machine's devices")?,
        false => standard_nodes(),
    };
    let mut cgroup_views = Vec::new();
    for (name, path) in job.cgroup.iter().flat_map(|cgroup| cgroup.v1_views()) {
        let source =
            Source::at_path(path).at(Step::Cgroup, || format!("open cgroup {}", path.display()))?;
        cgroup_views.push((name, source));
    }
    let birthplace = job
        .cgroup
        .as_ref()
        .and_then(|cgroup| cgroup.birthplace())
        .map(|path| {
            open(
                path,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .at(Step::Cgroup, || format!("open cgroup {}", path.display()))
        })
        .transpose()?;
    // Last, since it may leave the machine's mount namespace.
    let rootfs = open_rootfs(&job.rootfs, job.privileged)?;

    join(&job.namespaces, job.pid, &fds)?;

    // In the Pod's mount namespace.
    let mut mounts = Vec::with_capacity(on_machine.len());
    for (mount, source) in job.mounts.iter().zip(on_machine) {
        mounts.push(match (source, &mount.source) {
            (Some(source), _) => source,
            (None, WireSource::PodTmpfs(index)) => open_in_pod(&volume_path(*index), mount)?,
            (None, _) => return Err(StartError::new(Step::Mount, "a mount without source")),
        });
    }
    let shm = match machine_shm {
        Some(shm) => shm,
        None => {
            Source::at_path(Path::new(SHM_PATH)).at(Step::Mount, || "open the Pod's /dev/shm")?
        }
    };
    let mut places: Vec<Option<OwnedFd>> = fds.drain(..).map(Some).collect();
    let streams = streams(job.stdio, &mut places).at(Step::Exec, || "take the standard streams")?;
    drop(places);

    let materials = Materials {
        rootfs,
        mounts,
        shm,
        cgroup_views,
        nodes,
        streams,
    };
    let spec = CloneSpec {
        namespaces: NewNamespaces {
            pid: job.pid == PidMode::PerContainer,
            mount: true,
        },
        as_sibling: true,
        cgroup: birthplace.as_ref().map(AsFd::as_fd),
    };
    context.launch(&spec, notes, |context, report| {
        match build(context, job, materials) {
            Err(error) => error,
            Ok(streams) => become_program(
                context,
                Surroundings {
                    process: &job.process,
                    privileged: job.privileged,
                    streams,
                    report,
                },
            ),
        }
    })
}

/// A target that cannot be: relative, leading up, the root itself, or inside `/proc`, where a mount could feed the runtime
/// false answers.
fn check_targets(mounts: &[WireMount]) -> Result<(), StartError> {
    for mount in mounts {
        let refuse = |why: &str| {
            let target = mount.target.display();
            Err(StartError::new(
                Step::Mount,
                format!("mount at {target}: {why}"),
            ))
        };
        let target = &mount.target;
        if !target.is_absolute() {
            return refuse("the path is not absolute");
        }
        if target.components().any(|part| part == Component::ParentDir) {
            return refuse("the path contains \"..\"");
        }
        if target.parent().is_none() {
            return refuse("the root cannot be mounted over");
        }
        if target.starts_with("/proc") && target.as_path() != Path::new("/proc") {
            return refuse("cannot be mounted because it is inside /proc");
        }
    }
    Ok(())
}

/// Inherited by the container. Set here, where `/proc` is still the machine's.
pub(super) fn adjust_oom_score(
    score: Option<i32>,
    notes: &mut Vec<String>,
) -> Result<(), StartError> {
    let Some(score) = score else { return Ok(()) };
    match std::fs::write("/proc/self/oom_score_adj", score.to_string()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            notes.push(format!(
                "oom_score_adj {score} needs CAP_SYS_RESOURCE; the runner's own value stays"
            ));
            Ok(())
        }
        Err(error) => Err(StartError::io(
            Step::Exec,
            format!("set oom_score_adj {score}"),
            &error,
        )),
    }
}

fn join(namespaces: &Namespaces, pid: PidMode, fds: &[OwnedFd]) -> Result<(), StartError> {
    let fd = |place: usize| {
        fds.get(place)
            .map(AsFd::as_fd)
            .ok_or_else(|| StartError::new(Step::Launch, "a namespace's descriptor is missing"))
    };
    use LinkNameSpaceType as T;
    for (place, kind, name) in [
        (namespaces.network, T::Network, "network"),
        (namespaces.uts, T::HostNameAndNISDomainName, "uts"),
        (namespaces.ipc, T::InterProcessCommunication, "ipc"),
        (Some(namespaces.mount), T::Mount, "mount"),
    ] {
        let Some(place) = place else { continue };
        move_into_link_name_space(fd(place)?, Some(kind)).at(Step::Namespaces, || {
            format!("join the Pod's {name} namespace")
        })?;
    }
    if pid == PidMode::Shared {
        let pause = namespaces.pause.ok_or_else(|| {
            StartError::new(
                Step::Namespaces,
                "the Pod has no pause process to share with",
            )
        })?;
        move_into_thread_name_spaces(fd(pause)?, ThreadNameSpaceType::PROCESS_ID)
            .at(Step::Namespaces, || "join the Pod's PID namespace")?;
    }
    Ok(())
}

/// In the container: the root file system with all its mounts, entered. Returns the streams.
fn build(
    context: &Context<'_>,
    job: &StartJob,
    materials: Materials,
) -> Result<Streams, StartError> {
    let Materials {
        rootfs,
        mounts,
        shm,
        cgroup_views,
        nodes,
        streams,
    } = materials;
    context.die_with_runner()?;
    // Now that we are in our cgroup, so that it is the root of what we see.
    sys::namespace::unshare(sys::namespace::Unshare {
        cgroup: true,
        ..Default::default()
    })
    .at(Step::Namespaces, || "create a cgroup namespace")?;
    let root = rootfs.as_fd();
    let old = open(
        "/",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .at(Step::Rootfs, || "open the Pod's root")?;
    attach(root, old.as_fd()).at(Step::Rootfs, || "mount the root file system")?;
    drop(old);

    let quiet = A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV | A::MOUNT_ATTR_NOEXEC;
    let proc = mount_new(root, "proc", "proc", quiet)?;
    let attributer = Attributer { proc: proc.as_fd() };
    if !job.privileged {
        attributer
            .set(root, Attributes::NO_DEV, None, true)
            .at(Step::Rootfs, || "refuse devices on the root file system")?;
    }
    let read_only = if job.privileged {
        A::empty()
    } else {
        A::MOUNT_ATTR_RDONLY
    };
    let sysfs = mount_new(root, "sys", "sysfs", quiet | read_only)?;
    mount_cgroups(job, sysfs.as_fd(), &cgroup_views, &attributer)?;
    let dev = mount_dev(root, &nodes, &shm, job.privileged, &attributer)?;

    for (mount, source) in job.mounts.iter().zip(&mounts) {
        attach_mount(root, mount, source, job.privileged, &attributer)?;
    }
    if !job.privileged && job.proc_mount == ProcMount::Default {
        protect(
            proc.as_fd(),
            Some(sysfs.as_fd()),
            dev.null.as_fd(),
            &attributer,
        )?;
    }
    let streams = match job.process.tty {
        false => streams,
        true => {
            let (controller, terminal) = dev
                .open_terminal()
                .at(Step::Devices, || "open a terminal")?;
            Streams::Terminal {
                controller,
                terminal,
            }
        }
    };
    make_directory(root, &job.process.cwd)?;
    if job.read_only_root {
        attributer
            .set(root, Attributes::READ_ONLY, None, false)
            .at(Step::Rootfs, || "make the root file system read-only")?;
    }
    detach_old_root(root).at(Step::Rootfs, || "enter the root file system")?;
    Ok(streams)
}

fn mount_new(
    root: BorrowedFd<'_>,
    name: &str,
    fs: &str,
    attributes: A,
) -> Result<OwnedFd, StartError> {
    let run = || -> io::Result<OwnedFd> {
        let mount = new_mount(fs, &[], attributes)?;
        attach(mount.as_fd(), mount_point(root, name)?.as_fd())?;
        Ok(mount)
    };
    run().at(Step::Mount, || format!("mount {fs} at /{name}"))
}

/// `/sys/fs/cgroup` as the container's own part of the tree.
fn mount_cgroups(
    job: &StartJob,
    sysfs: BorrowedFd<'_>,
    views: &[(String, Source)],
    attributer: &Attributer<'_>,
) -> Result<(), StartError> {
    let Some(cgroup) = &job.cgroup else {
        return Ok(());
    };
    let run = || -> io::Result<()> {
        let target = match open_in_root(sysfs, Path::new("fs/cgroup")) {
            // A kernel without cgroups has no place for them.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let quiet = A::MOUNT_ATTR_NOSUID | A::MOUNT_ATTR_NODEV | A::MOUNT_ATTR_NOEXEC;
        let read_only = if job.privileged {
            Attributes::NONE
        } else {
            Attributes::READ_ONLY
        };
        if cgroup.is_v2() {
            let mount = new_mount("cgroup2", &[], quiet)?;
            attach(mount.as_fd(), target.as_fd())?;
            return attributer.set(mount.as_fd(), read_only, None, false);
        }
        let tmpfs = new_mount("tmpfs", &[("mode", "0755"), ("size", "64k")], quiet)?;
        attach(tmpfs.as_fd(), target.as_fd())?;
        let flags = Attributes::NO_SUID | Attributes::NO_DEV | Attributes::NO_EXEC | read_only;
        for (name, source) in views {
            attach(
                source.tree.as_fd(),
                mount_point(tmpfs.as_fd(), name)?.as_fd(),
            )?;
            attributer.set(source.tree.as_fd(), flags, Some(Propagation::Private), true)?;
            // Programs look for each controller by its own name.
            if name.contains(',') {
                for controller in name.split(',') {
                    rustix::fs::symlinkat(name.as_str(), &tmpfs, controller)?;
                }
            }
        }
        attributer.set(tmpfs.as_fd(), read_only, None, false)
    };
    run().at(Step::Mount, || "mount /sys/fs/cgroup")
}

fn attach_mount(
    root: BorrowedFd<'_>,
    mount: &WireMount,
    source: &Source,
    privileged: bool,
    attributer: &Attributer<'_>,
) -> Result<(), StartError> {
    let run = || -> io::Result<()> {
        let target = open_or_create(root, &mount.target, source.kind)?;
        let tree = source.tree.as_fd();
        attach(tree, target.as_fd())?;
        let propagation = match mount.propagation {
            MountPropagation::None => Propagation::Private,
            MountPropagation::HostToContainer => Propagation::Slave,
            MountPropagation::Bidirectional => Propagation::Shared,
        };
        // A hostPath of /dev/null and its like works as under containerd's device rules; of a disk it does not.
        let everywhere = if privileged || is_standard(tree)? {
            Attributes::NONE
        } else {
            Attributes::NO_DEV
        };
        attributer.set(tree, everywhere, Some(propagation), true)?;
        if mount.read_only || mount.recursive_read_only {
            attributer.set(tree, Attributes::READ_ONLY, None, mount.recursive_read_only)?;
        }
        Ok(())
    };
    run().at(Step::Mount, || {
        format!("mount at {}", mount.target.display())
    })
}

/// Whether this is one of the device nodes that every container has.
fn is_standard(file: BorrowedFd<'_>) -> io::Result<bool> {
    let stat = rustix::fs::fstat(file)?;
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    Ok(is_device
        && standard_nodes()
            .iter()
            .any(|node| node.device == stat.st_rdev))
}

/// The working directory, made when the image has none, as runc does. Where it cannot be made, entering it says why.
fn make_directory(root: BorrowedFd<'_>, cwd: &Path) -> Result<(), StartError> {
    if !cwd.is_absolute() {
        return Err(StartError::new(
            Step::WorkingDirectory,
            format!("cwd (\"{}\") is not an absolute path", cwd.display()),
        ));
    }
    match open_or_create(root, cwd, Kind::Directory) {
        Err(error) if error.kind() != io::ErrorKind::ReadOnlyFilesystem => Err(StartError::io(
            Step::WorkingDirectory,
            format!("mkdir {}", cwd.display()),
            &error,
        )),
        _ => Ok(()),
    }
}
