//! Starts helpers and hands them their jobs.
//!
//! The helper is this program again (`/proc/self/exe`), started with `posix_spawn`, so the threaded runner never forks. All
//! that takes time happens there: the calls here return at once, and the answer is awaited by polling a descriptor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use crate::cgroup::CgroupHandle;
use crate::error::{At, KILLED, StartError, Step};
use crate::helper::HELPER_NAME;
use crate::running::Running;
use crate::sandbox::Sandbox;
use crate::spec::{ContainerSpec, MountSource, PidMode, Process, SandboxSpec, Stdio};
use crate::wire::{
    ExecJob, Hello, Job, Namespaces, Reply, SandboxJob, StartJob, WireMount, WireSource, pair,
    receive, send, send_job,
};

/// Starts sandboxes, containers and execs.
///
/// # Caveats
/// Everything started is a child of the calling process and is killed by the kernel when the **thread** that called dies
/// (`PR_SET_PDEATHSIG`): use it from the main thread, or one that lives as long. The program's `main` must call
/// [`helper_main`](crate::helper_main) first.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
    descriptors: Option<u64>,
}

impl Launcher {
    /// Helpers are this program itself.
    ///
    /// # Errors
    /// [`Step::Launch`] without `/proc`.
    pub fn new() -> Result<Self, StartError> {
        let program = PathBuf::from("/proc/self/exe");
        std::fs::symlink_metadata(&program)
            .at(Step::Launch, || "look at /proc/self/exe, is /proc mounted")?;
        Ok(Self::with_program(program))
    }

    /// Helpers are another program, whose `main` calls [`helper_main`](crate::helper_main) first.
    #[must_use]
    pub fn with_program(program: PathBuf) -> Self {
        Self {
            program,
            descriptors: None,
        }
    }

    /// Lets containers open so many descriptors (`RLIMIT_NOFILE`, which they may raise), for a runner that has raised its
    /// own limit. Without it they have the runner's.
    #[must_use]
    pub fn with_descriptor_limit(mut self, descriptors: Option<u64>) -> Self {
        self.descriptors = descriptors;
        self
    }

    /// Starts creating the Pod's namespaces.
    ///
    /// # Errors
    /// [`Step::Launch`] when no helper can be started.
    pub fn create_sandbox(&self, spec: &SandboxSpec) -> Result<StartingSandbox, StartError> {
        let helper = self.prepare(None)?;
        let job = Job::Sandbox(SandboxJob {
            hostname: spec.hostname.clone(),
            host_network: spec.host_network,
            host_ipc: spec.host_ipc,
            pid: spec.pid,
            sysctls: spec.sysctls.clone(),
            tmpfs: spec.tmpfs.clone(),
        });
        let pending = helper.give(&job, &[])?;
        Ok(StartingSandbox {
            pending,
            spec: spec.clone(),
        })
    }

    /// Starts a helper that enters `cgroup` and waits for [`Prepared::start`].
    ///
    /// On cgroup v1 entering a cgroup costs a grace period of the kernel's RCU, 5 to 12 ms; done while the sandbox or an
    /// earlier container starts, it costs nothing.
    ///
    /// # Errors
    /// [`Step::Launch`] when no helper can be started.
    pub fn prepare(&self, cgroup: Option<&CgroupHandle>) -> Result<Prepared, StartError> {
        let (ours, theirs) = pair().at(Step::Launch, || "create a socket for the helper")?;
        let helper = Command::new(&self.program)
            .arg0(HELPER_NAME)
            .env_clear()
            .stdin(theirs)
            .stdout(std::process::Stdio::null())
            .spawn()
            .at(Step::Launch, || {
                format!("start the helper {}", self.program.display())
            })?;
        let prepared = Prepared {
            link: Link {
                socket: ours,
                helper: Some(helper),
            },
            has_cgroup: cgroup.is_some(),
        };
        let hello = Hello {
            cgroup: cgroup.cloned(),
            descriptors: self.descriptors,
        };
        send(prepared.link.socket.as_fd(), &hello, &[]).at(Step::Launch, || "greet the helper")?;
        Ok(prepared)
    }

    /// Starts a container in `sandbox`: [`Launcher::prepare`] and [`Prepared::start`] in one.
    ///
    /// # Errors
    /// [`Step::Launch`] when no helper can be started; [`Step::Mount`] for a mount of a tmpfs the sandbox does not have.
    pub fn start(
        &self,
        sandbox: &Sandbox,
        spec: &ContainerSpec,
        stdio: Stdio,
    ) -> Result<Starting, StartError> {
        self.prepare(spec.cgroup.as_ref())?
            .start(sandbox, spec, stdio)
    }

    /// Starts a process in the namespaces and the cgroup of `container`.
    ///
    /// # Errors
    /// [`Step::Launch`] when no helper can be started.
    pub fn exec(
        &self,
        container: &Running,
        process: &Process,
        stdio: Stdio,
    ) -> Result<Starting, StartError> {
        let helper = self.prepare(container.cgroup())?;
        let mut fds = Fds::default();
        let job = ExecJob {
            container: fds.add(container.as_fd()),
            stdio: fds.add_stdio(&stdio),
            process: process.clone(),
            privileged: container.privileged(),
            cgroup: container.cgroup().cloned(),
        };
        let pending = helper.give(&Job::Exec(Box::new(job)), &fds.0)?;
        Ok(Starting {
            pending: Some(pending),
            cgroup: container.cgroup().cloned(),
            owns_cgroup: false,
            privileged: container.privileged(),
        })
    }
}

/// A helper that waits for its container. Dropping it ends the helper.
#[derive(Debug)]
pub struct Prepared {
    link: Link,
    has_cgroup: bool,
}

impl Prepared {
    /// Starts `spec` in `sandbox`. `spec.cgroup` must be what the helper was prepared with.
    ///
    /// # Errors
    /// [`Step::Launch`] when the helper is gone; [`Step::Mount`] for a mount of a tmpfs the sandbox does not have.
    pub fn start(
        self,
        sandbox: &Sandbox,
        spec: &ContainerSpec,
        stdio: Stdio,
    ) -> Result<Starting, StartError> {
        if spec.cgroup.is_some() && !self.has_cgroup {
            return Err(StartError::new(
                Step::Cgroup,
                "the helper was prepared without the cgroup",
            ));
        }
        let mut fds = Fds::default();
        let mounts = wire_mounts(spec, sandbox, &mut fds)?;
        let shared = sandbox.pid_mode() == PidMode::Shared;
        let job = StartJob {
            id: spec.id.clone(),
            namespaces: Namespaces {
                network: sandbox.network_namespace().map(|fd| fds.add(fd)),
                uts: sandbox.uts_namespace().map(|fd| fds.add(fd)),
                ipc: sandbox.ipc_namespace().map(|fd| fds.add(fd)),
                mount: fds.add(sandbox.mount_namespace()),
                pause: sandbox
                    .pause_process()
                    .filter(|_| shared)
                    .map(|fd| fds.add(fd)),
            },
            pid: sandbox.pid_mode(),
            host_ipc: sandbox.ipc_namespace().is_none(),
            stdio: fds.add_stdio(&stdio),
            rootfs: spec.rootfs.clone(),
            read_only_root: spec.read_only_root,
            process: spec.process.clone(),
            privileged: spec.privileged,
            proc_mount: spec.proc_mount,
            mounts,
            cgroup: spec.cgroup.clone(),
        };
        let pending = self.give(&Job::Start(Box::new(job)), &fds.0)?;
        Ok(Starting {
            pending: Some(pending),
            cgroup: spec.cgroup.clone(),
            owns_cgroup: true,
            privileged: spec.privileged,
        })
    }

    fn give(self, job: &Job, fds: &[BorrowedFd<'_>]) -> Result<Link, StartError> {
        send_job(self.link.socket.as_fd(), job, fds)
            .at(Step::Launch, || "hand the helper its job")?;
        Ok(self.link)
    }
}

fn wire_mounts<'fd>(
    spec: &'fd ContainerSpec,
    sandbox: &Sandbox,
    fds: &mut Fds<'fd>,
) -> Result<Vec<WireMount>, StartError> {
    let mut mounts = Vec::with_capacity(spec.mounts.len());
    for mount in &spec.mounts {
        let (source, sub_path) = match &mount.source {
            MountSource::Path { path, sub_path } => (WireSource::Path(path.clone()), sub_path),
            MountSource::PodTmpfs { name, sub_path } => {
                let index = sandbox.tmpfs_index(name).ok_or_else(|| {
                    StartError::new(
                        Step::Mount,
                        format!(
                            "mount {}: the Pod has no tmpfs `{name}`",
                            mount.target.display()
                        ),
                    )
                })?;
                (WireSource::PodTmpfs(index), sub_path)
            }
            MountSource::Fd { fd, sub_path } => (WireSource::Fd(fds.add(fd.as_fd())), sub_path),
        };
        mounts.push(WireMount {
            source,
            sub_path: sub_path.clone(),
            target: mount.target.clone(),
            read_only: mount.read_only,
            recursive_read_only: mount.recursive_read_only,
            propagation: mount.propagation,
        });
    }
    // As containerd: a mount beneath another must come after it, whatever order they were written in.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

/// Descriptors of a job, in the order of the packet.
#[derive(Default)]
struct Fds<'fd>(Vec<BorrowedFd<'fd>>);

impl<'fd> Fds<'fd> {
    fn add(&mut self, fd: BorrowedFd<'fd>) -> usize {
        self.0.push(fd);
        self.0.len() - 1
    }

    fn add_stdio(&mut self, stdio: &'fd Stdio) -> [Option<usize>; 3] {
        [
            stdio.stdin.as_ref().map(|fd| self.add(fd.as_fd())),
            Some(self.add(stdio.stdout.as_fd())),
            Some(self.add(stdio.stderr.as_fd())),
        ]
    }
}

/// The runner's end of a helper.
#[derive(Debug)]
struct Link {
    socket: OwnedFd,
    helper: Option<Child>,
}

impl Link {
    /// Waits for the answer and for the end of the helper.
    fn answer(&mut self) -> Result<(Reply, Vec<OwnedFd>), StartError> {
        let answer = receive::<Reply>(self.socket.as_fd());
        let status = self.helper.take().map(|mut helper| helper.wait());
        match answer.at(Step::Launch, || "read the helper's answer")? {
            Some(answer) => Ok(answer),
            None => {
                let killed = matches!(&status, Some(Ok(status)) if status.code().is_none());
                let how = match status {
                    Some(Ok(status)) => status.to_string(),
                    Some(Err(error)) => error.to_string(),
                    None => "it was asked before".to_owned(),
                };
                let error =
                    StartError::new(Step::Launch, format!("the helper gave no answer: {how}"));
                Err(match killed {
                    true => error,
                    false => error.with_hint("main() must call container::helper_main first"),
                })
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(mut helper) = self.helper.take() {
            // Without this a helper that waits for its job would be left as a zombie when it sees our end close.
            let _ = helper.kill();
            let _ = helper.wait();
        }
    }
}

/// A sandbox on its way. Poll it for reading, then call [`StartingSandbox::finish`].
#[derive(Debug)]
pub struct StartingSandbox {
    pending: Link,
    spec: SandboxSpec,
}

impl AsFd for StartingSandbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pending.socket.as_fd()
    }
}

impl StartingSandbox {
    /// The sandbox. Blocks when called before the descriptor is readable.
    ///
    /// # Errors
    /// The step that failed; nothing is left of the sandbox then.
    pub fn finish(mut self) -> Result<Sandbox, StartError> {
        match self.pending.answer()? {
            (Reply::Sandbox { pause, notes }, fds) => {
                Sandbox::from_reply(&self.spec, pause, notes, fds)
            }
            (Reply::Failed(error), _) => Err(error),
            (other, _) => Err(unexpected(&other)),
        }
    }
}

/// A container or exec on its way. Poll it for reading, then call [`Starting::finish`]. Dropped before that, what was
/// started is killed and reaped, which may block for the milliseconds a start takes.
#[derive(Debug)]
pub struct Starting {
    /// Taken when finished.
    pending: Option<Link>,
    cgroup: Option<CgroupHandle>,
    /// Whether nothing else can be in the cgroup: a container's start, not an exec.
    owns_cgroup: bool,
    privileged: bool,
}

impl AsFd for Starting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        #[expect(
            clippy::expect_used,
            reason = "only `finish`, which consumes self, and `drop` take it"
        )]
        self.pending.as_ref().expect("not finished").socket.as_fd()
    }
}

impl Starting {
    /// The running process: its program has been started. Blocks when called before the descriptor is readable.
    ///
    /// # Errors
    /// The step that failed; nothing is left of the process then.
    pub fn finish(mut self) -> Result<Running, StartError> {
        self.answer().unwrap_or_else(|| {
            Err(StartError::new(
                Step::Launch,
                "the start was finished before",
            ))
        })
    }

    fn answer(&mut self) -> Option<Result<Running, StartError>> {
        let mut link = self.pending.take()?;
        let answer = link.answer();
        if answer.is_err()
            && self.owns_cgroup
            && let Some(cgroup) = &self.cgroup
        {
            // A helper that was killed cannot say whether its container was born, but it was born in here.
            let _ = cgroup.kill();
        }
        Some(answer.and_then(|(reply, fds)| {
            let mut fds = fds.into_iter();
            match reply {
                Reply::Started { pid, notes } => {
                    let pidfd = fds
                        .next()
                        .ok_or_else(|| StartError::new(Step::Launch, "the helper sent no pidfd"))?;
                    Ok(Running::new(
                        pid,
                        pidfd,
                        fds.next(),
                        self.cgroup.clone(),
                        self.privileged,
                        notes,
                    ))
                }
                Reply::Failed(error) => {
                    if let Some(pidfd) = fds.next() {
                        // It has exited or is about to; its exit is ours to collect.
                        Running::new(0, pidfd, None, None, false, Vec::new()).kill_and_reap();
                    }
                    let limited = || {
                        self.cgroup
                            .as_ref()
                            .is_some_and(CgroupHandle::limits_memory)
                    };
                    Err(match error.message == KILLED && limited() {
                        true => error.with_hint("its memory limit may be too low for any process"),
                        false => error,
                    })
                }
                other => Err(unexpected(&other)),
            }
        }))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(Ok(running)) = self.answer() {
            running.kill_and_reap();
        }
    }
}

fn unexpected(reply: &Reply) -> StartError {
    StartError::new(
        Step::Launch,
        format!("unexpected answer of the helper: {reply:?}"),
    )
}
