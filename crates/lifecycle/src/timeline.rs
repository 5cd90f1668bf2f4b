//! What became of a Pod over time: for each container and for the Pod itself, which state held from when to when,
//! and what events came in between.
//!
//! A [`PodTimeline`] is told each new status ([`PodTimeline::observe`]) and each event
//! ([`PodTimeline::event`]), and is itself what is shown and stored: it can be written down, read back and gone on
//! with. Its size is bounded however long a Pod lives: of each list the first and the latest entries stay, and what
//! was left out between them is counted. How it is drawn is the business of others.

use std::collections::{BTreeMap, BTreeSet};

use manifest::core::v1::{
    ConditionStatus, ContainerState as Reported, ContainerStatus, Pod, PodPhase, PodStatus,
};
use manifest::meta::v1::{MicroTime, ObjectMeta};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::message;
use crate::protocol::{EventKind, HookKind, PodEvent, ProbeKind};
use crate::{Role, Time};

#[cfg(test)]
mod tests;

/// How many entries of a list stay at most.
const MOST: usize = 128;
/// How many of them are the first ones; the others are the latest.
const FIRST: usize = 32;
/// Bytes of an event's message that stay.
const MESSAGE_BYTES: usize = 256;

/// Reason of the marks for what Kubernetes has no event for: a probe succeeded, the first time in a run or after failures.
pub const PROBE_SUCCEEDED: &str = "ProbeSucceeded";

/// The history of one Pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodTimeline {
    /// `pillion.dev/v1`
    pub api_version: String,
    /// `PodTimeline`
    pub kind: String,
    /// Name, namespace and uid of the Pod, when it was created, and from when on it was to be deleted.
    pub metadata: ObjectMeta,
    /// When the Pod was taken on: its `startTime`.
    pub from: MicroTime,
    /// The newest moment that is known of.
    pub to: MicroTime,
    /// Its phases.
    pub phases: Vec<Span<PhaseState>>,
    /// Its condition `Ready`.
    pub ready: Vec<Span<ReadyState>>,
    /// Events of the Pod as a whole.
    pub marks: Vec<Mark>,
    /// Its containers, in the order of the spec: init entries, then apps.
    pub containers: Vec<ContainerTimeline>,
    /// How many spans and marks of the Pod as a whole were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// The probes that succeed, by container.
    #[serde(skip)]
    passing: BTreeSet<(usize, ProbeKind)>,
    /// The containers whose process runs while their status says that they wait (R7.2), with the newest such status.
    #[serde(skip)]
    unannounced: BTreeMap<usize, Option<ContainerStatus>>,
}

/// The history of one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerTimeline {
    /// Its name.
    pub name: String,
    /// How it takes part in the Pod's life.
    pub role: Role,
    /// The program and arguments that its newest run was given: those of the spec or the image, with variables put in.
    /// Empty before the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What it did, in the order of time. Where some were left out, and where nobody watched, two spans do not
    /// meet.
    pub spans: Vec<Span<ContainerState>>,
    /// Its events.
    pub marks: Vec<Mark>,
    /// When its hooks ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Span<HookState>>,
    /// How many spans and marks were left out, after the first and before the latest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

/// A time during which a state held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span<S> {
    /// When it began.
    pub from: MicroTime,
    /// When it ended; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<MicroTime>,
    /// The state.
    #[serde(flatten)]
    pub state: S,
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerState {
    /// What it does, as `ready`.
    pub state: ContainerStage,
    /// Why it waits, or how it ended, as `CrashLoopBackOff` or `Error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The code that it ended with, 128 + n for signal n.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Its `restartCount`.
    pub restart: i32,
}

/// How far a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerStage {
    /// It waits to be started.
    Waiting,
    /// It runs; a sidecar or an app is not started yet (R5.9).
    Running,
    /// A sidecar or an app is started and not ready.
    Started,
    /// A sidecar or an app is ready (R5.10).
    Ready,
    /// It ended.
    Terminated,
}

/// A hook that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookState {
    /// `postStart` or `preStop`.
    pub hook: String,
}

/// The Pod's phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseState {
    /// As `Running`.
    pub phase: PodPhase,
    /// The status' own reason, as `DeadlineExceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The Pod's condition `Ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyState {
    /// True or False.
    pub status: ConditionStatus,
    /// Why not, as `ContainersNotReady`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An event, or several of the same text one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When it came, the first time.
    pub time: MicroTime,
    /// When it came the last time, if it came more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<MicroTime>,
    /// How often it came.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
    /// Normal or Warning.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// As `Unhealthy`.
    pub reason: String,
    /// For people, cut where it is long.
    pub message: String,
}

impl PodTimeline {
    /// The history of a Pod that was just taken on.
    #[must_use]
    pub fn new(pod: &Pod, now: Time) -> Self {
        let of = |spec: &manifest::core::v1::Container, role| ContainerTimeline {
            name: spec.name.clone(),
            role,
            command: Vec::new(),
            spans: Vec::new(),
            marks: Vec::new(),
            hooks: Vec::new(),
            dropped: 0,
        };
        let inits = pod.spec.init_containers.iter();
        let inits = inits.map(|spec| of(spec, Role::of_init_entry(spec)));
        let apps = pod.spec.containers.iter().map(|spec| of(spec, Role::App));
        let mut timeline = Self {
            api_version: "pillion.dev/v1".to_owned(),
            kind: "PodTimeline".to_owned(),
            metadata: ObjectMeta {
                name: pod.metadata.name.clone(),
                namespace: pod.metadata.namespace.clone(),
                uid: pod.metadata.uid.clone(),
                creation_timestamp: pod.metadata.creation_timestamp,
                ..ObjectMeta::default()
            },
            from: moment(now),
            to: moment(now),
            phases: Vec::new(),
            ready: Vec::new(),
            marks: Vec::new(),
            containers: inits.chain(apps).collect(),
            dropped: 0,
            passing: BTreeSet::new(),
            unannounced: BTreeMap::new(),
        };
        timeline.observe(pod, now);
        timeline
    }

    /// Takes in the Pod's status as of now.
    pub fn observe(&mut self, pod: &Pod, now: Time) {
        let now = self.advance(now);
        if self.metadata.deletion_timestamp.is_none() {
            self.metadata.deletion_timestamp = pod.metadata.deletion_timestamp;
        }
        let Some(status) = &pod.status else { return };
        let phase = PhaseState {
            phase: status.phase.unwrap_or_default(),
            reason: status.reason.clone(),
        };
        self.dropped += turn(&mut self.phases, phase, now);
        let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
        if let Some(ready) = ready {
            let state = ReadyState {
                status: ready.status,
                reason: ready.reason.clone(),
            };
            self.dropped += turn(&mut self.ready, state, now);
        }
        for (i, container) in self.containers.iter_mut().enumerate() {
            let Some(status) = status_of(status, &container.name) else {
                continue;
            };
            let waits = status.state.as_ref().is_some_and(|s| s.waiting.is_some());
            match self.unannounced.get_mut(&i) {
                Some(withheld) if waits => *withheld = Some(status.clone()),
                withheld => {
                    withheld.map(Option::take);
                    container.show(status, now);
                }
            }
        }
    }

    /// Takes in what neither statuses nor events tell: the processes whose postStart hook runs, the hooks that run, and
    /// the probes that succeed. It comes after the status of the same moment.
    pub fn observe_machine(&mut self, machine: &Machine, now: Time) {
        let now = self.advance(now);
        for (i, container) in self.containers.iter_mut().enumerate() {
            if let Some(run) = machine.unannounced_run(i) {
                self.unannounced.entry(i).or_default();
                let state = ContainerState {
                    state: ContainerStage::Running,
                    reason: None,
                    exit_code: None,
                    restart: i32::try_from(run).unwrap_or(i32::MAX),
                };
                container.dropped += turn(&mut container.spans, state, now);
            } else if let Some(Some(status)) = self.unannounced.remove(&i) {
                container.show(&status, now);
            }
            let hook = machine.running_hook(i).map(|hook| HookState {
                hook: match hook {
                    HookKind::PostStart => "postStart".to_owned(),
                    HookKind::PreStop => "preStop".to_owned(),
                },
            });
            match hook {
                Some(hook) => container.dropped += turn(&mut container.hooks, hook, now),
                None => close(&mut container.hooks, now),
            }
        }
        if machine.is_terminating() || machine.is_deleting() {
            return;
        }
        let passing: BTreeSet<_> = machine.passing_probes().collect();
        for (i, kind) in passing.difference(&self.passing) {
            let Some(container) = self.containers.get_mut(*i) else {
                continue;
            };
            let message = format!("{kind} probe succeeded");
            let mark = Mark::new(now, EventKind::Normal, PROBE_SUCCEEDED, message);
            container.dropped += keep(&mut container.marks, mark);
        }
        self.passing = passing;
    }

    /// A run of a container was given this program and these arguments.
    pub fn command(&mut self, container: &str, command: &[String]) {
        let known = self.containers.iter_mut().find(|c| c.name == container);
        if let Some(known) = known {
            known.command = command.to_vec();
        }
    }

    /// Takes in an event that comes now.
    pub fn event(&mut self, event: &PodEvent, now: Time) {
        let now = self.advance(now);
        let name = event.container.as_deref();
        let mut containers = self.containers.iter_mut();
        let (marks, dropped) = match containers.find(|c| Some(c.name.as_str()) == name) {
            Some(container) => (&mut container.marks, &mut container.dropped),
            None => (&mut self.marks, &mut self.dropped),
        };
        let text = message::cut(&event.message, MESSAGE_BYTES);
        if let Some(mark) = marks.last_mut()
            && (mark.kind, &*mark.reason, &*mark.message) == (event.kind, &*event.reason, text)
        {
            mark.count = mark.count.saturating_add(1);
            mark.last = Some(now);
            return;
        }
        let mark = Mark::new(now, event.kind, &event.reason, text.to_owned());
        *dropped += keep(marks, mark);
    }

    /// Whoever watched the Pod died. `alive` is the last moment at which it is known to have been as it was told; how
    /// it was from then until it is observed again is left open. What had ended stays so.
    pub fn interrupt(&mut self, alive: Time) {
        if self.has_ended() {
            return;
        }
        let at = self.advance(alive);
        close(&mut self.phases, at);
        close(&mut self.ready, at);
        for container in &mut self.containers {
            let last = container.spans.last().map(|span| span.state.state);
            if last != Some(ContainerStage::Terminated) {
                close(&mut container.spans, at);
            }
            close(&mut container.hooks, at);
        }
    }

    /// The history up to now, or to the end of a Pod that has ended.
    #[must_use]
    pub fn up_to(&self, now: Time) -> Self {
        let mut timeline = self.clone();
        timeline.advance(now);
        timeline
    }

    /// Whether the Pod has Succeeded or Failed.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let phase = self.phases.last().map(|span| span.state.phase);
        matches!(phase, Some(PodPhase::Succeeded | PodPhase::Failed))
    }

    /// Time does not go back, even if the clock was set back between two runners; and for a Pod that has ended it
    /// stands still, whoever comes to look after it.
    fn advance(&mut self, now: Time) -> MicroTime {
        if !self.has_ended() {
            self.to = self.to.max(moment(now));
        }
        self.to
    }
}

impl ContainerTimeline {
    /// Takes in what its status says.
    fn show(&mut self, status: &ContainerStatus, now: MicroTime) {
        let Some(state) = state_of(status, self.role) else {
            return;
        };
        if let Some(end) = missed_end(status, &state, &self.spans) {
            self.dropped += turn(&mut self.spans, end, now);
        }
        self.dropped += turn(&mut self.spans, state, now);
    }
}

impl Mark {
    fn new(now: MicroTime, kind: EventKind, reason: &str, message: String) -> Self {
        Self {
            time: now,
            last: None,
            count: 1,
            kind,
            reason: reason.to_owned(),
            message,
        }
    }
}

impl ContainerStage {
    /// Whether it runs.
    #[must_use]
    pub const fn is_up(self) -> bool {
        !matches!(self, Self::Waiting | Self::Terminated)
    }
}

fn status_of<'a>(status: &'a PodStatus, container: &str) -> Option<&'a ContainerStatus> {
    let statuses = status.init_container_statuses.iter();
    let mut statuses = statuses.chain(&status.container_statuses);
    statuses.find(|status| status.name == container)
}

/// The end of a run that was seen running and never seen ended: what is started again may show its end only as the last
/// state (R11.9), while it waits or runs again.
fn missed_end(
    status: &ContainerStatus,
    state: &ContainerState,
    spans: &[Span<ContainerState>],
) -> Option<ContainerState> {
    let seen = &spans.last()?.state;
    let is_over = state.state == ContainerStage::Waiting || state.restart > seen.restart;
    if !seen.state.is_up() || !is_over {
        return None;
    }
    let end = status.last_state.as_ref()?.terminated.as_ref()?;
    Some(ContainerState {
        state: ContainerStage::Terminated,
        reason: end.reason.clone(),
        exit_code: Some(end.exit_code),
        restart: seen.restart,
    })
}

/// What the status says that a container does.
fn state_of(status: &ContainerStatus, role: Role) -> Option<ContainerState> {
    let mut state = ContainerState {
        state: ContainerStage::Waiting,
        reason: None,
        exit_code: None,
        restart: status.restart_count,
    };
    match status.state.as_ref()? {
        Reported {
            terminated: Some(terminated),
            ..
        } => {
            state.state = ContainerStage::Terminated;
            state.reason = terminated.reason.clone();
            state.exit_code = Some(terminated.exit_code);
        }
        Reported {
            running: Some(_), ..
        } => state.state = running_stage(role, status),
        Reported {
            waiting: Some(waiting),
            ..
        } => state.reason = waiting.reason.clone(),
        _ => return None,
    }
    Some(state)
}

/// An init container is never ready while it runs, and starting it is all there is.
fn running_stage(role: Role, status: &ContainerStatus) -> ContainerStage {
    match (role, status.started, status.ready) {
        (Role::Init, ..) | (_, None | Some(false), _) => ContainerStage::Running,
        (_, Some(true), false) => ContainerStage::Started,
        (_, Some(true), true) => ContainerStage::Ready,
    }
}

/// Begins a span unless the one that holds says the same; says how many were dropped.
fn turn<S: PartialEq>(spans: &mut Vec<Span<S>>, state: S, now: MicroTime) -> u64 {
    if let Some(last) = spans.last_mut()
        && last.to.is_none()
    {
        if last.state == state {
            return 0;
        }
        last.to = Some(now);
    }
    let to = None;
    let from = now;
    keep(spans, Span { from, to, state })
}

fn close<S>(spans: &mut [Span<S>], at: MicroTime) {
    if let Some(last) = spans.last_mut() {
        last.to.get_or_insert(at);
    }
}

/// Adds an entry; says how many were dropped for it.
fn keep<T>(list: &mut Vec<T>, entry: T) -> u64 {
    list.push(entry);
    if list.len() <= MOST {
        return 0;
    }
    list.remove(FIRST);
    1
}

fn moment(time: Time) -> MicroTime {
    MicroTime(time.to_timestamp())
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

const fn one() -> u32 {
    1
}
