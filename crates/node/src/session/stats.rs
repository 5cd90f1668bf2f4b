//! What a Pod's containers use, from their cgroups.

use std::time::{Duration, Instant};

use container::cgroup::{CgroupHandle, Usage};
use jiff::Timestamp;

use super::SessionError;
use crate::pod::{Command, PodControl};

/// A run of a container and the cgroup that counts for it.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) name: String,
    pub(crate) instance: u32,
    pub(crate) cgroup: CgroupHandle,
}

/// What a container has used and uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStats {
    /// Its name.
    pub name: String,
    /// Time of all its processes on the cpu since its start, in ns; `None` where nothing counts it.
    pub cpu_ns: Option<u64>,
    /// Bytes of memory in use that cannot be reclaimed at once: the usage without inactive pages of files, as the kubelet
    /// counts; `None` where nothing counts them.
    pub working_set_bytes: Option<u64>,
}

/// What a Pod has used and uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodStats {
    /// When it was read.
    pub time: Timestamp,
    /// The containers that run, in the order of the spec.
    pub containers: Vec<ContainerStats>,
}

impl PodStats {
    /// The cpu time of the containers that run, in ns.
    pub fn cpu_ns(&self) -> u64 {
        self.containers.iter().filter_map(|c| c.cpu_ns).sum()
    }

    /// The working sets of the containers that run, in bytes.
    pub fn working_set_bytes(&self) -> u64 {
        self.containers
            .iter()
            .filter_map(|c| c.working_set_bytes)
            .sum()
    }
}

/// How much a container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Its name.
    pub name: String,
    /// Billionths of a cpu, as a mean over the window; `None` where nothing counts it.
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
    /// The containers of which the same run was there from its beginning to its end, in the order of the spec.
    pub containers: Vec<ContainerUsage>,
}

impl PodControl {
    /// What the running containers have used so far and use now.
    ///
    /// # Errors
    /// [`SessionError::PodNotFound`] for a Pod without a sandbox.
    pub async fn stats(&self) -> Result<PodStats, SessionError> {
        let sample = self.sample().await?;
        let stats = |(counted, usage): (Counted, Usage)| ContainerStats {
            name: counted.name,
            cpu_ns: usage.cpu_ns,
            working_set_bytes: usage.working_set_bytes,
        };
        Ok(PodStats {
            time: Timestamp::now(),
            containers: sample.into_iter().map(stats).collect(),
        })
    }

    /// What the running containers use, measured over `window`.
    ///
    /// # Errors
    /// As [`PodControl::stats`].
    pub async fn usage(&self, window: Duration) -> Result<PodUsage, SessionError> {
        let (begin, before) = (Instant::now(), self.sample().await?);
        tokio::time::sleep(window).await;
        let (end, after) = (Instant::now(), self.sample().await?);
        let window = end.duration_since(begin);
        let used = |(counted, now): (Counted, Usage)| {
            let (_, then) = before
                .iter()
                .find(|(c, _)| (&c.name, c.instance) == (&counted.name, counted.instance))?;
            let spent = now.cpu_ns.zip(then.cpu_ns);
            let spent = spent.map(|(now, then)| u128::from(now.saturating_sub(then)));
            let nanocores = spent.map(|ns| ns * 1_000_000_000 / window.as_nanos().max(1));
            Some(ContainerUsage {
                name: counted.name,
                cpu_nanocores: nanocores.and_then(|n| u64::try_from(n).ok()),
                working_set_bytes: now.working_set_bytes,
            })
        };
        Ok(PodUsage {
            time: Timestamp::now(),
            window,
            containers: after.into_iter().filter_map(used).collect(),
        })
    }

    /// Reads the counts, on a thread that may block: the kernel adds them up while it is asked.
    async fn sample(&self) -> Result<Vec<(Counted, Usage)>, SessionError> {
        let counted = self.answer(Command::Counted).await?;
        let read = move || counted.into_iter().map(|c| (c.clone(), c.cgroup.usage()));
        let sample = tokio::task::spawn_blocking(move || read().collect()).await;
        sample.map_err(|error| SessionError::system("read the cgroups", error))
    }
}
