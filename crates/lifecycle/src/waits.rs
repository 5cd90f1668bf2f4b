//! What the Pod and each of its containers wait for, since when, what ends it, and when the next attempt comes
//! (principle: every wait can be explained).
//!
//! Kubernetes has no place for most of this, and statuses stay as the kubelet writes them; so it is an object of its
//! own, [`PodWaits`].

use manifest::meta::v1::{MicroTime, ObjectMeta};
use serde::{Deserialize, Serialize};

use crate::container::Role;
use crate::machine::{Machine, Stage};
use crate::sandbox::SandboxState;
use crate::sync::Step;
use crate::{Time, restart};

mod container;

/// What a Pod waits for at a moment: what `GET /apis/pillion.dev/v1/namespaces/NAMESPACE/pods/NAME/waits` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodWaits {
    /// `pillion.dev/v1`
    pub api_version: String,
    /// `PodWaits`
    pub kind: String,
    /// Name, namespace and uid of the Pod; its `resourceVersion` counts the changes of what follows.
    pub metadata: ObjectMeta,
    /// The waits: of the Pod as a whole, then of containers in the order of the spec.
    pub waits: Vec<Wait>,
}

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Who waits; nobody in particular when it is the Pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What it waits for.
    #[serde(rename = "reason")]
    pub kind: WaitKind,
    /// Since when.
    #[serde(with = "moment")]
    pub since: Time,
    /// For people: what is waited for and what ends it, to be read after "waits for".
    #[serde(rename = "message")]
    pub text: String,
    /// What time alone will bring, the next first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Next>,
}

/// Something that comes at a known time unless the wait ends before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// When.
    #[serde(rename = "time", with = "moment")]
    pub at: Time,
    /// What: `next run`, `SIGKILL`.
    pub what: String,
    /// Whether it may come later than that (`true`: this is the least), or earlier (`false`: the latest); absent where it
    /// comes then.
    #[serde(rename = "atLeast", default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<bool>,
}

/// What is waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WaitKind {
    /// The sandbox: namespaces, addresses, volumes.
    Sandbox,
    /// `activeDeadlineSeconds` (R16.1).
    Deadline,
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
    /// A liveness probe that has failed, and not often enough to count.
    LivenessProbe,
    /// The back-off before a restart.
    RestartBackOff,
    /// The back-off before the next image pull.
    ImageBackOff,
    /// The next attempt of a failed start.
    StartRetry,
    /// The restart of all containers (R20.7).
    RestartAll,
    /// The preStop hook.
    PreStop,
    /// Others that must stop first.
    StopTurn,
    /// The end after the stop signal.
    Termination,
}

impl Wait {
    /// When the wait ends or the next attempt comes, where time alone decides it.
    #[must_use]
    pub fn until(&self) -> Option<Time> {
        let mut certain = self.next.iter().filter(|next| next.at_least.is_none());
        certain.next().map(|next| next.at)
    }
}

impl WaitKind {
    /// Whether the container is only held up by another one, which waits itself or runs.
    #[must_use]
    pub const fn is_held_up(self) -> bool {
        matches!(self, Self::Predecessor | Self::StopTurn)
    }
}

/// Times as the API writes them.
mod moment {
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, MicroTime, Serialize, Time};

    pub(super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        MicroTime(time.to_timestamp()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        MicroTime::deserialize(from).map(|time| Time::from(time.0))
    }
}

impl PodWaits {
    /// What this Pod waits for, of which nothing is known yet.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Self {
        Self {
            api_version: "pillion.dev/v1".to_owned(),
            kind: "PodWaits".to_owned(),
            metadata: ObjectMeta {
                name: metadata.name.clone(),
                namespace: metadata.namespace.clone(),
                uid: metadata.uid.clone(),
                resource_version: Some("0".to_owned()),
                ..ObjectMeta::default()
            },
            waits: Vec::new(),
        }
    }

    /// The number of changes before.
    #[must_use]
    pub fn version(&self) -> u64 {
        let version = self.metadata.resource_version.as_deref();
        version
            .and_then(|version| version.parse().ok())
            .unwrap_or(0)
    }
}

impl Machine {
    /// What the Pod and each of its containers wait for now, in the order of the spec.
    #[must_use]
    pub fn waits(&self, now: Time) -> Vec<Wait> {
        if self.is_finished() {
            return Vec::new();
        }
        let mut waits: Vec<Wait> = self.sandbox_wait().into_iter().collect();
        waits.extend(self.deadline_wait());
        for i in 0..self.containers.len() {
            for mut found in self.container_waits(i, now) {
                found.container = Some(self.containers[i].spec.name.clone());
                found.next.sort_by_key(|next| next.at);
                waits.push(found);
            }
        }
        waits
    }

    fn sandbox_wait(&self) -> Option<Wait> {
        let sandbox = &self.sandbox;
        let text = match sandbox.state {
            SandboxState::Creating => "its network and volumes, which are being made".to_owned(),
            SandboxState::Stopping => "its network and volumes to be cleared away".to_owned(),
            SandboxState::Absent => {
                format!("its network and volumes: {}", sandbox.failure.as_ref()?)
            }
            SandboxState::Ready | SandboxState::Stopped => return None,
        };
        let wait = Wait::new(WaitKind::Sandbox, sandbox.since, text);
        Some(wait.then_at(sandbox.retry_at, "next attempt"))
    }

    fn deadline_wait(&self) -> Option<Wait> {
        let at = self.deadline()?;
        let seconds = self.pod.spec.active_deadline_seconds.unwrap_or(0);
        let text = format!("its end, at the latest after activeDeadlineSeconds ({seconds})");
        let wait = Wait::new(WaitKind::Deadline, self.begun, text);
        Some(wait.then(at, "DeadlineExceeded"))
    }

    fn container_waits(&self, i: usize, now: Time) -> Vec<Wait> {
        let container = &self.containers[i];
        if let Some(stop) = container.stop.as_ref().filter(|stop| !stop.is_done()) {
            return vec![self.stop_wait(i, stop)];
        }
        if let Some(starting) = &container.starting {
            return vec![container::start_wait(starting)];
        }
        if container.is_running() {
            return container::running_waits(container, now);
        }
        self.down_wait(i).into_iter().collect()
    }

    /// Of a container that does not run and is not being started or stopped.
    fn down_wait(&self, i: usize) -> Option<Wait> {
        let container = &self.containers[i];
        if self.stage != Stage::Active {
            return None;
        }
        if self.sandbox.state != SandboxState::Ready {
            return self.stopped_wait(i);
        }
        let ended = container.ended();
        if let Some(until) = self
            .restart_all_pause()
            .filter(|_| self.restart_all_trigger() == Some(i))
        {
            let since = ended.and_then(|end| end.at).unwrap_or(self.begun);
            let text = "the restart of all containers, which its exit asked for";
            let wait = Wait::new(WaitKind::RestartAll, since, text);
            return Some(wait.then(until, "restart"));
        }
        if let Some(end) = ended {
            let over = match container.role {
                Role::Init => container.is_done(),
                _ => !restart::restarts_after(&container.spec, &self.pod.spec, end.exit.code),
            };
            if over {
                return None;
            }
        }
        let since = ended.and_then(|end| end.at).unwrap_or(self.begun);
        // What failed to start is tried again only while nobody it depends on is down (R2.5).
        let tried = |step: &Step| matches!(step, Step::Start { index, .. } if *index == i);
        let failure = container.failure.as_ref();
        match failure.filter(|_| self.plan().iter().any(tried)) {
            Some(failure) => Some(container::failure_wait(container, failure)),
            None => Some(self.predecessor_wait(i, since)),
        }
    }

    /// R1.2: the Pod was stopped for an init container that may not be tried again, and is not over all the same.
    fn stopped_wait(&self, i: usize) -> Option<Wait> {
        let mut inits = self.containers[..self.inits].iter().enumerate();
        let (failed, init) = inits.find(|(_, init)| self.failed_for_good(init))?;
        let since = init.ended().and_then(|end| end.at).unwrap_or(self.begun);
        let text = format!(
            "its deletion: the Pod was stopped because init container {} failed and is not tried again",
            init.name()
        );
        (i != failed).then(|| Wait::new(WaitKind::Predecessor, since, text))
    }

    /// Why a container whose start nothing holds back is not started: somebody comes before it.
    fn predecessor_wait(&self, i: usize, since: Time) -> Wait {
        let wait = |text: String| Wait::new(WaitKind::Predecessor, since, text);
        for entry in &self.containers[..i.min(self.inits)] {
            let name = entry.name();
            match entry.role {
                Role::Init if !entry.is_done() => {
                    return wait(format!("init container {name} to exit with code 0"));
                }
                Role::Sidecar if !entry.is_running() => {
                    return wait(format!("sidecar {name} to start"));
                }
                Role::Sidecar if !entry.is_started() => {
                    return wait(format!("the startup probe of sidecar {name} to succeed"));
                }
                _ => {}
            }
        }
        // Whatever the pass under way waits for holds up everything after it.
        let stopping =
            |c: &&crate::container::Container| c.stop.as_ref().is_some_and(|stop| !stop.is_done());
        let all = || self.containers.iter();
        let text = match (all().find(|c| c.starting.is_some()), all().find(stopping)) {
            (Some(ahead), _) => {
                let name = ahead.name();
                format!("the start of {name}, which everything else of the Pod waits for")
            }
            (None, Some(ahead)) => {
                let name = ahead.name();
                format!("the stop of {name}, which everything else of the Pod waits for")
            }
            (None, None) => "its turn to start".to_owned(),
        };
        wait(text)
    }
}

impl Wait {
    fn new(kind: WaitKind, since: Time, text: impl Into<String>) -> Self {
        Self {
            container: None,
            kind,
            since,
            text: text.into(),
            next: Vec::new(),
        }
    }

    /// What comes then.
    fn then(self, at: Time, what: &str) -> Self {
        self.with(at, what, None)
    }

    /// What comes then, if a time is known.
    fn then_at(self, at: Option<Time>, what: &str) -> Self {
        match at {
            Some(at) => self.then(at, what),
            None => self,
        }
    }

    fn with(mut self, at: Time, what: &str, at_least: Option<bool>) -> Self {
        let what = what.to_owned();
        self.next.push(Next { at, what, at_least });
        self
    }
}
