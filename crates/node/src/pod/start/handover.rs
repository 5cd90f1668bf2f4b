//! A running container on its way into the next program of its runner.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use container::cgroup::CgroupHandle;
use container::{KeptRunning, Process, Running};
use lifecycle::Instance;
use manifest::core::v1::Container;
use serde::{Deserialize, Serialize};
use sys::handover::{Incoming, Outgoing};
use tokio::sync::watch;

use super::StartedContainer;
use crate::logs::{KeptPumps, Pumps, RunLog};
use crate::node::Node;
use crate::output::LogSource;
use crate::paths::PodPaths;
use crate::pod::console::{Console, KeptConsole};

/// What is kept of a container that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptContainer {
    name: String,
    instance: Instance,
    running: KeptRunning,
    process: Process,
    cgroup: CgroupHandle,
    pumps: KeptPumps,
    console: KeptConsole,
    image_id: String,
    layers: Vec<i32>,
    image_name: String,
    termination_log: PathBuf,
    container: Container,
    stop_signal: i32,
    shares_processes: bool,
}

impl StartedContainer {
    /// Sends a container that runs on into the next program of this process.
    pub(crate) fn hand_over(&self, outgoing: &mut Outgoing) -> io::Result<KeptContainer> {
        let pumps = self.pumps.lock().unwrap_or_else(PoisonError::into_inner);
        let pumps = pumps.as_ref().map(|pumps| pumps.hand_over(outgoing));
        let ended = || io::Error::other("its output has ended");
        Ok(KeptContainer {
            name: self.name.clone(),
            instance: self.instance,
            pumps: pumps.ok_or_else(ended)??,
            running: self.running.hand_over(outgoing)?,
            process: self.process.clone(),
            cgroup: self.cgroup.clone(),
            console: self.console.hand_over(outgoing)?,
            image_id: self.image_id.clone(),
            layers: self
                .layers
                .iter()
                .map(|lock| outgoing.add(lock))
                .collect::<Result<_, _>>()?,
            image_name: self.image_name.clone(),
            termination_log: self.termination_log.clone(),
            container: self.container.clone(),
            stop_signal: self.stop_signal,
            shares_processes: self.shares_processes,
        })
    }

    /// Takes a container of the Pod `pod` over from the program before. Its end may have come meanwhile.
    pub(crate) fn take_over(
        kept: KeptContainer,
        node: &Node,
        pod: &str,
        paths: &PodPaths,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        let log = LogSource {
            pod: pod.into(),
            container: kept.name.as_str().into(),
            instance: kept.instance,
        };
        let log = RunLog::begin(log, paths, node.log_rotation()).map_err(io::Error::other)?;
        let log = Arc::new(log);
        let pumps = Pumps::take_over(node.output(), Arc::clone(&log), kept.pumps, incoming)?;
        let layers = kept.layers.into_iter();
        let layers = layers.map(|number| incoming.claim(number));
        Ok(Self {
            layers: layers.collect::<io::Result<Vec<OwnedFd>>>()?,
            name: kept.name,
            instance: kept.instance,
            running: Running::take_over(kept.running, incoming)?,
            process: kept.process,
            cgroup: kept.cgroup,
            log,
            pumps: Mutex::new(Some(pumps)),
            exit_code: watch::Sender::new(None),
            console: Console::take_over(&kept.console, incoming)?,
            image_id: kept.image_id,
            image_name: kept.image_name,
            termination_log: kept.termination_log,
            container: kept.container,
            stop_signal: kept.stop_signal,
            shares_processes: kept.shares_processes,
        })
    }
}
