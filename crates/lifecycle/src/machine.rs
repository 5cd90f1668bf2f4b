//! The machine: what it knows, how inputs change it, when the next pass begins.
//!
//! One [`Machine`] is one Pod. [`Machine::step`] takes an input in, then lets everything move that can:
//! stops, the pass under way, the next pass, probes. What a pass does is planned in `sync.rs` and carried
//! out here and in `start.rs`, `terminate.rs` and `restart_all.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use manifest::core::v1::{Pod, PodCondition, PodPhase, PodStatus};
use serde::{Deserialize, Serialize};

use crate::backoff::BackOff;
use crate::container::{Container, Role, StartStage};
use crate::phase::Outcome;
use crate::protocol::{Action, HookKind, Input, Instance, PodEvent, ProbeKind};
use crate::sandbox::{Sandbox, SandboxState};
use crate::sync::Step;
use crate::terminate::{StopStage, TerminationOrder};
use crate::{Time, events};

/// Settings of the node.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest back-off between two restarts, 1 s to 300 s (R3.6).
    pub max_restart_backoff: Duration,
    /// Memory of the machine, for `oom_score_adj` (R13.5).
    pub node_memory_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_restart_backoff: Duration::from_secs(300),
            node_memory_bytes: 0,
        }
    }
}

/// One Pod's lifecycle.
pub struct Machine {
    pub(crate) pod: Arc<Pod>,
    pub(crate) options: Options,
    /// When the Pod was accepted: `status.startTime`.
    pub(crate) begun: Time,
    /// Time of the newest step.
    pub(crate) now: Time,
    /// Init entries, then apps, in the order of the spec.
    pub(crate) containers: Vec<Container>,
    /// How many of them are init entries.
    pub(crate) inits: usize,
    pub(crate) sandbox: Sandbox,
    /// The pass under way.
    pub(crate) sync: Option<Sync>,
    /// Something changed that the newest pass did not see.
    pub(crate) dirty: bool,
    /// When time alone calls for a pass.
    resync_at: Option<Time>,
    pub(crate) stage: Stage,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) kill_now: bool,
    pub(crate) deadline_exceeded: bool,
    pub(crate) restarting_all: bool,
    /// When all were restarted last.
    pub(crate) restarted_all_at: Option<Time>,
    /// Whether any app ever ran (R10.4).
    pub(crate) app_was_started: bool,
    /// Pull ladders by image (R11.6).
    pub(crate) pulls: BTreeMap<String, BackOff>,
    pub(crate) order: TerminationOrder,
    /// The conditions as of the newest step, for their transition times.
    pub(crate) conditions: Vec<PodCondition>,
    /// The phase that the status shows.
    pub(crate) shown_phase: PodPhase,
    /// Set for ever once the Pod is terminal (R9.8).
    pub(crate) outcome: Option<Outcome>,
    /// Taken over from a runner that died, and no sandbox was made since.
    pub(crate) restored: bool,
    /// The status of a Pod that was taken over when it had ended already.
    pub(crate) final_record: Option<Box<PodStatus>>,
    actions: Vec<Action>,
}

/// Where the Pod stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Containers are started and restarted.
    Active,
    /// Nothing is started any more (R8.10).
    Terminating,
    /// Nothing is left.
    Finished,
}

/// A deletion request, the shortest of several.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// Seconds.
    pub(crate) grace: i64,
    /// The grace of a later and shorter request, which came when stops were under way.
    pub(crate) too_late: Option<i64>,
}

/// A pass: its steps, one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sync {
    steps: VecDeque<Step>,
    current: Option<Current>,
}

/// The step under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Current {
    CreateSandbox,
    StopSandbox,
    Stops(Vec<usize>),
    Start(usize),
    RestartAll {
        queue: VecDeque<usize>,
        current: Option<usize>,
    },
}

impl Sync {
    /// Whether what it waits for is that containers stop.
    pub(crate) fn only_stops(&self) -> bool {
        matches!(self.current, None | Some(Current::Stops(_)))
    }
}

impl Machine {
    /// Starts the life of a Pod that is defaulted, validated and has a uid.
    #[must_use]
    pub fn new(pod: Arc<Pod>, options: Options, now: Time) -> Self {
        let inits = pod.spec.init_containers.iter();
        let inits = inits.map(|spec| Container::new(spec, Role::of_init_entry(spec)));
        let apps = pod
            .spec
            .containers
            .iter()
            .map(|spec| Container::new(spec, Role::App));
        let mut machine = Self {
            inits: pod.spec.init_containers.len(),
            containers: inits.chain(apps).collect(),
            pod,
            options,
            begun: now,
            now,
            sandbox: Sandbox::absent(now),
            sync: None,
            dirty: true,
            resync_at: None,
            stage: Stage::Active,
            deletion: None,
            kill_now: false,
            deadline_exceeded: false,
            restarting_all: false,
            restarted_all_at: None,
            app_was_started: false,
            pulls: BTreeMap::new(),
            order: TerminationOrder::default(),
            conditions: Vec::new(),
            shown_phase: PodPhase::Pending,
            outcome: None,
            restored: false,
            final_record: None,
            actions: Vec::new(),
        };
        machine.refresh_conditions();
        machine
    }

    /// Takes in what happened and says what is to be done. All effects are in the actions.
    pub fn step(&mut self, input: Input, now: Time) -> Vec<Action> {
        self.now = self.now.max(now);
        self.take_in(input);
        self.settle();
        self.refresh_conditions();
        std::mem::take(&mut self.actions)
    }

    /// When [`Input::Wake`] is due; at once for a new machine. Nothing else needs the clock.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Time> {
        if self.stage == Stage::Finished {
            return None;
        }
        if self.sync.is_none() && self.dirty {
            return Some(self.now);
        }
        let stops = self
            .containers
            .iter()
            .filter_map(|c| c.stop.as_ref()?.due());
        let sleeps = self
            .containers
            .iter()
            .filter_map(Container::post_start_sleeps_until);
        let probes = self.containers.iter().filter_map(Container::next_probe);
        let passes = self.resync_at.into_iter().chain(self.deadline());
        let passes = passes.filter(|_| self.sync.is_none());
        stops.chain(sleeps).chain(probes).chain(passes).min()
    }

    /// Whether all containers and the sandbox are stopped for good.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Finished
    }

    /// Whether the Pod's end has begun: nothing is started any more (R8.10).
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.stage != Stage::Active
    }

    /// Whether a deletion was asked for: what `deletionTimestamp` shows (R12.5).
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.deletion.is_some()
    }

    /// The Pod whose life this is.
    #[must_use]
    pub fn pod(&self) -> &Arc<Pod> {
        &self.pod
    }

    /// The hook of a container that runs now; containers are counted as in the spec, inits first.
    pub(crate) fn running_hook(&self, i: usize) -> Option<HookKind> {
        let container = self.containers.get(i)?;
        let stage = container.starting.as_ref().map(|starting| &starting.stage);
        if matches!(stage, Some(StartStage::PostStart { .. })) {
            return Some(HookKind::PostStart);
        }
        let stage = container.stop.as_ref().map(|stop| &stop.stage);
        matches!(stage, Some(StopStage::PreStop { .. })).then_some(HookKind::PreStop)
    }

    /// The run of a container whose process was started, while its postStart hook keeps it out of the status (R7.2);
    /// containers are counted as above.
    pub(crate) fn unannounced_run(&self, i: usize) -> Option<Instance> {
        let starting = self.containers.get(i)?.starting.as_ref()?;
        (starting.stage != StartStage::Asked).then_some(starting.run.instance)
    }

    /// The probes that succeed, of containers counted as above.
    pub(crate) fn passing_probes(&self) -> impl Iterator<Item = (usize, ProbeKind)> {
        let all = self.containers.iter().enumerate();
        all.flat_map(|(i, container)| {
            let passing = container.workers.iter().filter(|worker| worker.passes());
            passing.map(move |worker| (i, worker.kind))
        })
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(crate) fn emit(&mut self, event: PodEvent) {
        self.actions.push(Action::Emit(event));
    }

    /// Calls for a pass at this time.
    pub(crate) fn resync(&mut self, at: Time) {
        self.resync_at = Some(self.resync_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// The Pod as messages name it: `name_namespace(uid)`.
    pub(crate) fn pod_id(&self) -> String {
        let meta = &self.pod.metadata;
        let name = meta.name.as_deref().unwrap_or_default();
        let namespace = meta.namespace.as_deref().unwrap_or("default");
        format!(
            "{name}_{namespace}({})",
            meta.uid.as_deref().unwrap_or_default()
        )
    }

    /// When `activeDeadlineSeconds` passes (R16.1).
    pub(crate) fn deadline(&self) -> Option<Time> {
        let seconds = self.pod.spec.active_deadline_seconds?;
        let passed = self.deadline_exceeded || self.stage != Stage::Active;
        (!passed).then(|| Time(self.begun.0.saturating_add(seconds.saturating_mul(1000))))
    }

    /// The rest of the pass under way is not carried out.
    pub(crate) fn abandon_pass(&mut self) {
        if let Some(sync) = &mut self.sync {
            sync.steps.clear();
        }
    }

    /// Lets everything move that can, until nothing does.
    fn settle(&mut self) {
        loop {
            let mut moved = self.advance_stops();
            moved |= self.advance_sync();
            if self.sync.is_none() && self.stage != Stage::Finished && self.pass_is_due() {
                self.begin_pass();
                moved = true;
            }
            if !moved {
                break;
            }
        }
        self.run_due_probes();
    }

    fn pass_is_due(&self) -> bool {
        let due = |at: Option<Time>| at.is_some_and(|at| at <= self.now);
        self.dirty || due(self.resync_at) || due(self.deadline())
    }

    /// What upstream's pod worker and `SyncPod` do at the beginning of a pass.
    fn begin_pass(&mut self) {
        self.dirty = false;
        self.resync_at = None;
        if let Some(deletion) = self.deletion {
            self.begin_termination(deletion.grace);
        } else if self.deadline().is_some_and(|at| at <= self.now) {
            self.deadline_exceeded = true;
            self.emit(events::deadline_exceeded());
            self.begin_termination(self.spec_grace());
        } else if self.phase().is_terminal() || self.stays_down() {
            self.begin_termination(self.spec_grace());
        } else if let Some(until) = self.restart_all_pause() {
            self.resync(until);
        } else {
            let steps = self.plan();
            if !steps.is_empty() {
                self.sync = Some(Sync {
                    steps,
                    current: None,
                });
            }
        }
    }

    /// R8.1: below 1 the grace is raised to 1. R5.16: liveness and startup probes end.
    fn begin_termination(&mut self, grace: i64) {
        self.stage = Stage::Terminating;
        for worker in self
            .containers
            .iter_mut()
            .flat_map(|container| &mut container.workers)
        {
            worker.stop(false);
        }
        let steps = VecDeque::from([
            Step::StopAll {
                grace: grace.max(1),
            },
            Step::StopSandbox,
        ]);
        self.sync = Some(Sync {
            steps,
            current: None,
        });
    }

    /// Moves the pass on; says whether it moved.
    fn advance_sync(&mut self) -> bool {
        let Some(mut sync) = self.sync.take() else {
            return false;
        };
        let mut moved = false;
        loop {
            if let Some(current) = &mut sync.current {
                match self.advance_step(current) {
                    Progress::Waiting => break,
                    Progress::Done => {}
                    Progress::Failed => sync.steps.clear(),
                }
                sync.current = None;
            }
            moved = true;
            let Some(step) = sync.steps.pop_front() else {
                if self.stage == Stage::Terminating {
                    self.finish();
                }
                return true;
            };
            if self.kill_now && self.stage == Stage::Active {
                continue;
            }
            sync.current = self.begin_step(step, &mut sync.steps);
        }
        self.sync = Some(sync);
        moved
    }

    /// Begins a step; nothing when it is over at once.
    fn begin_step(&mut self, step: Step, rest: &mut VecDeque<Step>) -> Option<Current> {
        match step {
            Step::CreateSandbox => {
                if self.sandbox.attempts > 0 && self.sandbox.failure.is_none() {
                    self.emit(events::sandbox_changed());
                }
                self.forget_init_records();
                self.set_sandbox(SandboxState::Creating);
                self.act(Action::CreateSandbox);
                Some(Current::CreateSandbox)
            }
            Step::StopAll { grace } => Some(Current::Stops(self.begin_stop_all(grace))),
            Step::StopSandbox => {
                if self.sandbox.state != SandboxState::Ready {
                    return None;
                }
                self.set_sandbox(SandboxState::Stopping);
                self.act(Action::StopSandbox);
                Some(Current::StopSandbox)
            }
            Step::Stop(stops) => {
                let indices = stops.iter().map(|stop| stop.index).collect();
                for stop in stops {
                    let grace = self.single_grace(stop.index, stop.probe);
                    self.begin_stop(stop.index, grace, false, Some(&stop.why));
                }
                Some(Current::Stops(indices))
            }
            Step::Start { index, ended } => {
                if self.begin_start(index, ended) {
                    return Some(Current::Start(index));
                }
                if self.containers[index].role == Role::Init {
                    // R1.8: an init that cannot be started ends the pass.
                    rest.clear();
                }
                None
            }
            Step::RestartAll { trigger } => {
                self.restarting_all = true;
                let queue = self.restart_all_queue(trigger).into();
                Some(Current::RestartAll {
                    queue,
                    current: None,
                })
            }
        }
    }

    fn advance_step(&mut self, current: &mut Current) -> Progress {
        match current {
            Current::CreateSandbox => match self.sandbox.state {
                SandboxState::Creating => Progress::Waiting,
                SandboxState::Ready => Progress::Done,
                _ => Progress::Failed,
            },
            Current::StopSandbox => match self.sandbox.state {
                SandboxState::Stopping => Progress::Waiting,
                _ => Progress::Done,
            },
            Current::Stops(indices) => {
                let stopped = |&i: &usize| {
                    self.containers[i]
                        .stop
                        .as_ref()
                        .is_none_or(|stop| stop.is_done())
                };
                if !indices.iter().all(stopped) {
                    return Progress::Waiting;
                }
                for &i in indices.iter() {
                    self.containers[i].stop = None;
                }
                self.order = TerminationOrder::default();
                self.dirty = true;
                Progress::Done
            }
            Current::Start(i) => {
                if !self.advance_start(*i) {
                    return Progress::Waiting;
                }
                let init = self.containers[*i].role == Role::Init;
                let failed = init && self.containers[*i].failure.is_some();
                if failed {
                    Progress::Failed
                } else {
                    Progress::Done
                }
            }
            Current::RestartAll { queue, current } => self.advance_restart_all(queue, current),
        }
    }

    fn advance_restart_all(
        &mut self,
        queue: &mut VecDeque<usize>,
        current: &mut Option<usize>,
    ) -> Progress {
        loop {
            if let Some(i) = *current {
                if self.containers[i]
                    .stop
                    .as_ref()
                    .is_some_and(|stop| !stop.is_done())
                {
                    return Progress::Waiting;
                }
                if !self.kill_now {
                    self.restart_all_forget(i);
                }
                *current = None;
            }
            if self.kill_now {
                self.restarting_all = false;
                return Progress::Failed;
            }
            let Some(i) = queue.pop_front() else {
                self.restart_all_end();
                return Progress::Done;
            };
            *current = Some(i);
            self.restart_all_begin(i);
        }
    }

    /// What failed for want of something is due at once.
    pub(crate) fn retry_now(&mut self) {
        self.sandbox.retry_at = None;
        self.pulls.clear();
        for container in &mut self.containers {
            if let Some(failure) = container.failure.as_mut().filter(|f| f.is_retried()) {
                failure.retry_at = None;
            }
        }
        self.dirty = true;
    }

    fn finish(&mut self) {
        self.stage = Stage::Finished;
        self.resync_at = None;
        self.dirty = false;
        self.outcome = Some(self.final_outcome());
        for worker in self
            .containers
            .iter_mut()
            .flat_map(|container| &mut container.workers)
        {
            worker.detach();
        }
    }
}

/// Whether a step is over.
enum Progress {
    Waiting,
    Done,
    /// The rest of the pass is dropped.
    Failed,
}
