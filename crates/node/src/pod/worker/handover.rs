//! The supervisor's program begins anew, and the Pod goes on.
//!
//! All of it happens in one go on the one thread: from the look whether this is a moment for it to the next program nothing
//! else runs here, so nothing is read, collected or answered that would be lost. If there is no next program nothing has
//! changed.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use container::Running;
use container::cgroup::CgroupHandle;
use lifecycle::{Instance, Machine, Time};
use manifest::core::v1::Pod;
use rustix::process::getpid;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};

use super::{Run, Told, Worker};
use crate::detached::{Going, Handover};
use crate::node::Node;
use crate::pod::sandbox::{KeptPodSandbox, Sandbox};
use crate::pod::start::{KeptContainer, StartedContainer};
use crate::pod::{Owned, exit, wait, with_causes};
use crate::publish::KeptPort;

/// How long a request to begin anew waits for its moment.
const WITHIN: Duration = Duration::from_secs(60);
/// How long log files may take to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// A request to begin anew: what replaces the program. It returns only if that fails.
pub(crate) type Replace = Box<dyn FnOnce(Going) -> io::Error + Send>;

/// A request that waits for its moment.
pub(super) struct Wish {
    replace: Replace,
    until: Time,
}

/// What a worker keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptWorker {
    machine: lifecycle::Handover,
    sandbox: Option<KeptPodSandbox>,
    containers: Vec<KeptContainer>,
    ended: Vec<(String, Instance, CgroupHandle)>,
    pub(crate) ports: Vec<KeptPort>,
    events: u64,
}

impl Worker {
    pub(super) fn wish(&mut self, replace: Replace) {
        let until = self.node.clock().now() + WITHIN;
        self.wish = Some(Wish { replace, until });
    }

    /// When a request that has found no moment is given up.
    pub(super) fn wish_ends(&self) -> Option<Time> {
        self.wish.as_ref().map(|wish| wish.until)
    }

    pub(super) fn give_up_wish(&mut self) {
        if self.wish.take().is_some() {
            let seconds = WITHIN.as_secs();
            self.node.output().note(format!(
                "not started again: within {seconds} s there was always something being started, asked or taken down \
                 (hint: try again)"
            ));
        }
    }

    /// Begins anew if that is wanted and this is a moment for it.
    pub(super) fn begin_anew(&mut self) {
        if self.wish.is_none() || self.is_busy() {
            return;
        }
        let (Some(machine), Some(wish)) = (self.machine.hand_over(), self.wish.take()) else {
            return;
        };
        let error = match self.going(machine) {
            Ok(going) => (wish.replace)(going),
            Err(error) => error,
        };
        self.node.output().note(format!(
            "not started again, all goes on as before: {}",
            with_causes(&error)
        ));
    }

    fn is_busy(&self) -> bool {
        // An exit that has been collected is told soon, and would be lost; so would be what was told just now.
        let mut live = self.machine.live_runs();
        let leaves = live.any(|(name, instance)| {
            let started = self.containers.get(&(name.to_owned(), instance));
            started.is_none_or(|started| started.has_ended())
        });
        leaves
            || self.machine.hand_over().is_none()
            || self.refresh.is_under_way()
            || !self.reports.is_empty()
            || self.shut_down
            || self.is_forced()
    }

    fn going(&self, machine: lifecycle::Handover) -> io::Result<Going> {
        if !self.node.output().flush(WRITTEN_WITHIN) {
            return Err(io::Error::other("log files cannot be written"));
        }
        let mut outgoing = Outgoing::default();
        let live: Vec<Run> = self
            .machine
            .live_runs()
            .map(|(name, instance)| (name.to_owned(), instance))
            .collect();
        let mut containers = Vec::new();
        let mut ended: Vec<_> = self
            .ended
            .iter()
            .map(|((name, instance), cgroup)| (name.clone(), *instance, cgroup.clone()))
            .collect();
        for (run, started) in &self.containers {
            if live.contains(run) {
                containers.push(started.hand_over(&mut outgoing)?);
            } else {
                ended.push((run.0.clone(), run.1, started.cgroup().clone()));
            }
        }
        let sandbox = self.sandbox.as_deref();
        let sandbox = sandbox.map(|sandbox| sandbox.hand_over(&mut outgoing));
        let ports = self.ports.iter();
        let ports = ports.map(|port| port.hand_over(&mut outgoing));
        let worker = KeptWorker {
            machine,
            sandbox: sandbox.transpose()?,
            containers,
            ended,
            ports: ports.collect::<io::Result<_>>()?,
            events: self.events,
        };
        let pod = Arc::clone(&self.told.status.borrow());
        self.history.save(&pod).map_err(io::Error::other)?;
        let lock = self.ownership.hand_over(&mut outgoing)?;
        let kept = Handover::new(&self.node, pod, worker, lock, &mut outgoing)?;
        Ok(Going::new(kept, outgoing))
    }

    /// A worker that goes on where that of the program before has stopped.
    pub(crate) fn resume(
        node: Arc<Node>,
        pod: Arc<Pod>,
        owned: Owned,
        told: Told,
        kept: KeptWorker,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        let (options, now) = (node.machine_options(), node.clock().now());
        let machine = Machine::resume(Arc::clone(&pod), options, kept.machine, now);
        let mut worker = Self::with_machine(node, pod, owned, told, machine);
        worker.events = kept.events;
        let ended = kept.ended.into_iter();
        worker.ended = ended
            .map(|(name, instance, cgroup)| ((name, instance), cgroup))
            .collect();
        if let Some(sandbox) = kept.sandbox {
            let sandbox = Sandbox::take_over(sandbox, &worker.node, incoming)?;
            worker.sandbox = Some(Arc::new(sandbox));
        }
        let name = worker.pod.metadata.name.clone().unwrap_or_default();
        for container in kept.containers {
            let (node, paths) = (&worker.node, &worker.paths);
            let started = StartedContainer::take_over(container, node, &name, paths, incoming)?;
            let started = Arc::new(started);
            worker
                .containers
                .insert(started.run(), Arc::clone(&started));
            tokio::spawn(exit::watch(started, worker.reporter.clone()));
        }
        worker.collect_strangers();
        Ok(worker)
    }

    /// Collects the ends of what the program before had started and waited for: commands of probes and of sessions, whose
    /// output nobody reads any more.
    fn collect_strangers(&self) {
        let containers = self.containers.values();
        let mut known: Vec<i32> = containers.map(|started| started.running().pid()).collect();
        let sandbox = self.sandbox.as_ref();
        known.extend(sandbox.and_then(|sandbox| Some(sandbox.inner().pause()?.pid())));
        for pid in children().into_iter().filter(|pid| !known.contains(pid)) {
            if let Ok(child) = Running::child(pid) {
                tokio::spawn(async move { wait::exited(&child).await });
            }
        }
    }
}

/// The children of this process; on a kernel that does not tell nobody is collected, which costs a few entries in the table
/// of processes until the Pod ends.
fn children() -> Vec<i32> {
    let own = getpid().as_raw_nonzero();
    let list = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Cgroups of runs that ended under the program before.
pub(super) type Ended = HashMap<Run, CgroupHandle>;
