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
mod console;
pub(crate) mod container_id;
mod events;
mod exit;
mod history;
mod mounts;
mod sandbox;
mod start;
pub(crate) mod wait;
mod worker;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use jiff::Timestamp;
use lifecycle::PodWaits;
use lifecycle::timeline::PodTimeline;
use manifest::core::v1::Pod;
use sys::handover::Incoming;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) use self::console::StdinOnce;
pub(crate) use self::sandbox::{disk_error, with_causes};
pub(crate) use self::start::StartedContainer;
pub(crate) use self::worker::KeptWorker;
use self::worker::{Replace, Told, Worker};
use crate::detached::{Going, Record};
use crate::logs::{LogError, LogRequest, LogStream};
use crate::node::Node;
use crate::publish::Reserved;
use crate::session::{Counted, PodNetwork, SessionError, Target};
use crate::state::{self, ClaimError, Ownership};

/// Where an answer is waited for.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, SessionError>>;

/// What can be asked of a running Pod.
pub(crate) enum Command {
    /// A deletion request with its grace in seconds (R8.1).
    Delete(Option<i64>),
    /// The end, at once.
    Kill,
    /// A Pod that has ended need not be kept any longer.
    Release,
    /// The end, gracefully; a detached Pod stays on record for another supervisor.
    Shutdown,
    /// The program is to begin anew while the Pod goes on.
    Restart(Replace),
    /// The running container of this name.
    Target(String, Reply<Target>),
    /// What became of the Pod so far.
    Timeline(oneshot::Sender<PodTimeline>),
    /// What the Pod waits for, and its changes.
    Waits(oneshot::Sender<watch::Receiver<Arc<PodWaits>>>),
    /// Where the Pod's sockets are made.
    Network(Reply<PodNetwork>),
    /// The running containers with their cgroups, in the order of the spec.
    Counted(Reply<Vec<Counted>>),
    /// A log of a container.
    Logs(LogRequest, oneshot::Sender<Result<LogStream, LogError>>),
    /// ConfigMaps or Secrets have changed.
    ObjectsChanged,
    /// The Pod is to be as this object says.
    Update(Arc<Pod>),
}

/// What comes with a Pod that is ours.
pub(crate) struct Owned {
    /// The lock of its directory.
    pub(crate) ownership: Ownership,
    /// Its ports of the host.
    pub(crate) ports: Vec<Reserved>,
    /// Where it is kept for the next supervisor, when it is detached.
    pub(crate) record: Option<Record>,
}

/// How a Pod ended.
#[derive(Debug)]
pub struct PodOutcome {
    /// The final object.
    pub pod: Arc<Pod>,
    /// What became of the Pod over time.
    pub timeline: PodTimeline,
    /// What could not be cleared away, in words.
    pub leftovers: Vec<String>,
}

/// A handle on a running Pod. Dropping it does not end the Pod.
#[derive(Debug)]
pub struct PodHandle {
    name: String,
    status: watch::Receiver<Arc<Pod>>,
    ended: watch::Receiver<bool>,
    waits: watch::Receiver<Arc<PodWaits>>,
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
        let owned = Owned {
            ownership: state::claim(node.paths(), &uid, namespace, &name, |_| Ok(()))?,
            ports,
            record: None,
        };
        Ok(Self::adopt(node, pod, owned))
    }

    /// Starts a Pod that is ours already.
    pub(crate) fn adopt(node: Arc<Node>, pod: Pod, owned: Owned) -> Self {
        Self::with_worker(pod, |pod, told| Ok(Worker::new(node, pod, owned, told)))
            .unwrap_or_else(|never: std::convert::Infallible| match never {})
    }

    /// Goes on with a Pod of the program before.
    pub(crate) fn resume(
        node: Arc<Node>,
        pod: Pod,
        owned: Owned,
        kept: KeptWorker,
        incoming: &mut Incoming,
    ) -> io::Result<Self> {
        Self::with_worker(pod, |pod, told| {
            Worker::resume(node, pod, owned, told, kept, incoming)
        })
    }

    fn with_worker<E>(
        pod: Pod,
        make: impl FnOnce(Arc<Pod>, Told) -> Result<Worker, E>,
    ) -> Result<Self, E> {
        let pod = Arc::new(pod);
        let (status_sender, status) = watch::channel(Arc::clone(&pod));
        let (ended_sender, ended) = watch::channel(false);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let (waits_sender, waits) = watch::channel(Arc::new(PodWaits::of(&pod.metadata)));
        let told = Told {
            status: status_sender,
            ended: ended_sender,
            waits: waits_sender,
        };
        let name = pod.metadata.name.clone().unwrap_or_default();
        let worker = make(pod, told)?;
        let task = tokio::spawn(worker.run(command_receiver));
        Ok(Self {
            name,
            status,
            ended,
            waits,
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

    /// What the Pod waits for, and its changes.
    pub fn waits(&self) -> watch::Receiver<Arc<PodWaits>> {
        self.waits.clone()
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
        self.gone().await
    }

    /// Waits until somebody has deleted the Pod, or shut it down, and nothing of it runs.
    pub async fn gone(self) -> PodOutcome {
        let last = Arc::clone(&self.status.borrow());
        self.task.await.unwrap_or_else(|error| PodOutcome {
            timeline: PodTimeline::new(&last, Timestamp::now().into()),
            pod: last,
            leftovers: vec![format!("the Pod's task ended early: {error}")],
        })
    }
}

/// Asks something of a Pod: to end, to change, or what [`session`](crate::session) is about.
#[derive(Clone, Debug)]
pub struct PodControl(mpsc::UnboundedSender<Command>);

impl PodControl {
    /// Asks the Pod to end within `grace_seconds`, or its own grace period (R8.1). With 0, which is what a forced deletion
    /// asks for, its object is gone at once and its name is free, while its processes still end (R8.19).
    pub fn delete(&self, grace_seconds: Option<i64>) {
        // A Pod that has ended already hears nothing, which is what was wanted.
        let _ = self.0.send(Command::Delete(grace_seconds));
    }

    /// Whether the Pod is gone for good.
    pub fn is_over(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends a detached Pod gracefully and keeps it on record: whoever recovers it starts it again.
    pub fn shut_down(&self) {
        let _ = self.0.send(Command::Shutdown);
    }

    /// At the next moment at which nothing is being started, asked or taken down, hands the Pod to `replace`, which puts
    /// another program into this process (see [`Going::begin`]). If that fails, or no such moment comes within a minute,
    /// a note says so and the Pod goes on as before.
    pub fn restart(&self, replace: impl FnOnce(Going) -> io::Error + Send + 'static) {
        let _ = self.0.send(Command::Restart(Box::new(replace)));
    }

    /// Ends the Pod at once.
    pub fn kill(&self) {
        let _ = self.0.send(Command::Kill);
    }

    /// Tells the Pod that ConfigMaps or Secrets of the node's [`Objects`](crate::objects::Objects) have changed: its volumes
    /// of them are brought up to date, and containers that wait for one are tried again.
    pub fn objects_changed(&self) {
        let _ = self.0.send(Command::ObjectsChanged);
    }

    /// Changes a running Pod as a later `apply` may: images, labels, annotations, `activeDeadlineSeconds`. An object with
    /// other containers, or of another UID, changes nothing.
    pub fn update(&self, pod: Pod) {
        let _ = self.0.send(Command::Update(Arc::new(pod)));
    }

    /// The log of a container, of its present or its previous run.
    ///
    /// # Errors
    /// There is no such container, or it has not run, in the words of the kubelet.
    pub async fn logs(&self, request: LogRequest) -> Result<LogStream, LogError> {
        let asked = self.ask(|reply| Command::Logs(request, reply));
        asked.await.unwrap_or(Err(LogError::PodGone))
    }

    /// What became of the Pod so far; nothing when it is gone.
    pub async fn timeline(&self) -> Option<PodTimeline> {
        self.ask(Command::Timeline).await
    }

    /// What the Pod waits for, as soon as that has changed more often than `after` times; nothing when it is gone.
    pub async fn waits(&self, after: Option<u64>) -> Option<Arc<PodWaits>> {
        let mut waits = self.ask(Command::Waits).await?;
        let is_new = |waits: &Arc<PodWaits>| after.is_none_or(|after| waits.version() > after);
        let found = waits.wait_for(is_new).await.ok()?;
        Some(Arc::clone(&found))
    }

    /// The running container of this name.
    pub(crate) async fn target(&self, container: &str) -> Result<Target, SessionError> {
        let name = container.to_owned();
        let gone = || SessionError::ContainerNotFound(container.to_owned());
        self.ask(|reply| Command::Target(name, reply))
            .await
            .unwrap_or_else(|| Err(gone()))
    }

    /// What a Pod with a sandbox answers.
    pub(crate) async fn answer<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, SessionError> {
        // Its name is with the one who asks.
        let gone = || SessionError::PodNotFound(String::new());
        self.ask(command).await.unwrap_or_else(|| Err(gone()))
    }

    /// Nothing comes of it when the Pod's task is gone.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.0.send(command(reply)).ok()?;
        answer.await.ok()
    }
}

/// A pipe for input: their end first. Our end does not block, theirs does.
pub(crate) fn input_pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&write, true)?;
    Ok((read, write))
}

/// A pipe for output: our end first. It does not block, theirs does.
pub(crate) fn output_pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}
