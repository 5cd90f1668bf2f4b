//! A running Pod: one task that owns its state machine and everything the Pod holds.
//!
//! ```text
//!   PodHandle --Command--> Worker --Input--> lifecycle::Machine --Action--> Worker
//!      ^                     |  ^                                             |
//!      +---- watch<Pod> -----+  +------------- Report ------- tasks <---------+
//! ```
//!
//! The worker never waits for anything but messages and the machine's next wake-up; what takes time (a
//! start, a probe, a hook, the end of a process) is a task that reports.

mod cgroup;
mod events;
mod exit;
mod mounts;
mod sandbox;
mod start;
pub(crate) mod wait;
mod worker;

use std::os::fd::OwnedFd;
use std::sync::Arc;

use manifest::core::v1::Pod;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub(crate) use self::sandbox::with_causes;
use self::worker::{Told, Worker};
use crate::node::Node;
use crate::publish::Reserved;
use crate::state::{self, ClaimError};

/// What can be asked of a running Pod.
#[derive(Debug)]
pub(crate) enum Command {
    /// A deletion request with its grace in seconds (R8.1).
    Delete(Option<i64>),
    /// The end, at once.
    Kill,
    /// A Pod that has ended need not be kept any longer.
    Release,
}

/// How a Pod ended.
#[derive(Debug)]
pub struct PodOutcome {
    /// The final object.
    pub pod: Arc<Pod>,
    /// What could not be cleared away, in words.
    pub leftovers: Vec<String>,
}

/// A handle on a running Pod. Dropping it does not end the Pod.
#[derive(Debug)]
pub struct PodHandle {
    name: String,
    status: watch::Receiver<Arc<Pod>>,
    ended: watch::Receiver<bool>,
    commands: mpsc::UnboundedSender<Command>,
    task: JoinHandle<PodOutcome>,
}

impl PodHandle {
    /// Starts a Pod that has been defaulted and validated. `ports` are those it publishes.
    ///
    /// # Errors
    /// When its directory cannot be made; nothing has been started then.
    pub(crate) fn start(
        node: Arc<Node>,
        pod: Pod,
        ports: Vec<Reserved>,
    ) -> Result<Self, ClaimError> {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let name = pod.metadata.name.clone().unwrap_or_default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let ownership = state::claim(node.paths(), &uid, namespace, &name)?;
        let paths = node.paths().pod(&uid);
        let pod = Arc::new(pod);
        let (status_sender, status) = watch::channel(Arc::clone(&pod));
        let (ended_sender, ended) = watch::channel(false);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let told = Told {
            status: status_sender,
            ended: ended_sender,
        };
        let worker = Worker::new(node, pod, paths, ownership, ports, told);
        let task = tokio::spawn(worker.run(command_receiver));
        Ok(Self {
            name,
            status,
            ended,
            commands,
            task,
        })
    }

    /// The Pod's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Pod as it is, and its changes.
    pub fn status(&self) -> watch::Receiver<Arc<Pod>> {
        self.status.clone()
    }

    /// What can ask the Pod to end while somebody else waits for that.
    pub fn control(&self) -> PodControl {
        PodControl(self.commands.clone())
    }

    /// Waits until the Pod has ended. Its object and its logs are there still, for others to look at.
    pub async fn ended(&self) {
        // A task that is gone has ended too.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Waits until the Pod has ended and nothing of it is left.
    pub async fn wait(self) -> PodOutcome {
        let _ = self.commands.send(Command::Release);
        let last = Arc::clone(&self.status.borrow());
        self.task.await.unwrap_or_else(|error| PodOutcome {
            pod: last,
            leftovers: vec![format!("the Pod's task ended early: {error}")],
        })
    }
}

/// Asks a Pod to end.
#[derive(Clone, Debug)]
pub struct PodControl(mpsc::UnboundedSender<Command>);

impl PodControl {
    /// Asks the Pod to end within `grace_seconds`, or its own grace period (R8.1).
    pub fn delete(&self, grace_seconds: Option<i64>) {
        // A Pod that has ended already hears nothing, which is what was wanted.
        let _ = self.0.send(Command::Delete(grace_seconds));
    }

    /// Whether the Pod is gone for good.
    pub fn is_over(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends the Pod at once.
    pub fn kill(&self) {
        let _ = self.0.send(Command::Kill);
    }
}

/// A pipe for output: our end does not block, theirs does.
pub(crate) fn output_pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}
