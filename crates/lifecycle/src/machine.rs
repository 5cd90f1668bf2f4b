//! The machine.

use std::sync::Arc;
use std::time::Duration;

use manifest::core::v1::{Pod, PodStatus};

use crate::protocol::{Action, Input};
use crate::{Time, Wait};

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
    pod: Arc<Pod>,
    options: Options,
    begun: Time,
}

impl Machine {
    /// Starts the life of a Pod that is defaulted, validated and has a uid.
    #[must_use]
    pub fn new(pod: Arc<Pod>, options: Options, now: Time) -> Self {
        Self {
            pod,
            options,
            begun: now,
        }
    }

    /// Takes in what happened and says what is to be done. All effects are in the actions.
    pub fn step(&mut self, _input: Input, _now: Time) -> Vec<Action> {
        Vec::new()
    }

    /// When [`Input::Wake`] is due; at once for a new machine. Nothing else needs the clock.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Time> {
        Some(self.begun)
    }

    /// The Pod's status (sections 9, 10 and 11), without what only the node knows (`hostIP`).
    #[must_use]
    pub fn status(&self, _now: Time) -> PodStatus {
        PodStatus::default()
    }

    /// Whether all containers and the sandbox are stopped for good.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        false
    }

    /// Per container what it waits for, since when, and what would end it.
    #[must_use]
    pub fn waits(&self, _now: Time) -> Vec<Wait> {
        let _ = (&self.pod, &self.options);
        Vec::new()
    }
}
