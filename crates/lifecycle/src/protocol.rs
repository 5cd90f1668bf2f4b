//! What the machine and the world say to each other: [`Input`]s go in, [`Action`]s come out.
//!
//! The caller carries out the actions in the order in which they come and reports each outcome as an
//! input. Nothing is answered within [`Machine::step`](crate::Machine::step) itself, and an input about
//! a container or instance that the machine no longer knows is ignored, so that late answers do no harm.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use manifest::core::v1::Pod;
use serde::{Deserialize, Serialize};

/// The nth run of a container, counted from 0; equals `restartCount` during that run.
pub type Instance = u32;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The time that [`Machine::next_wakeup`](crate::Machine::next_wakeup) named has come.
    Wake,
    /// Answer to [`Action::CreateSandbox`]: namespaces, addresses and volumes are there.
    SandboxReady {
        /// The Pod's addresses, the preferred one first.
        ips: Vec<IpAddr>,
    },
    /// Answer to [`Action::CreateSandbox`]: it could not be made; it will be tried again.
    SandboxFailed {
        /// Reason of the event, as `FailedCreatePodSandBox` or `FailedMount` (R11.4).
        reason: String,
        /// Message of the event.
        message: String,
    },
    /// Answer to [`Action::StopSandbox`]; unasked for, the sandbox died and all starts anew (R1.11).
    SandboxStopped,
    /// Answer to [`Action::Start`]: the process runs.
    Started {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Id with its scheme, as `pillion://4fd2...`.
        container_id: String,
        /// Digest or id of the image.
        image_id: String,
        /// The image's name as it was resolved.
        image: String,
    },
    /// Answer to [`Action::Start`]: it could not be started.
    StartFailed {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// At which step.
        failure: StartFailure,
        /// Text for people.
        message: String,
    },
    /// The process ended, by itself or not.
    Exited {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// How it ended.
        exit: Exit,
        /// Termination message as read (R15); trimmed by the machine to the Pod's share (R15.2).
        message: Option<String>,
    },
    /// Answer to [`Action::RunProbe`].
    ProbeDone {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Which of its probes.
        probe: ProbeKind,
        /// What came of it.
        outcome: ProbeOutcome,
        /// Text for the event.
        output: String,
    },
    /// Answer to [`Action::RunHook`].
    HookDone {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Which of its hooks.
        hook: HookKind,
        /// The error text when it failed.
        result: Result<(), String>,
    },
    /// An `httpGet` hook over HTTPS met a server that speaks HTTP, and succeeded that way (R7.10); before its
    /// [`Input::HookDone`].
    HookFellBack {
        /// Name of the container.
        container: String,
        /// Whom it asked, as HOST:PORT.
        server: String,
    },
    /// The Pod is to end: a deletion request.
    Delete {
        /// Seconds between SIGTERM and SIGKILL; the Pod's own value when absent (R8.1).
        grace_seconds: Option<i64>,
    },
    /// The Pod is to be gone at once: every process gets SIGKILL, hooks are cancelled. Kubernetes has no
    /// such request (R8.19 still gives 2 s); it is the second Ctrl-C of a foreground run.
    KillNow,
    /// Something that a failed start or mount may have lacked (image, ConfigMap, Secret) has changed:
    /// what waits for a retry is tried now (R11.3).
    ObjectsChanged,
    /// The Pod's spec was replaced: a changed image restarts that container (R4.8, R3.5), and
    /// `activeDeadlineSeconds` takes effect (R16.2). Containers must be the same by name and order.
    SpecChanged {
        /// The new Pod.
        pod: Arc<Pod>,
    },
}

/// How a process ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code as the shell counts it: 128 + n for signal n.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed it, or one of its processes, for want of memory (R13.9).
    pub oom_killed: bool,
}

/// The step of a start that failed; its name is the waiting reason (R11.1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StartFailure {
    /// The image could not be pulled.
    ErrImagePull,
    /// The image is not there and must not be pulled (R11.5).
    ErrImageNeverPull,
    /// The image's name cannot be parsed (R11.7).
    InvalidImageName,
    /// The image is there and cannot be read.
    ImageInspectError,
    /// A ConfigMap, Secret or key that the environment needs is missing (R11.3).
    CreateContainerConfigError,
    /// The container could not be made.
    CreateContainerError,
    /// The entrypoint is missing or cannot be executed (R11.8).
    RunContainerError,
    /// The start was given up because of [`Action::CancelStart`].
    Cancelled,
}

impl StartFailure {
    /// The waiting reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ErrImagePull => "ErrImagePull",
            Self::ErrImageNeverPull => "ErrImageNeverPull",
            Self::InvalidImageName => "InvalidImageName",
            Self::ImageInspectError => "ImageInspectError",
            Self::CreateContainerConfigError => "CreateContainerConfigError",
            Self::CreateContainerError => "CreateContainerError",
            Self::RunContainerError => "RunContainerError",
            Self::Cancelled => "ContainerCreating",
        }
    }
}

/// One of a container's probes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProbeKind {
    /// `startupProbe`
    Startup,
    /// `livenessProbe`
    Liveness,
    /// `readinessProbe`
    Readiness,
}

impl ProbeKind {
    /// All kinds.
    pub const ALL: [ProbeKind; 3] = [Self::Startup, Self::Liveness, Self::Readiness];
}

impl fmt::Display for ProbeKind {
    /// The word that begins the probe's events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        })
    }
}

/// What one attempt of a probe found (R5.13).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProbeOutcome {
    /// It succeeded.
    Success,
    /// It succeeded in a doubtful way (R6.5).
    Warning,
    /// It failed.
    Failure,
    /// It could not be carried out; the machine tries again (R5.12).
    Error,
    /// The container was ending when it was asked: that says nothing of it, and its end is on its way.
    Ended,
}

/// One of a container's hooks.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HookKind {
    /// `lifecycle.postStart`
    PostStart,
    /// `lifecycle.preStop`
    PreStop,
}

/// The signal that asks a container to end (R8.18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// The image's `STOPSIGNAL`, else SIGTERM.
    OfImage,
    /// `lifecycle.stopSignal`, as `SIGUSR1`.
    Named(String),
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make namespaces, addresses and volumes; answer [`Input::SandboxReady`] or
    /// [`Input::SandboxFailed`].
    CreateSandbox,
    /// Take them down again; answer [`Input::SandboxStopped`]. No container runs any more.
    StopSandbox,
    /// Fetch the image if need be, create and start; answer [`Input::Started`] or
    /// [`Input::StartFailed`]. At most one start is under way in a Pod.
    Start {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
    },
    /// The Pod is to end: stop pulling the image if that is what this start is doing (then answer
    /// [`StartFailure::Cancelled`]); a start that is past it goes on and is answered as ever (R7.4).
    CancelStart {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
    },
    /// Run a probe once; answer [`Input::ProbeDone`] unless the instance ends meanwhile.
    RunProbe {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Which of its probes.
        probe: ProbeKind,
        /// After this it is a failure.
        timeout: Duration,
    },
    /// Run a hook (`exec`, `httpGet`, `tcpSocket`; `sleep` is a timer in here); answer
    /// [`Input::HookDone`].
    RunHook {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Which of its hooks.
        hook: HookKind,
        /// After this it is to be given up. Absent for all hooks of Kubernetes: postStart has no limit
        /// (R7.4), and a preStop that overruns the grace lives on until its container dies (R8.4), which
        /// is when [`Action::CancelHook`] comes.
        timeout: Option<Duration>,
    },
    /// Nobody waits for this hook any more; give it up. No answer is needed.
    CancelHook {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// Which of its hooks.
        hook: HookKind,
    },
    /// Send the stop signal; [`Input::Exited`] will follow, at the latest after [`Action::Kill`].
    Stop {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
        /// The signal to send.
        signal: StopSignal,
    },
    /// Send SIGKILL to all processes of the container; [`Input::Exited`] will follow.
    Kill {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
    },
    /// The record and root file system of this dead instance are no longer needed.
    Remove {
        /// Name of the container.
        container: String,
        /// Which run of it.
        instance: Instance,
    },
    /// Tell the people.
    Emit(PodEvent),
}

/// An Event of the Pod, without time and count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodEvent {
    /// Normal or Warning.
    pub kind: EventKind,
    /// Reason, as `Unhealthy`.
    pub reason: String,
    /// Text for people.
    pub message: String,
    /// The container it is about.
    pub container: Option<String>,
}

/// Whether an event is as it should be.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// As it should be.
    Normal,
    /// Worth a look.
    Warning,
}

impl EventKind {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
