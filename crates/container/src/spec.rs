//! What to run: the Pod's sandbox, a container in it, a process in that.
//!
//! Plain data, in Kubernetes' and OCI's words. Nothing here is checked against the system; `Launcher` and the helper do
//! that, and name the step that failed.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cgroup::CgroupHandle;

/// What the containers of one Pod share.
#[derive(Debug, Clone, Default)]
pub struct SandboxSpec {
    /// Kernel host name in the Pod's UTS namespace, at most 64 bytes; `None` keeps the machine's. Not used with
    /// `host_network`, where the Pod has the machine's UTS namespace (R17.4).
    pub hostname: Option<String>,
    /// Use the machine's network and UTS namespaces.
    pub host_network: bool,
    /// Use the machine's IPC namespace and `/dev/shm`.
    pub host_ipc: bool,
    /// Who sees whose processes.
    pub pid: PidMode,
    /// `(name, value)` such as `("net.ipv4.ip_unprivileged_port_start", "0")`; only namespaced ones (`net.*`, and the
    /// IPC ones under `kernel.` and `fs.mqueue.`) make sense, the caller has validated that.
    pub sysctls: Vec<(String, String)>,
    /// File systems in memory that containers mount by name.
    pub tmpfs: Vec<PodTmpfs>,
}

/// PID namespaces of a Pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PidMode {
    /// Each container has its own; its entrypoint is PID 1.
    #[default]
    PerContainer,
    /// One for the Pod (`shareProcessNamespace`); a pause process is PID 1.
    Shared,
    /// The machine's (`hostPID`).
    Host,
}

/// A tmpfs of the Pod: a Secret volume, or an emptyDir with `medium: Memory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodTmpfs {
    /// How mounts refer to it.
    pub name: String,
    /// Bytes it can hold; `None` is the kernel's default, half of the memory.
    pub size_bytes: Option<u64>,
    /// Permission bits of its root, such as `0o777`.
    pub mode: u32,
}

/// One container.
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// Unique among the Pod's instances; used in messages only.
    pub id: String,
    /// The root file system.
    pub rootfs: Rootfs,
    /// `readOnlyRootFilesystem`.
    pub read_only_root: bool,
    /// What runs in it.
    pub process: Process,
    /// All devices, all capabilities, nothing masked, no seccomp filter.
    pub privileged: bool,
    /// `procMount`.
    pub proc_mount: ProcMount,
    /// Mounts over the root file system and over the standard ones (`/proc`, `/sys`, `/dev`, `/dev/shm`). Sorted by the
    /// depth of their target, equal depths in the order given.
    pub mounts: Vec<Mount>,
    /// The cgroup it runs in from its first instruction on; `None` leaves it in the runner's.
    pub cgroup: Option<CgroupHandle>,
}

/// Where the root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rootfs {
    /// An overlayfs of image layers. `upper` and `work` are empty directories of one file system.
    Overlay {
        /// Layers, **uppermost first**, as overlayfs' `lowerdir`.
        lower: Vec<PathBuf>,
        /// Takes what the container writes.
        upper: PathBuf,
        /// Used by overlayfs.
        work: PathBuf,
    },
    /// A directory, used as it is.
    Directory(PathBuf),
}

/// `procMount` of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcMount {
    /// containerd's masked and read-only paths.
    #[default]
    Default,
    /// Neither.
    Unmasked,
}

/// A mount in a container.
#[derive(Debug, Clone)]
pub struct Mount {
    /// What appears.
    pub source: MountSource,
    /// Where, as a path inside the container. Symbolic links in it are followed inside the root file system only; what is
    /// missing is created, a directory or a file as the source is.
    pub target: PathBuf,
    /// Not writable through this mount.
    pub read_only: bool,
    /// Neither are mounts beneath it (`recursiveReadOnly: Enabled`; needs Linux 5.12).
    pub recursive_read_only: bool,
    /// How mounts made later travel.
    pub propagation: MountPropagation,
}

impl Mount {
    /// A writable mount without propagation.
    #[must_use]
    pub fn new(source: MountSource, target: impl Into<PathBuf>) -> Self {
        Self {
            source,
            target: target.into(),
            read_only: false,
            recursive_read_only: false,
            propagation: MountPropagation::None,
        }
    }

    /// The same, read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// What a mount shows. A `sub_path` is resolved beneath the volume and can never lead out of it; when it does not exist it
/// is created as a directory with the volume's permission bits.
#[derive(Debug, Clone)]
pub enum MountSource {
    /// A file or directory of the machine.
    Path {
        /// Absolute path; links in it are followed, as for `hostPath`.
        path: PathBuf,
        /// Relative path beneath it.
        sub_path: Option<PathBuf>,
    },
    /// A file system of [`SandboxSpec::tmpfs`].
    PodTmpfs {
        /// Its name.
        name: String,
        /// Relative path beneath it.
        sub_path: Option<PathBuf>,
    },
    /// An open file or directory (`O_PATH` suffices) on a mount of the machine.
    Fd {
        /// The descriptor.
        fd: Arc<OwnedFd>,
        /// Relative path beneath it.
        sub_path: Option<PathBuf>,
    },
}

impl MountSource {
    /// A file or directory of the machine.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self::Path {
            path: path.into(),
            sub_path: None,
        }
    }

    /// A file system of the Pod in memory.
    #[must_use]
    pub fn tmpfs(name: impl Into<String>) -> Self {
        Self::PodTmpfs {
            name: name.into(),
            sub_path: None,
        }
    }
}

/// `mountPropagation`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountPropagation {
    /// `rprivate`.
    #[default]
    None,
    /// `rslave`: mounts of the machine appear in the container. The source must be on a shared or slave mount.
    HostToContainer,
    /// `rshared`: also the other way. The source must be on a shared mount.
    Bidirectional,
}

/// A program and the conditions it runs under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Process {
    /// Program and arguments; a program without `/` is looked up in the container's `PATH`.
    pub args: Vec<String>,
    /// The whole environment; the last of equal names counts. `PATH` and `HOME` are added when missing.
    pub env: Vec<(String, String)>,
    /// Working directory; created when missing, for a container (not for exec).
    pub cwd: PathBuf,
    /// Who it runs as.
    pub user: UserSpec,
    /// Changes to containerd's default capability set.
    pub capabilities: CapabilitySpec,
    /// `allowPrivilegeEscalation: false`.
    pub no_new_privileges: bool,
    /// System call filter.
    pub seccomp: SeccompProfile,
    /// `/proc/self/oom_score_adj`, -1000 to 1000. Lowering it needs CAP_SYS_RESOURCE; a refusal is a note.
    pub oom_score_adj: Option<i32>,
    /// Standard streams on a terminal of the container; the caller gets its other end.
    pub tty: bool,
    /// Rows and columns of that terminal from the first moment on; for exec.
    pub terminal_size: Option<(u16, u16)>,
}

impl Process {
    /// `args` as root in `/` with containerd's defaults.
    #[must_use]
    pub fn new<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: PathBuf::from("/"),
            user: UserSpec::default(),
            capabilities: CapabilitySpec::default(),
            no_new_privileges: false,
            seccomp: SeccompProfile::default(),
            oom_score_adj: None,
            tty: false,
            terminal_size: None,
        }
    }
}

/// Who a process runs as. Names are looked up in the container's own `/etc/passwd` and `/etc/group`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSpec {
    /// The image's `User`: empty, `user`, `1000`, `user:group`, `1000:1000`. Not used with `run_as_user`.
    pub image_user: String,
    /// `runAsUser`.
    pub run_as_user: Option<u32>,
    /// `runAsGroup`.
    pub run_as_group: Option<u32>,
    /// `supplementalGroups` and `fsGroup`.
    pub supplemental_groups: Vec<u32>,
    /// Whether the groups `/etc/group` gives the user are added.
    pub supplemental_groups_policy: SupplementalGroupsPolicy,
}

/// `supplementalGroupsPolicy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupplementalGroupsPolicy {
    /// Add them.
    #[default]
    Merge,
    /// Only what the Pod names.
    Strict,
}

/// Changes to the default capabilities; names with or without `CAP_`, any case, or `ALL`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilitySpec {
    /// Added; wins over `ALL` in `drop`.
    pub add: Vec<String>,
    /// Dropped; wins over `ALL` in `add`.
    pub drop: Vec<String>,
}

/// System call filter of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeccompProfile {
    /// containerd's default profile.
    #[default]
    RuntimeDefault,
    /// None.
    Unconfined,
}

/// Standard streams of a process.
#[derive(Debug)]
pub struct Stdio {
    /// `None` reads nothing (`/dev/null`).
    pub stdin: Option<OwnedFd>,
    /// Where output goes.
    pub stdout: OwnedFd,
    /// Where errors go.
    pub stderr: OwnedFd,
}
