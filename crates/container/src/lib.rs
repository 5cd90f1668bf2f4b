//! One container on Linux: namespaces, mounts, cgroups v1, hybrid and v2, seccomp, exec, stdio.
//!
//! ```text
//! runner (threads, tokio)                 helper: this program again, one thread
//!   Launcher::start --posix_spawn------->  enter the cgroup (v1)
//!            --job: memfd + descriptors->  open sources, join the Pod's namespaces
//!                                          clone3(CLONE_PARENT) ----> container: mounts, pivot_root, user, exec
//!   Starting is readable <-pid + pidfd--   exit                       (a child of the runner)
//! ```
//!
//! The runner never forks: a copy of a threaded process may only make a few async-signal-safe calls, and building a
//! container takes far more. The helper is started with `posix_spawn`, has one thread, and leaves when its container runs.
//! The container is the runner's own child, so its exit comes through a pidfd, and `PR_SET_PDEATHSIG` ties its life to the
//! runner's. Namespaces and file systems in memory are held by descriptors only; a runner that is killed leaves cgroup
//! directories and the files of its volumes, nothing else.
//!
//! Why not libcontainer: its seccomp needs a C library, which a static musl program cannot have, and it clones without exec
//! from the calling process. Measured here (2 cores, Linux 6.18, `benches/start.rs`, the same busybox root): 1.7 ms until the
//! program runs and 2.5 ms until it has ended, where `runc run` takes 21 ms. A cold join of a v1 cgroup adds 6 to 11 ms to
//! either, unless the helper was [prepared](Launcher::prepare).
//!
//! Not here: images, volumes, networks beyond the loopback interface, the order of things.
//!
//! # Limits
//! - Programs of another architecture's ABI (32-bit on x86_64) are ended by the default seccomp filter.
//! - A set-user-id entrypoint clears `PR_SET_PDEATHSIG`; with its own PID namespace it outlives a killed runner, and
//!   [`cgroup::Cgroups::pods`] finds it.
//! - A privileged container (or one with SYS_PTRACE) in which an exec starts can reach the helper's program file while it
//!   joins; such a container can reach the machine's files anyway.
//! - On v1 the helper is itself in the container's cgroup until the program runs: a `pids` limit of 1 is too low to start.
//! - With `hostPID` only a container's first process is tied to the runner's life; `CgroupHandle::kill` ends the rest.

mod capability;
pub mod cgroup;
mod error;
mod helper;
mod launcher;
mod running;
mod sandbox;
mod seccomp;
mod spec;
mod wire;

pub use error::{StartError, Step};
pub use helper::helper_main;
pub use launcher::{Launcher, Prepared, Starting, StartingSandbox};
pub use running::{ExitStatus, KeptRunning, Running};
pub use sandbox::{KeptSandbox, Sandbox};
pub use spec::{
    CapabilitySpec, ContainerSpec, Mount, MountPropagation, MountSource, PidMode, PodTmpfs,
    ProcMount, Process, Rootfs, SandboxSpec, SeccompProfile, Stdio, SupplementalGroupsPolicy,
    UserSpec,
};
