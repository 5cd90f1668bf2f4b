//! Objects with versions, and what changed since a version.
//!
//! A [`Collection`] holds the objects of one kind. Every change takes the next number of a counter that all collections
//! of a process share: the `resourceVersion` of Kubernetes. The newest changes are kept, so that a watch that begins at
//! a version that was listed misses nothing; one that asks for more than is kept is told that its version has expired.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manifest::core::v1::{Event, Pod};
use manifest::meta::v1::ObjectMeta;
use serde::Serialize;
use tokio::sync::watch;

/// Changes that a collection remembers.
const CHANGES_KEPT: usize = 1024;

/// A kind of object that can be stored.
pub trait Resource: Clone + Serialize + Send + Sync + 'static {
    /// Its kind, such as `Pod`.
    const KIND: &'static str;
    /// Its resource, such as `pods`.
    const RESOURCE: &'static str;
    /// Its metadata.
    fn metadata(&self) -> &ObjectMeta;
    /// Its metadata.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
}

macro_rules! resources {
    ($($type:ty => $kind:literal, $resource:literal;)*) => {
        $(impl Resource for $type {
            const KIND: &'static str = $kind;
            const RESOURCE: &'static str = $resource;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        })*
    };
}

resources! {
    Pod => "Pod", "pods";
    Event => "Event", "events";
}

/// The counter of `resourceVersion`.
///
/// It begins with the time in µs, so that a version of a process that is gone is never one of its successor.
#[derive(Clone, Debug)]
pub struct Versions(Arc<AtomicU64>);

impl Versions {
    /// A counter that begins now.
    #[must_use]
    pub fn start(now: jiff::Timestamp) -> Self {
        let begin = u64::try_from(now.as_microsecond()).unwrap_or(1);
        Self(Arc::new(AtomicU64::new(begin)))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The newest version given.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// The version that the change made.
    pub version: u64,
    /// The object before, unless it is new.
    pub before: Option<Arc<T>>,
    /// The object after, unless it is gone.
    pub after: Option<Arc<T>>,
}

/// A watch asked for changes that are not remembered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct Expired {
    /// The version asked for.
    pub asked: u64,
    /// The oldest that can be watched from.
    pub oldest: u64,
}

type Key = (String, String);

#[derive(Debug)]
struct State<T> {
    objects: BTreeMap<Key, Arc<T>>,
    changes: VecDeque<Change<T>>,
    /// All changes after this version are in `changes`.
    complete_since: u64,
}

/// The objects of one kind by namespace and name.
#[derive(Debug)]
pub struct Collection<T> {
    versions: Versions,
    state: Mutex<State<T>>,
    changed: watch::Sender<u64>,
}

impl<T: Resource> Collection<T> {
    /// An empty collection.
    #[must_use]
    pub fn new(versions: &Versions) -> Self {
        Self {
            versions: versions.clone(),
            state: Mutex::new(State {
                objects: BTreeMap::new(),
                changes: VecDeque::new(),
                complete_since: versions.newest(),
            }),
            changed: watch::Sender::new(versions.newest()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds or replaces an object; it is given its new version.
    pub fn put(&self, mut object: T) -> Arc<T> {
        let mut state = self.state();
        let version = self.versions.next();
        object.metadata_mut().resource_version = Some(version.to_string());
        let object = Arc::new(object);
        let before = state.objects.insert(key(&*object), Arc::clone(&object));
        self.note(&mut state, version, before, Some(Arc::clone(&object)));
        object
    }

    /// Removes an object and gives it.
    pub fn remove(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let mut state = self.state();
        let before = state.objects.remove(&(namespace.into(), name.into()))?;
        let version = self.versions.next();
        self.note(&mut state, version, Some(Arc::clone(&before)), None);
        Some(before)
    }

    fn note(
        &self,
        state: &mut State<T>,
        version: u64,
        before: Option<Arc<T>>,
        after: Option<Arc<T>>,
    ) {
        if state.changes.len() == CHANGES_KEPT
            && let Some(forgotten) = state.changes.pop_front()
        {
            state.complete_since = forgotten.version;
        }
        state.changes.push_back(Change {
            version,
            before,
            after,
        });
        self.changed.send_replace(version);
    }

    /// The object of this name.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        let state = self.state();
        state.objects.get(&(namespace.into(), name.into())).cloned()
    }

    /// All objects, by namespace and name, and the version of this list: a watch may begin there.
    pub fn list(&self) -> (Vec<Arc<T>>, u64) {
        let state = self.state();
        (
            state.objects.values().cloned().collect(),
            self.versions.newest(),
        )
    }

    /// Changes after `version`, now and to come.
    pub fn watch(self: &Arc<Self>, version: u64) -> Watch<T> {
        Watch {
            collection: Arc::clone(self),
            seen: version,
            changed: self.changed.subscribe(),
        }
    }
}

fn key<T: Resource>(object: &T) -> Key {
    let metadata = object.metadata();
    (
        metadata
            .namespace
            .clone()
            .unwrap_or_else(|| "default".into()),
        metadata.name.clone().unwrap_or_default(),
    )
}

/// Changes of a collection as they come.
#[derive(Debug)]
pub struct Watch<T> {
    collection: Arc<Collection<T>>,
    seen: u64,
    changed: watch::Receiver<u64>,
}

impl<T: Resource> Watch<T> {
    /// The next changes, at least one.
    ///
    /// # Errors
    /// [`Expired`] for a watch that began, or fell behind, further than is remembered.
    pub async fn next(&mut self) -> Result<Vec<Change<T>>, Expired> {
        loop {
            self.changed.borrow_and_update();
            let new = self.new_changes()?;
            if let Some(last) = new.last() {
                self.seen = last.version;
                return Ok(new);
            }
            if self.changed.changed().await.is_err() {
                // The collection lives as long as we hold it.
                std::future::pending::<()>().await;
            }
        }
    }

    fn new_changes(&self) -> Result<Vec<Change<T>>, Expired> {
        let state = self.collection.state();
        if self.seen < state.complete_since {
            return Err(Expired {
                asked: self.seen,
                oldest: state.complete_since,
            });
        }
        let from = state
            .changes
            .partition_point(|change| change.version <= self.seen);
        Ok(state.changes.range(from..).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
