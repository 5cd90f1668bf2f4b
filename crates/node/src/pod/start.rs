//! One start of a container: image, configuration, root file system, process.

mod handover;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use container::cgroup::CgroupHandle;
use container::{ContainerSpec, Process, Rootfs, Running, Stdio, Step};
use image::{Image, Reference};
use lifecycle::{Input, Instance, StartFailure, events};
use manifest::core::v1::{Container, Pod, ProcMountType, PullPolicy};
use rustix::process::Signal;
use tokio::sync::watch;

use super::cgroup::{Place, due_after};
use super::console::Console;
use super::sandbox::{Sandbox, disk_error};
use super::worker::{Report, Reports};
use super::{container_id, input_pipe, mounts, output_pipe, wait};
use crate::env;
use crate::logs::{self, Pumps, RunLog, Tap};
use crate::node::Node;
use crate::output::{LogSource, Stream};
use crate::paths::PodPaths;
use crate::process;
pub(crate) use handover::KeptContainer;

/// What a start needs.
pub(crate) struct StartRequest {
    pub(crate) node: Arc<Node>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) paths: PodPaths,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) container: Container,
    pub(crate) instance: Instance,
}

/// A container whose process has been started.
pub(crate) struct StartedContainer {
    name: String,
    instance: Instance,
    running: Running,
    process: Process,
    cgroup: CgroupHandle,
    log: Arc<RunLog>,
    pumps: Mutex<Option<Pumps>>,
    exit_code: watch::Sender<Option<i32>>,
    console: Arc<Console>,
    image_id: String,
    /// Keep the image's layers from being removed.
    layers: Vec<OwnedFd>,
    image_name: String,
    termination_log: PathBuf,
    container: Container,
    stop_signal: i32,
    shares_processes: bool,
}

impl StartedContainer {
    pub(crate) fn run(&self) -> (String, Instance) {
        (self.name.clone(), self.instance)
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Its exit code, once it has ended.
    pub(crate) fn exit_code(&self) -> watch::Receiver<Option<i32>> {
        self.exit_code.subscribe()
    }

    /// Its first process has ended.
    pub(crate) fn ended(&self, exit_code: i32) {
        self.exit_code.send_replace(Some(exit_code));
        self.console.close();
    }

    pub(crate) fn console(&self) -> &Arc<Console> {
        &self.console
    }

    /// Its output from now on; none once it has ended.
    pub(crate) fn tap(&self) -> Option<Tap> {
        let pumps = self.pumps.lock().unwrap_or_else(PoisonError::into_inner);
        pumps.as_ref().map(Pumps::subscribe)
    }

    pub(crate) fn cgroup(&self) -> &CgroupHandle {
        &self.cgroup
    }

    pub(crate) fn stop_signal(&self) -> i32 {
        self.stop_signal
    }

    pub(crate) fn termination_log(&self) -> &Path {
        &self.termination_log
    }

    pub(crate) fn container(&self) -> &Container {
        &self.container
    }

    pub(crate) fn container_id(&self) -> String {
        container_id::of(&self.name, self.instance, self.running.pid())
    }

    pub(crate) fn image_id(&self) -> String {
        self.image_id.clone()
    }

    pub(crate) fn image(&self) -> String {
        self.image_name.clone()
    }

    pub(crate) fn log(&self) -> &Arc<RunLog> {
        &self.log
    }

    pub(crate) fn take_pumps(&self) -> Option<Pumps> {
        self.pumps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether the kernel killed a process of it for want of memory (R13.9).
    pub(crate) fn oom_killed(&self) -> bool {
        self.cgroup.oom_kills().is_ok_and(|kills| kills > 0)
    }

    /// Whether its first process has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.exit_code.borrow().is_some()
    }

    /// SIGKILL to all its processes.
    pub(crate) fn kill(&self) {
        let _ = self.running.signal(Signal::KILL.as_raw());
        self.kill_rest();
    }

    /// SIGKILL to what the end of its first process leaves alive.
    pub(crate) fn kill_rest(&self) {
        if self.shares_processes {
            let _ = self.cgroup.kill();
        }
    }

    /// Removes its cgroup; gives what could not be removed.
    pub(crate) fn clear(&self) -> Option<String> {
        self.cgroup.remove().err().map(|error| error.to_string())
    }
}

/// A start that failed, for the state machine.
struct Failed {
    failure: StartFailure,
    message: String,
}

impl Failed {
    fn new(failure: StartFailure, message: impl std::fmt::Display) -> Self {
        Self {
            failure,
            message: message.to_string(),
        }
    }
}

impl From<env::ConfigError> for Failed {
    fn from(error: env::ConfigError) -> Self {
        Self::new(StartFailure::CreateContainerConfigError, error)
    }
}

/// Starts a container and reports how that went.
pub(crate) async fn start(request: StartRequest, reports: Reports) {
    let (container, instance) = (request.container.name.clone(), request.instance);
    let paths = request.paths.clone();
    let report = match started(request, &reports).await {
        Ok(started) => Report::Started(Box::new(started)),
        Err(Failed { failure, message }) => {
            logs::discard(&paths, &container, instance);
            Report::Input(Input::StartFailed {
                container,
                instance,
                failure,
                message,
            })
        }
    };
    let _ = reports.send(report);
}

async fn started(request: StartRequest, reports: &Reports) -> Result<StartedContainer, Failed> {
    let StartRequest {
        node,
        pod,
        paths,
        sandbox,
        container,
        instance,
    } = request;
    let name = container.name.clone();
    let image = image(&node, &container, reports)?;

    let context = env::Context {
        pod: &pod,
        container: &container,
        objects: node.objects(),
        facts: sandbox.facts(),
        files: env::Files {
            volumes: sandbox.volumes(),
            sandbox: Some(sandbox.inner()),
        },
    };
    let variables = env::variables(context)?;
    let security = pod.spec.security_context.as_ref();
    let mut process = process::process(
        &container,
        security,
        &image.config,
        &variables,
        sandbox.hostname(),
    )?;
    let memory = u64::try_from(node.facts().memory_bytes).unwrap_or(0);
    process.oom_score_adj = Some(lifecycle::resources::oom_score_adj(
        &pod, &container, memory,
    ));

    let created =
        |error: &dyn std::fmt::Display| Failed::new(StartFailure::CreateContainerError, error);
    let dir = paths.container(&name, instance);
    let termination_log =
        prepare_directory(&dir).map_err(|error| created(&disk_error("create", &dir, &error)))?;
    let log = LogSource {
        pod: pod.metadata.name.as_deref().unwrap_or_default().into(),
        container: name.as_str().into(),
        instance,
    };
    let log = RunLog::begin(log, &paths, node.log_rotation()).map_err(|error| created(&error))?;
    let log = Arc::new(log);
    let mounts = mounts::of(
        &pod,
        &container,
        &sandbox,
        &paths,
        &termination_log,
        &variables,
    )?;
    let Place { cgroup, helper } = sandbox
        .cgroup()
        .take(&node, &container, instance)
        .map_err(|error| created(&error))?;

    let own = container.security_context.as_ref();
    let spec = ContainerSpec {
        id: format!("{name}-{instance}"),
        rootfs: Rootfs::Overlay {
            lower: image.layers.iter().rev().cloned().collect(),
            upper: dir.join("upper"),
            work: dir.join("work"),
        },
        read_only_root: own.and_then(|own| own.read_only_root_filesystem) == Some(true),
        process: process.clone(),
        privileged: own.and_then(|own| own.privileged) == Some(true),
        proc_mount: match own.and_then(|own| own.proc_mount) {
            Some(ProcMountType::Unmasked) => container::ProcMount::Unmasked,
            _ => container::ProcMount::Default,
        },
        mounts,
        cgroup: Some(cgroup.clone()).filter(|cgroup| !cgroup.is_empty()),
    };
    let _ = reports.send(Report::Event(events::created(&name)));

    let pipes = || -> std::io::Result<_> { Ok((output_pipe()?, output_pipe()?)) };
    let ((out, out_theirs), (err, err_theirs)) = pipes().map_err(|error| created(&error))?;
    // Standard input that was asked for stays open for those who attach. On a terminal it is the terminal.
    let (stdin, our_stdin) = match container.stdin {
        Some(true) if !process.tty => {
            let (theirs, ours) = input_pipe().map_err(|error| created(&error))?;
            (Some(theirs), Some(ours))
        }
        _ => (None, None),
    };
    let stdio = Stdio {
        stdin,
        stdout: out_theirs,
        stderr: err_theirs,
    };
    let starting = helper
        .start(sandbox.inner(), &spec, stdio)
        .map_err(|error| start_failed(&error))?;
    if instance == 0
        && let Some(next) = due_after(&pod, Some(&name))
    {
        sandbox.cgroup().send_ahead(&node, next);
    }
    let running = wait::started(starting).await;
    let mut running = match running {
        Ok(running) => running,
        Err(error) => {
            let _ = cgroup.remove();
            return Err(start_failed(&error));
        }
    };
    running
        .notes()
        .iter()
        .for_each(|note| node.output().note(note.clone()));
    let terminal = running.take_terminal();
    let connect = || -> std::io::Result<_> {
        let streams = match &terminal {
            Some(terminal) => {
                rustix::io::ioctl_fionbio(terminal, true)?;
                vec![(Stream::Stdout, terminal.try_clone()?)]
            }
            None => vec![(Stream::Stdout, out), (Stream::Stderr, err)],
        };
        let console = Console::new(our_stdin, terminal, &container)?;
        Ok((
            Pumps::start(node.output(), Arc::clone(&log), streams)?,
            console,
        ))
    };
    let layers = image.locks().map(|lock| lock.try_clone_to_owned());
    let connected = connect().and_then(|(pumps, console)| {
        let layers: Vec<OwnedFd> = layers.collect::<Result<_, _>>()?;
        Ok((pumps, console, layers))
    });
    let (pumps, console, layers) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            // It runs, and nobody would ever hear of it.
            let _ = running.signal(Signal::KILL.as_raw());
            let _ = wait::exited(&running).await;
            let _ = cgroup.remove();
            return Err(created(&error));
        }
    };
    let image_signal = image
        .config
        .stop_signal
        .as_deref()
        .map_or(Signal::TERM.as_raw(), signal_number);
    Ok(StartedContainer {
        image_id: image.id.to_string(),
        image_name: image
            .reference
            .as_ref()
            .map_or_else(|| image.id.to_string(), ToString::to_string),
        name,
        instance,
        running,
        process,
        cgroup,
        log,
        pumps: Mutex::new(Some(pumps)),
        exit_code: watch::Sender::new(None),
        console,
        layers,
        termination_log,
        container,
        stop_signal: image_signal,
        shares_processes: pod.spec.host_pid == Some(true)
            || pod.spec.share_process_namespace == Some(true),
    })
}

/// The container's image; there are no registries yet, so what is not here cannot be had.
fn image(node: &Node, container: &Container, reports: &Reports) -> Result<Image, Failed> {
    let name = container.image.as_deref().unwrap_or_default();
    let failed = |error: &dyn std::fmt::Display| {
        Failed::new(
            StartFailure::InvalidImageName,
            format!("Failed to apply default image tag \"{name}\": {error}"),
        )
    };
    let reference = Reference::parse(name).map_err(|error| failed(&error))?;
    let found = node
        .image(&reference)
        .map_err(|error| Failed::new(StartFailure::ImageInspectError, error))?;
    let policy = node.pull_policy(container.image_pull_policy);
    let Some(image) = found else {
        return Err(match policy {
            PullPolicy::Never => Failed::new(
                StartFailure::ErrImageNeverPull,
                format!("Container image \"{name}\" is not present with pull policy of Never"),
            ),
            _ => Failed::new(
                StartFailure::ErrImagePull,
                format!(
                    "image {reference} is not on this machine, and this version cannot pull: bring it with \
                     `pillion image load` (an archive of docker save or podman save) or `pillion image import`"
                ),
            ),
        });
    };
    let _ = reports.send(Report::Event(events::already_present(
        &container.name,
        name,
    )));
    Ok(image)
}

/// Makes the directories of a run and its termination message file (R15.1).
fn prepare_directory(dir: &Path) -> std::io::Result<PathBuf> {
    for name in ["upper", "work"] {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(dir.join(name))?;
    }
    let log = dir.join("termination-log");
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o666)
        .open(&log)?;
    // Whatever the umask: a container that does not run as root writes it too.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(log)
}

/// Which of Kubernetes' reasons a failed start has: what is about the program itself is `RunContainerError`
/// (R11.8), the rest is about making the container.
fn start_failed(error: &container::StartError) -> Failed {
    match error.step {
        Step::Exec | Step::WorkingDirectory => Failed::new(StartFailure::RunContainerError, error),
        _ => Failed::new(StartFailure::CreateContainerError, error),
    }
}

/// The number of `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`; SIGTERM for what is none of these.
pub(crate) fn signal_number(name: &str) -> i32 {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    const REAL_TIME: i32 = 34;
    if let Ok(number) = name.parse() {
        return number;
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(rest) = short.strip_prefix("RTMIN") {
        return REAL_TIME
            + rest
                .strip_prefix('+')
                .and_then(|n| n.parse::<i32>().ok())
                .unwrap_or(0);
    }
    match NAMES.iter().position(|known| *known == short) {
        Some(at) => i32::try_from(at).unwrap_or(14) + 1,
        None => Signal::TERM.as_raw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_by_name_and_number() {
        for (name, number) in [
            ("SIGTERM", 15),
            ("QUIT", 3),
            ("sigusr1", 10),
            ("9", 9),
            ("SIGRTMIN+3", 37),
            ("SIGRTMIN", 34),
            ("SIGSYS", 31),
            ("NONSENSE", 15),
        ] {
            assert_eq!(signal_number(name), number, "{name}");
        }
    }
}
