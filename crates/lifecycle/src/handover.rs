//! A machine that goes on in another process while the Pod's containers run (R21.1, R21.3).
//!
//! As a kubelet that is started again, the machine that goes on knows what runs and what ran, and what the
//! status says. What only the process before it had in mind begins anew: back-off ladders, counts of probe
//! results. Other than a kubelet it knows how far stops were, so that no grace begins anew and no preStop
//! hook runs twice.

use std::net::IpAddr;
use std::sync::Arc;

use manifest::core::v1::{Pod, PodCondition, PodPhase};
use serde::{Deserialize, Serialize};

use crate::Time;
use crate::container::{Container, Run};
use crate::machine::{Deletion, Machine, Options, Stage, Sync};
use crate::protocol::{Instance, ProbeKind};
use crate::sandbox::SandboxState;
use crate::terminate::{Stop, TerminationOrder};

/// What the next process needs besides the Pod with its status.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    begun: Time,
    containers: Vec<Kept>,
    sandbox: SandboxState,
    sandboxes: u32,
    ips: Vec<IpAddr>,
    sync: Option<Sync>,
    stage: Stage,
    deletion: Option<Deletion>,
    kill_now: bool,
    deadline_exceeded: bool,
    restarted_all_at: Option<Time>,
    app_was_started: bool,
    order: TerminationOrder,
    conditions: Vec<PodCondition>,
    phase: PodPhase,
    restored: bool,
}

/// What is kept of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    name: String,
    run: Option<Run>,
    previous: Option<Run>,
    next_instance: Instance,
    stop: Option<Stop>,
    /// Published results of its startup and readiness probes.
    startup: Option<bool>,
    readiness: Option<bool>,
}

impl Machine {
    /// What another machine can go on from, if this is a moment for it: no sandbox is being made or taken down, no
    /// start and no hook is under way, and not all containers are being restarted.
    #[must_use]
    pub fn hand_over(&self) -> Option<Handover> {
        let changes = matches!(
            self.sandbox.state,
            SandboxState::Creating | SandboxState::Stopping
        );
        let busy = |container: &Container| {
            let runs = container.run.iter().chain(&container.previous);
            container.starting.is_some() || { runs }.any(|run| run.hook.is_some())
        };
        let stops = self.sync.as_ref().is_none_or(Sync::only_stops);
        if changes || !stops || self.containers.iter().any(busy) {
            return None;
        }
        Some(Handover {
            begun: self.begun,
            containers: self.containers.iter().map(Kept::of).collect(),
            sandbox: self.sandbox.state,
            sandboxes: self.sandbox.attempts,
            ips: self.sandbox.ips.clone(),
            sync: self.sync.clone(),
            stage: self.stage,
            deletion: self.deletion,
            kill_now: self.kill_now,
            deadline_exceeded: self.deadline_exceeded,
            restarted_all_at: self.restarted_all_at,
            app_was_started: self.app_was_started,
            order: self.order.clone(),
            conditions: self.conditions.clone(),
            phase: self.shown_phase,
            restored: self.restored,
        })
    }

    /// Goes on where another machine has handed over. What it said was running still is, or the input that says
    /// otherwise is yet to come; `pod` carries the status as it was then.
    ///
    /// - Nothing that ran is started again, and no init that is done (R21.1, R1.9).
    /// - Containers that were started and ready are so until their probes publish something else (R21.3);
    ///   probes run at once.
    /// - A restart that waited for its back-off comes at once.
    #[must_use]
    pub fn resume(pod: Arc<Pod>, options: Options, handover: Handover, now: Time) -> Self {
        if handover.stage == Stage::Finished {
            return Self::restore(pod, options, now);
        }
        let mut machine = Self::new(pod, options, now);
        machine.begun = handover.begun;
        machine.sandbox.state = handover.sandbox;
        machine.sandbox.attempts = handover.sandboxes;
        machine.sandbox.ips = handover.ips;
        machine.stage = handover.stage;
        machine.deletion = handover.deletion;
        machine.kill_now = handover.kill_now;
        machine.deadline_exceeded = handover.deadline_exceeded;
        machine.restarted_all_at = handover.restarted_all_at;
        machine.app_was_started = handover.app_was_started;
        machine.order = handover.order;
        machine.conditions = handover.conditions;
        machine.shown_phase = handover.phase;
        machine.restored = handover.restored;
        machine.sync = handover.sync;
        let (deleted, ends) = (machine.is_deleting(), machine.is_terminating());
        let mut kept = handover.containers;
        for container in &mut machine.containers {
            let known = kept.iter().position(|kept| kept.name == container.name());
            if let Some(at) = known {
                kept.swap_remove(at).restore(container);
            }
            if deleted || ends {
                let workers = container.workers.iter_mut();
                workers.for_each(|worker| worker.stop(deleted));
            }
        }
        machine.refresh_conditions();
        machine
    }

    /// The runs whose end has not been told.
    pub fn live_runs(&self) -> impl Iterator<Item = (&str, Instance)> {
        let live = |container: &Container| container.live().map(|run| run.instance);
        let containers = self.containers.iter();
        containers.filter_map(move |container| Some((container.name(), live(container)?)))
    }
}

impl Kept {
    fn of(container: &Container) -> Self {
        let result = |kind| container.worker(kind).and_then(|worker| worker.result);
        Self {
            name: container.spec.name.clone(),
            run: container.run.clone(),
            previous: container.previous.clone(),
            next_instance: container.next_instance,
            stop: container.stop.clone(),
            startup: result(ProbeKind::Startup),
            readiness: result(ProbeKind::Readiness),
        }
    }

    fn restore(self, container: &mut Container) {
        container.run = self.run;
        container.previous = self.previous;
        container.next_instance = self.next_instance;
        container.stop = self.stop;
        let Some(run) = container.run.as_ref().filter(|run| run.end.is_none()) else {
            return;
        };
        for worker in &mut container.workers {
            let result = match worker.kind {
                ProbeKind::Startup => self.startup,
                ProbeKind::Readiness => self.readiness,
                // What was to come of a failure is under way, or comes when it fails again.
                ProbeKind::Liveness => None,
            };
            worker.resume(run.instance, result);
        }
    }
}
