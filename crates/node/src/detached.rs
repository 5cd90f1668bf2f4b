//! Pods that go on without a terminal.
//!
//! Each has a supervisor: a process that owns the Pod as a foreground run owns its Pods, and serves its API until the Pod
//! is deleted. What it needs to begin is on disk, so that another can take over should it be killed, or after a reboot:
//!
//! ```text
//!   run -d --create()--> pod.json objects.json detached.json --start()--> supervisor --save()--> pod.json
//!                                                                            |  killed
//!                  the next command --recover()--> start() <-----------------+
//! ```
//!
//! The Pod's lock goes from hand to hand: a supervisor gets it as its standard input, so there is no moment at which
//! nobody has it.

mod change;
mod process;
mod program;
mod recover;
mod restart;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use lifecycle::Time;
use lifecycle::timeline::PodTimeline;
use manifest::core::v1::{ConfigMap, Pod, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::change::{Difference, change};
pub use self::process::{Greeting, Starting, SupervisorError, take_lock};
pub use self::program::try_program;
pub(crate) use self::recover::clear_processes;
pub use self::recover::recover;
pub(crate) use self::restart::Handover;
pub use self::restart::{Coming, Going, let_signals_come};
use crate::endpoint;
use crate::node::PullPolicyOverride;
use crate::objects::Objects;
use crate::paths::{Paths, PodPaths};
use crate::publish::Publish;
use crate::state::{self, ClaimError, Ownership, StateError};

/// What was asked for: the Pod as its manifest says, with all that `run` was told about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The Pod of the manifest, with defaults.
    pub manifest: Pod,
    /// Ports to publish.
    pub publish: Vec<Publish>,
    /// Instead of every `imagePullPolicy`.
    pub pull: Option<PullPolicyOverride>,
}

/// The ConfigMaps and Secrets that a Pod refers to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct References {
    /// ConfigMaps by name.
    pub config_maps: Vec<ConfigMap>,
    /// Secrets by name.
    pub secrets: Vec<Secret>,
}

impl References {
    /// What of `objects` a Pod refers to.
    #[must_use]
    pub fn of(pod: &Pod, objects: &Objects) -> Self {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let mut found = Self::default();
        for (kind, name) in manifest::referenced(pod) {
            match kind {
                "ConfigMap" => found.config_maps.extend(
                    objects
                        .config_map(namespace, name)
                        .map(|map| (*map).clone()),
                ),
                _ => found.secrets.extend(
                    objects
                        .secret(namespace, name)
                        .map(|secret| (*secret).clone()),
                ),
            }
        }
        found
    }

    /// Puts them where Pods look for them.
    pub fn put(&self, objects: &Objects) {
        self.config_maps
            .iter()
            .for_each(|map| objects.put_config_map(map.clone()));
        self.secrets
            .iter()
            .for_each(|secret| objects.put_secret(secret.clone()));
    }
}

/// Makes the record of a Pod that is to go on without a terminal; [`Starting::begin`] starts it.
///
/// # Errors
/// When the name is taken or the record cannot be written; nothing is left then.
pub fn create(
    paths: &Paths,
    request: &Request,
    references: &References,
) -> Result<(String, Ownership), ClaimError> {
    let uid = uuid::Uuid::new_v4().to_string();
    let mut pod = request.manifest.clone();
    let namespace = pod
        .metadata
        .namespace
        .get_or_insert_with(|| "default".into());
    let namespace = namespace.clone();
    let name = pod.metadata.name.clone().unwrap_or_default();
    pod.metadata.uid = Some(uid.clone());
    pod.metadata.creation_timestamp = Some(jiff::Timestamp::now().into());
    let ownership = state::claim(paths, &uid, &namespace, &name, |of_pod| {
        write(&of_pod.object(), &pod)?;
        write(&of_pod.objects(), references)?;
        Record::new(of_pod.clone()).note_boot()?;
        // The last: with it the Pod is detached.
        write(&of_pod.detached(), request)
    })?;
    Ok((uid, ownership))
}

/// Who has a name.
#[derive(Debug)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A Pod that is bound to a terminal.
    Foreground,
    /// A detached Pod of this record.
    Detached(Record),
}

/// Who has the name of a Pod now.
#[must_use]
pub fn holder(paths: &Paths, namespace: &str, name: &str) -> Holder {
    match state::holder(paths, namespace, name) {
        None => Holder::Nobody,
        Some(uid) => {
            let pod = paths.pod(&uid);
            if pod.detached().exists() {
                Holder::Detached(Record::new(pod))
            } else {
                Holder::Foreground
            }
        }
    }
}

/// Removes a detached Pod that cannot be given a supervisor: its port is taken, its record is damaged. Returns whether
/// there was one.
///
/// # Errors
/// When it cannot be removed.
pub fn discard(paths: &Paths, namespace: &str, name: &str) -> Result<bool, StateError> {
    let Some(uid) = state::holder(paths, namespace, name) else {
        return Ok(false);
    };
    let Some(_ownership) = state::take(&paths.pod(&uid))? else {
        return Ok(false);
    };
    Record::new(paths.pod(&uid)).discard(paths, namespace, name)?;
    Ok(true)
}

/// The record of a detached Pod, held by its supervisor.
#[derive(Debug)]
pub struct Record {
    paths: PodPaths,
    /// Whether the Pod was last started in another boot of the machine.
    rebooted: bool,
}

impl Record {
    /// The record of a Pod's directory.
    #[must_use]
    pub fn new(paths: PodPaths) -> Self {
        Self {
            paths,
            rebooted: false,
        }
    }

    /// Whether a supervisor answers for the Pod.
    #[must_use]
    pub fn is_served(&self, paths: &Paths) -> bool {
        let uid = self.paths.dir.file_name().unwrap_or_default();
        endpoint::answers(paths, &uid.to_string_lossy())
    }

    /// The Pod as it was last.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn pod(&self) -> Result<Pod, StateError> {
        read(&self.paths.object())
    }

    /// What was asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn request(&self) -> Result<Request, StateError> {
        read(&self.paths.detached())
    }

    /// What the Pod refers to.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn references(&self) -> Result<References, StateError> {
        read(&self.paths.objects())
    }

    /// Whether the machine was started anew since the Pod was last started.
    pub(crate) fn is_of_another_boot(&self) -> bool {
        let known = read::<String>(&self.paths.boot_id());
        known.is_ok_and(|known| known != boot_id())
    }

    /// The Pod is started in this boot.
    pub(crate) fn note_boot(&mut self) -> Result<(), StateError> {
        self.rebooted = self.is_of_another_boot();
        write(&self.paths.boot_id(), &boot_id())
    }

    /// What became of the Pod; and when that was kept, if the Pod may have been otherwise since: what is kept is true until
    /// the supervisor dies, but when the machine went down nobody knows.
    pub(crate) fn timeline(&self) -> Option<(PodTimeline, Option<Time>)> {
        let path = self.paths.timeline();
        let timeline = read(&path).ok()?;
        if !self.rebooted {
            return Some((timeline, None));
        }
        let kept_at = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
        let kept_at = jiff::Timestamp::try_from(kept_at).ok()?;
        Some((timeline, Some(Time::from(kept_at))))
    }

    /// Keeps the Pod as it is now, and what became of it.
    pub(crate) fn save(&self, pod: &Arc<Pod>, timeline: &PodTimeline) -> Result<(), StateError> {
        write(&self.paths.object(), &**pod)?;
        write(&self.paths.timeline(), timeline)
    }

    /// Keeps what is asked for from now on.
    ///
    /// # Errors
    /// When it cannot be written; what was kept before stays.
    pub fn replace(&self, request: &Request, references: &References) -> Result<(), StateError> {
        write(&self.paths.objects(), references)?;
        write(&self.paths.detached(), request)
    }

    /// In a supervisor that cannot do its work: takes back a Pod that has never been anything.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn take_back(&self, paths: &Paths) -> Result<(), StateError> {
        match self.pod() {
            Ok(pod) if pod.status.is_none() => {
                let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
                let name = pod.metadata.name.as_deref().unwrap_or_default();
                self.discard(paths, namespace, name)
            }
            _ => Ok(()),
        }
    }

    fn discard(&self, paths: &Paths, namespace: &str, name: &str) -> Result<(), StateError> {
        self.give_up();
        let uid = self.paths.dir.file_name().unwrap_or_default();
        let uid = uid.to_string_lossy();
        // While the name is its own: afterwards another Pod may have it.
        endpoint::forget(paths, &uid, namespace, name);
        state::release_name(paths, &uid, namespace, name);
        state::remove_pod(paths, &self.paths)
    }

    /// From now on it is a Pod like any other: without an owner it is cleared away.
    pub(crate) fn give_up(&self) {
        let _ = fs::remove_file(self.paths.detached());
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, StateError> {
    let text = fs::read(path).map_err(|error| StateError::new("read", path, error))?;
    serde_json::from_slice(&text).map_err(|error| StateError::new("read", path, error))
}

/// Whole or not at all; for nobody but root, since Secrets may be in it.
fn write(path: &Path, object: &impl Serialize) -> Result<(), StateError> {
    let failed = |error: io::Error| StateError::new("write", path, error);
    let text = serde_json::to_vec(object).map_err(|error| failed(error.into()))?;
    let new = path.with_extension("new");
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(&new)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        failed(error)
    })
}

/// Tells one boot of this machine from another.
fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}
