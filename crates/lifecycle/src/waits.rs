//! What each container waits for, since when, and what would end the wait (principle: every wait can
//! be explained).

use crate::Time;

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits; nobody in particular when it is the Pod.
    pub container: Option<String>,
    /// What it waits for.
    pub kind: WaitKind,
    /// Since when.
    pub since: Time,
    /// When the wait ends or the next attempt comes, where time alone decides it.
    pub until: Option<Time>,
    /// One sentence for people: what is waited for and what ends it.
    pub text: String,
}

/// What is waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum WaitKind {
    /// The sandbox: namespaces, addresses, volumes.
    Sandbox,
    /// An earlier entry of the start order.
    Predecessor,
    /// Image, creation and start of the container itself.
    Start,
    /// The container's postStart hook.
    PostStart,
    /// The container's own end (an init container).
    Exit,
    /// The startup probe.
    StartupProbe,
    /// The readiness probe.
    ReadinessProbe,
    /// The back-off before a restart.
    RestartBackOff,
    /// The back-off before the next image pull.
    ImageBackOff,
    /// The next attempt of a failed start.
    StartRetry,
    /// The preStop hook.
    PreStop,
    /// Others that must stop first.
    StopTurn,
    /// The end after the stop signal.
    Termination,
}
