//! The Pod's sandbox: made again when it failed or died, and what of the containers goes with it (R1.11).

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::container::Run;
use crate::machine::Machine;
use crate::protocol::{Action, PodEvent};

/// First delay before the sandbox is tried again; doubled up to [`LONGEST_SANDBOX_RETRY`].
const FIRST_SANDBOX_RETRY: Duration = Duration::from_secs(1);
/// The kubelet's own delay after a failed pass.
const LONGEST_SANDBOX_RETRY: Duration = Duration::from_secs(10);

/// The Pod's sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    pub(crate) state: SandboxState,
    /// How many were made.
    pub(crate) attempts: u32,
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) since: Time,
    /// Why the newest attempt failed.
    pub(crate) failure: Option<String>,
    pub(crate) retry_at: Option<Time>,
    retry_delay: Duration,
}

/// Where the sandbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SandboxState {
    Absent,
    Creating,
    Ready,
    Stopping,
    Stopped,
}

impl Sandbox {
    pub(crate) fn absent(now: Time) -> Self {
        Self {
            state: SandboxState::Absent,
            attempts: 0,
            ips: Vec::new(),
            since: now,
            failure: None,
            retry_at: None,
            retry_delay: FIRST_SANDBOX_RETRY,
        }
    }
}

impl Machine {
    /// A new sandbox re-runs all inits, so their records go (R1.11).
    pub(crate) fn forget_init_records(&mut self) {
        for i in 0..self.inits {
            self.containers[i].failure = None;
            if self.containers[i].ended().is_some() {
                self.forget_record(i);
            }
        }
    }

    /// The container's ended run becomes its last state, and no record of a run is left.
    pub(crate) fn forget_record(&mut self, i: usize) {
        let container = &mut self.containers[i];
        let ended = container.run.take();
        let older = ended.and_then(|ended| container.previous.replace(ended));
        self.remove_run(i, older);
    }

    /// A dead run is no longer shown.
    pub(crate) fn remove_run(&mut self, i: usize, run: Option<Run>) {
        let Some(run) = run.filter(|run| run.started_at.is_some()) else {
            return;
        };
        let container = self.containers[i].spec.name.clone();
        self.act(Action::Remove {
            container,
            instance: run.instance,
        });
    }

    pub(crate) fn set_sandbox(&mut self, state: SandboxState) {
        self.sandbox.state = state;
        self.sandbox.since = self.now;
    }

    /// The sandbox could not be made: told, and tried again.
    pub(crate) fn sandbox_failed(&mut self, reason: &str, message: String) {
        let kind = crate::EventKind::Warning;
        self.emit(PodEvent::new(kind, reason, message.clone(), None));
        let retry = self.now + self.sandbox.retry_delay;
        self.sandbox.retry_delay = (self.sandbox.retry_delay * 2).min(LONGEST_SANDBOX_RETRY);
        self.sandbox.retry_at = Some(retry);
        self.sandbox.failure = Some(message);
        self.set_sandbox(SandboxState::Absent);
        self.resync(retry);
    }

    /// The sandbox is there.
    pub(crate) fn sandbox_ready(&mut self, ips: Vec<IpAddr>) {
        self.sandbox.attempts += 1;
        self.restored = false;
        self.sandbox.ips = ips;
        self.sandbox.failure = None;
        self.sandbox.retry_at = None;
        self.sandbox.retry_delay = FIRST_SANDBOX_RETRY;
        self.set_sandbox(SandboxState::Ready);
        self.dirty = true;
    }
}
