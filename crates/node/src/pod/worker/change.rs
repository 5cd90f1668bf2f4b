//! What others may ask of a Pod: to end, to be as another object says, to take new ConfigMaps and Secrets over.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use lifecycle::{EventKind, Input, PodEvent, Time};
use manifest::core::v1::Pod;
use manifest::meta::v1::{self, ObjectMeta};
use tokio::task::JoinHandle;

use super::{Report, Worker};
use crate::pod::sandbox::stamp;
use crate::state;
use crate::volumes;

/// A deletion that was asked for, as the object shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deletion {
    /// When the Pod is to be gone.
    timestamp: v1::Time,
    /// Seconds it was given.
    grace_seconds: i64,
    /// Whether the object is gone for others while the processes still end (R8.19).
    forced: bool,
}

impl Deletion {
    /// One that a Pod's earlier owner wrote down.
    pub(super) fn recorded(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            timestamp: metadata.deletion_timestamp?,
            grace_seconds: metadata.deletion_grace_period_seconds.unwrap_or(1),
            forced: false,
        })
    }

    pub(super) fn show(&self, metadata: &mut ObjectMeta) {
        metadata.deletion_timestamp = Some(self.timestamp);
        metadata.deletion_grace_period_seconds = Some(self.grace_seconds);
    }
}

/// The Pod's volumes on their way to what ConfigMaps, Secrets and its own object say now.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    task: Option<JoinHandle<()>>,
    /// Something has changed since.
    wanted: bool,
    count: u32,
}

impl Refresh {
    /// Whether somebody writes into volumes.
    pub(super) fn is_under_way(&self) -> bool {
        self.task.is_some()
    }

    /// Waits until nobody writes into volumes any more.
    pub(super) async fn ended(&mut self) {
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Worker {
    /// A deletion request (R8.1). With a grace of 0 the object is gone for others at once, and its name is free (R8.19).
    pub(super) fn delete(&mut self, grace_seconds: Option<i64>) {
        self.note_deletion(grace_seconds);
        self.step(Input::Delete { grace_seconds });
        if grace_seconds == Some(0) && !self.is_forced() {
            if let Some(deletion) = &mut self.deletion {
                deletion.forced = true;
            }
            self.history.give_up();
            let pod = Arc::clone(&self.told.status.borrow());
            let metadata = &pod.metadata;
            let namespace = metadata.namespace.as_deref().unwrap_or("default");
            let name = metadata.name.as_deref().unwrap_or_default();
            state::release_name(self.node.paths(), &self.uid(), namespace, name);
            self.node.observer().gone(&pod);
        }
    }

    /// What the object shows of a deletion; a later request can only shorten it.
    pub(super) fn note_deletion(&mut self, grace_seconds: Option<i64>) {
        let asked = grace_seconds
            .or(self.pod.spec.termination_grace_period_seconds)
            .unwrap_or(30)
            .max(1);
        if self
            .deletion
            .is_some_and(|known| known.grace_seconds <= asked)
        {
            return;
        }
        let now = self.node.clock().now();
        let end = Time(now.0.saturating_add(asked.saturating_mul(1000)));
        self.deletion = Some(Deletion {
            timestamp: self.node.clock().shown(end).to_meta(),
            grace_seconds: asked,
            forced: self.is_forced(),
        });
    }

    /// Whether the object is gone for others already.
    pub(super) fn is_forced(&self) -> bool {
        self.deletion.is_some_and(|deletion| deletion.forced)
    }

    /// The Pod is to be as this object says, if that is this Pod and has the same containers.
    pub(super) fn update(&mut self, wanted: &Pod) {
        let own = &self.pod.metadata;
        if wanted.metadata.uid != own.uid {
            return;
        }
        let mut pod = wanted.clone();
        pod.status = None;
        pod.metadata.creation_timestamp = own.creation_timestamp;
        pod.metadata.deletion_timestamp = None;
        pod.metadata.deletion_grace_period_seconds = None;
        self.step(Input::SpecChanged { pod: Arc::new(pod) });
        // Labels and annotations may be in files.
        self.refresh();
    }

    /// ConfigMaps or Secrets have changed.
    pub(super) fn objects_changed(&mut self) {
        self.step(Input::ObjectsChanged);
        self.refresh();
    }

    /// A sandbox is there; what changed while it was made may not be in its volumes.
    pub(super) fn refresh_what_changed(&mut self) {
        if self.refresh.wanted {
            self.refresh();
        }
    }

    /// The last refresh is done.
    pub(super) fn refreshed(&mut self) {
        self.refresh.task = None;
        self.refresh_what_changed();
    }

    /// Brings the volumes up to date, one refresh after the other (R19.2).
    fn refresh(&mut self) {
        self.refresh.wanted = true;
        let Some(sandbox) = &self.sandbox else { return };
        if self.refresh.task.is_some() {
            return;
        }
        self.refresh.wanted = false;
        self.refresh.count += 1;
        let memory = |name: &String| {
            let copy = sandbox.inner().tmpfs(name)?.try_clone_to_owned();
            Some((name.clone(), copy.ok()?))
        };
        // Copies, so that the sandbox can be closed meanwhile.
        let names = self.pod.spec.volumes.iter().map(|volume| &volume.name);
        let memory: HashMap<String, OwnedFd> = names.filter_map(memory).collect();
        let (node, pod) = (Arc::clone(&self.node), Arc::clone(&self.pod));
        let (paths, facts) = (self.paths.clone(), sandbox.facts().clone());
        let stamp = stamp(&self.node, self.refresh.count);
        let reporter = self.reporter.clone();
        self.refresh.task = Some(tokio::task::spawn_blocking(move || {
            let context = volumes::Context {
                pod: &pod,
                paths: &paths,
                objects: node.objects(),
                facts: &facts,
                stamp,
            };
            let failed = volumes::refresh(&context, |name| memory.get(name).map(AsFd::as_fd));
            for error in failed {
                let event =
                    PodEvent::new(EventKind::Warning, "FailedMount", error.to_string(), None);
                let _ = reporter.send(Report::Event(event));
            }
            let _ = reporter.send(Report::Refreshed);
        }));
    }
}
