//! What all Pods of one process share.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use container::Launcher;
use container::cgroup::Cgroups;
use image::{Image, Reference, Store};
use lifecycle::Options as MachineOptions;
use manifest::core::v1::{Pod, PullPolicy};
use network::Network;
use network::dns_config::{self, DnsRequest};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;
use crate::detached::{Coming, Record};
use crate::env::NodeFacts;
use crate::logs::{LogRotation, Recorder};
use crate::objects::Objects;
use crate::observer::Observer;
use crate::output::Output;
use crate::paths::Paths;
use crate::pod::{Owned, PodHandle, with_causes};
use crate::publish::{self, Publish, PublishError, Reserved};
use crate::session::MOST_SESSIONS;
use crate::state::{self, ClaimError, Ownership, StateError};
use crate::{detached, identity};

/// So long after the start of Pods most of them wait for something.
const SETTLED: Duration = Duration::from_secs(2);

/// How a node is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep all state here instead of the standard places.
    pub root: Option<PathBuf>,
    /// Instead of every `imagePullPolicy`.
    pub pull: Option<PullPolicyOverride>,
    /// The name of a container with whose end its Pod is to end, whatever its restart policy says.
    pub end_with: Option<String>,
    /// How much is kept of what containers write.
    pub log_rotation: LogRotation,
}

/// `--pull`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullPolicyOverride {
    /// Pull before each start.
    Always,
    /// Pull what is not there.
    IfNotPresent,
    /// Never pull.
    Never,
}

/// Why Pods cannot run here, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Not root.
    #[error("containers need root: run it with sudo, or as root in the container or VM you are in")]
    NotRoot,
    /// The kernel lacks something.
    #[error("{what} (hint: {hint})")]
    Missing {
        /// What is missing.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// A directory cannot be made, or a file of the kernel not be read.
    #[error("{step} {}", path.display())]
    Path {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The image store.
    #[error("open the image store")]
    Images(#[source] image::Error),
    /// The program cannot find itself.
    #[error("prepare to start containers")]
    Launcher(#[source] container::StartError),
    /// There can be no thread that writes log files.
    #[error("start to record logs")]
    Recorder(#[source] io::Error),
    /// Something that the program before has handed over.
    #[error("take the Pod over from the program before")]
    TakeOver(#[source] io::Error),
    /// A Pod's state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A Pod's name.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The program could not be made an image.
    #[error("{0}")]
    Builtin(String),
    /// A port that cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// What all Pods of one process share.
#[derive(Debug)]
pub struct Node {
    paths: Paths,
    clock: Clock,
    output: Recorder,
    observer: Arc<dyn Observer>,
    objects: Objects,
    images: Store,
    launcher: Launcher,
    descriptor_limit: Option<u64>,
    cgroups: Cgroups,
    network: OnceCell<Result<Network, String>>,
    builtin: OnceLock<Result<Image, String>>,
    facts: NodeFacts,
    pull: Option<PullPolicyOverride>,
    end_with: Option<String>,
    log_rotation: LogRotation,
    sessions: Arc<Semaphore>,
    notes: Vec<String>,
}

impl Node {
    /// Checks that Pods can run here, and opens what Pods share. [`recover`](crate::detached::recover) comes first.
    ///
    /// # Errors
    /// One sentence that says what is missing and what to do; nothing is left behind then.
    pub async fn open(
        options: Options,
        output: Output,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, NodeError> {
        let descriptor_limit = raise_descriptor_limit();
        Self::open_with(options, output, observer, Clock::start(), descriptor_limit)
    }

    /// The same in a program that takes a Pod over from the one before, whose clock and Pod network it goes on with.
    ///
    /// # Errors
    /// As [`Node::open`].
    pub async fn reopen(
        options: Options,
        output: Output,
        observer: Arc<dyn Observer>,
        coming: &mut Coming,
    ) -> Result<Arc<Self>, NodeError> {
        let clock = Clock::take_over(coming.kept.clock.clone());
        let limit = coming.kept.descriptor_limit;
        let node = Self::open_with(options, output, observer, clock, limit)?;
        if let Some(kept) = coming.kept.network.take() {
            let network = Network::take_over(kept, &mut coming.incoming);
            let network = network.map_err(|error| NodeError::TakeOver(io::Error::other(error)))?;
            // It was empty a moment ago.
            let _ = node.network.set(Ok(network));
        }
        Ok(node)
    }

    fn open_with(
        options: Options,
        output: Output,
        observer: Arc<dyn Observer>,
        clock: Clock,
        descriptor_limit: Option<u64>,
    ) -> Result<Arc<Self>, NodeError> {
        check_user()?;
        let paths = Paths::new(options.root.as_deref());
        for dir in [paths.lib.clone(), paths.pods()] {
            fs::create_dir_all(&dir).map_err(|source| NodeError::Path {
                step: "create",
                path: dir.clone(),
                source,
            })?;
        }
        check_overlay()?;
        let images = Store::open(&paths.images()).map_err(NodeError::Images)?;
        let launcher = Launcher::new().map_err(NodeError::Launcher)?;
        let launcher = launcher.with_descriptor_limit(descriptor_limit);
        let cgroups = Cgroups::detect().map_err(|source| NodeError::Path {
            step: "find the cgroups in",
            path: "/proc/self/mountinfo".into(),
            source,
        })?;
        let output = Recorder::start(output, clock.clone()).map_err(NodeError::Recorder)?;
        let mut notes = Vec::new();
        if cgroups.mode() == container::cgroup::Mode::None {
            notes.push(
                "no cgroup file system is mounted: limits of memory and cpu are not enforced"
                    .into(),
            );
        }
        Ok(Arc::new(Self {
            paths,
            clock,
            output,
            observer,
            objects: Objects::default(),
            images,
            launcher,
            descriptor_limit,
            cgroups,
            network: OnceCell::new(),
            builtin: OnceLock::new(),
            facts: identity::facts(),
            pull: options.pull,
            end_with: options.end_with,
            log_rotation: options.log_rotation,
            sessions: Arc::new(Semaphore::new(MOST_SESSIONS)),
            notes,
        }))
    }

    /// What does not work fully on this machine, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The ConfigMaps and Secrets that Pods may refer to.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Starts Pods that have been defaulted and validated: all of them or none.
    ///
    /// # Errors
    /// A port that cannot be published, or a directory that cannot be made.
    pub async fn start(
        self: &Arc<Self>,
        pods: Vec<Pod>,
        publish: &[Publish],
    ) -> Result<Vec<PodHandle>, NodeError> {
        self.provide_builtin(&pods)?;
        let mut ready = Vec::new();
        for mut pod in pods {
            let reserved = publish::reserve(&pod, publish)?;
            let metadata = &mut pod.metadata;
            metadata
                .uid
                .get_or_insert_with(|| uuid::Uuid::new_v4().to_string());
            metadata.namespace.get_or_insert_with(|| "default".into());
            metadata.creation_timestamp = Some(self.clock.shown(self.clock.now()).to_meta());
            pod.spec
                .node_name
                .get_or_insert_with(|| self.facts.node_name.clone());
            ready.push((pod, reserved));
        }
        let mut handles = Vec::new();
        for (pod, reserved) in ready {
            match PodHandle::start(Arc::clone(self), pod, reserved) {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    for handle in handles {
                        handle.control().kill();
                        handle.wait().await;
                    }
                    return Err(error.into());
                }
            }
        }
        settle();
        Ok(handles)
    }

    /// Starts a detached Pod from its record, in its supervisor, or takes it over from one that is gone (R1.11).
    ///
    /// # Errors
    /// A port that cannot be published, or a record that cannot be read.
    pub fn adopt(
        self: &Arc<Self>,
        uid: &str,
        ownership: Ownership,
    ) -> Result<PodHandle, NodeError> {
        let mut record = Record::new(self.paths.pod(uid));
        let mut pod = record.pod()?;
        self.provide_builtin(std::slice::from_ref(&pod))?;
        let wanted = record.request()?.publish;
        let reserved = match &pod.status {
            None => publish::reserve(&pod, &wanted),
            Some(_) => publish::take_over(&pod, &wanted),
        }?;
        record.references()?.put(&self.objects);
        record.note_boot()?;
        // What the containers of an earlier supervisor wrote goes with them.
        state::remove_dir(&self.paths.pod(uid).containers())?;
        pod.spec
            .node_name
            .get_or_insert_with(|| self.facts.node_name.clone());
        let owned = Owned {
            ownership,
            ports: reserved,
            record: Some(record),
        };
        settle();
        Ok(PodHandle::adopt(Arc::clone(self), pod, owned))
    }

    /// Goes on with the Pod of the program before; its containers run.
    ///
    /// # Errors
    /// Something of it did not come along, or its record cannot be read.
    pub fn resume(self: &Arc<Self>, coming: Coming) -> Result<PodHandle, NodeError> {
        let mut coming = coming;
        let ownership = coming.ownership().map_err(NodeError::TakeOver)?;
        let Coming { kept, mut incoming } = coming;
        let record = Record::new(
            self.paths
                .pod(kept.pod.metadata.uid.as_deref().unwrap_or("")),
        );
        record.references()?.put(&self.objects);
        let ports = kept.worker.ports.iter();
        let ports = ports.map(|port| Reserved::take_over(port, &mut incoming));
        let owned = Owned {
            ownership,
            ports: ports
                .collect::<io::Result<_>>()
                .map_err(NodeError::TakeOver)?,
            record: Some(record),
        };
        settle();
        let node = Arc::clone(self);
        PodHandle::resume(node, kept.pod, owned, kept.worker, &mut incoming)
            .map_err(NodeError::TakeOver)
    }

    /// Where this node keeps things.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn output(&self) -> &Recorder {
        &self.output
    }

    pub(crate) fn log_rotation(&self) -> LogRotation {
        self.log_rotation
    }

    pub(crate) fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// What containers may open, where that is not what this process may.
    pub(crate) fn descriptor_limit(&self) -> Option<u64> {
        self.descriptor_limit
    }

    /// The Pod network, if a Pod has needed it.
    pub(crate) fn opened_network(&self) -> Option<&Network> {
        self.network.get()?.as_ref().ok()
    }

    pub(crate) fn cgroups(&self) -> &Cgroups {
        &self.cgroups
    }

    pub(crate) fn facts(&self) -> &NodeFacts {
        &self.facts
    }

    pub(crate) fn machine_options(&self) -> MachineOptions {
        MachineOptions {
            node_memory_bytes: u64::try_from(self.facts.memory_bytes).unwrap_or(0),
            ..MachineOptions::default()
        }
    }

    /// The Pod network, opened by the first Pod that needs it.
    pub(crate) async fn network(&self) -> Result<Network, String> {
        let opened = self.network.get_or_init(|| async {
            let opened =
                tokio::task::spawn_blocking(|| Network::open(network::Config::default())).await;
            match opened {
                Ok(Ok((network, notes))) => {
                    notes.into_iter().for_each(|note| self.output.note(note));
                    Ok(network)
                }
                Ok(Err(error)) => Err(with_causes(&error)),
                Err(error) => Err(error.to_string()),
            }
        });
        opened.await.clone()
    }

    /// Makes the built-in image before anything starts, where a container wants it.
    fn provide_builtin(&self, pods: &[Pod]) -> Result<(), NodeError> {
        let mut containers = pods
            .iter()
            .flat_map(|pod| pod.spec.init_containers.iter().chain(&pod.spec.containers));
        let wanted = containers.any(|container| {
            let name = container.image.as_deref().unwrap_or_default();
            Reference::parse(name).is_ok_and(|reference| reference.is_builtin())
        });
        if wanted && let Err(message) = self.builtin() {
            return Err(NodeError::Builtin(message));
        }
        Ok(())
    }

    fn builtin(&self) -> Result<Image, String> {
        let made = self.builtin.get_or_init(|| {
            let program = Path::new("/proc/self/exe");
            self.images
                .ensure_builtin(program)
                .map_err(|error| image_error(&error))
        });
        made.clone()
    }

    /// The image that a container names, if it is on this machine.
    pub(crate) fn image(&self, reference: &Reference) -> Result<Option<Image>, String> {
        if reference.is_builtin() {
            return self.builtin().map(Some);
        }
        self.images
            .resolve(reference)
            .map_err(|error| with_causes(&error))
    }

    /// Room for one more session, if there is any.
    pub(crate) fn session(&self) -> Option<Arc<OwnedSemaphorePermit>> {
        let permit = Arc::clone(&self.sessions).try_acquire_owned();
        permit.ok().map(Arc::new)
    }

    /// The container whose end is to be its Pod's.
    pub(crate) fn end_with(&self) -> Option<&str> {
        self.end_with.as_deref()
    }

    /// When a container's image is to be pulled.
    pub(crate) fn pull_policy(&self, of_container: Option<PullPolicy>) -> PullPolicy {
        match self.pull {
            None => of_container.unwrap_or_default(),
            Some(PullPolicyOverride::Always) => PullPolicy::Always,
            Some(PullPolicyOverride::IfNotPresent) => PullPolicy::IfNotPresent,
            Some(PullPolicyOverride::Never) => PullPolicy::Never,
        }
    }

    /// The Pod's `/etc/resolv.conf`; what could not be taken over is told.
    pub(crate) fn resolv_conf(&self, request: &DnsRequest<'_>) -> String {
        let own = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let upstream = fs::read_to_string("/run/systemd/resolve/resolv.conf").ok();
        let request = DnsRequest {
            node: &own,
            upstream: upstream.as_deref(),
            ..*request
        };
        let made = dns_config::resolv_conf(&request);
        made.notes
            .into_iter()
            .for_each(|note| self.output.note(note));
        made.text
    }

    /// Removes the cgroup of a Pod that has ended; gives what could not be removed.
    pub(crate) fn clear_processes(&self, uid: &str) -> Vec<String> {
        detached::clear_processes(&self.paths, &self.cgroups, uid)
    }
}

/// A Pod costs this process some thirty descriptors, and shells give out 1024. Returns the limit before, which is what
/// containers get: programs there may not expect another one.
fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, most).ok()?;
    limit.current
}

/// An error of the image store with what to do about it.
fn image_error(error: &image::Error) -> String {
    match error.hint() {
        Some(hint) => format!("{} (hint: {hint})", with_causes(error)),
        None => with_causes(error),
    }
}

/// Checks that this process may make containers.
///
/// # Errors
/// [`NodeError::NotRoot`].
pub fn check_user() -> Result<(), NodeError> {
    if rustix::process::geteuid().is_root() {
        Ok(())
    } else {
        Err(NodeError::NotRoot)
    }
}

/// When the bustle of starting is over, its code need not be counted as our memory any more.
fn settle() {
    tokio::spawn(async {
        tokio::time::sleep(SETTLED).await;
        let released = tokio::task::spawn_blocking(sys::code::release);
        // Memory is all that is lost where it does not work.
        let _ = released.await;
    });
}

fn check_overlay() -> Result<(), NodeError> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.split_whitespace().any(|word| word == "overlay") {
        return Ok(());
    }
    // A module that is not loaded yet is loaded by the first mount.
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let module = format!("/lib/modules/{release}/kernel/fs/overlayfs");
    if Path::new(&module).exists() {
        return Ok(());
    }
    Err(NodeError::Missing {
        what: "this kernel has no overlayfs, which containers' root file systems need".into(),
        hint: "load it with `modprobe overlay`, or use a kernel with CONFIG_OVERLAY_FS",
    })
}
