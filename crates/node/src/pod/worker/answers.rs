//! What a worker tells those who ask about its Pod.

use std::sync::Arc;

use lifecycle::{PodWaits, Time};

use super::Worker;
use crate::logs::{self, LogError, LogRequest, LogStream};
use crate::pod::sandbox::Sandbox;
use crate::pod::start::StartedContainer;
use crate::session::{Counted, PodNetwork, SessionError, Target};

impl Worker {
    /// The running container of this name, for a session.
    pub(super) fn session_target(&self, name: &str) -> Result<Target, SessionError> {
        let container = self
            .running(name)
            .ok_or_else(|| SessionError::ContainerNotFound(name.to_owned()))?;
        Ok(Target {
            node: Arc::clone(&self.node),
            container: Arc::clone(container),
        })
    }

    pub(super) fn session_sandbox(&self) -> Result<&Sandbox, SessionError> {
        self.sandbox.as_deref().ok_or_else(|| {
            let metadata = &self.pod.metadata;
            let name = metadata.name.as_deref().unwrap_or_default();
            let namespace = metadata.namespace.as_deref().unwrap_or("default");
            SessionError::PodNotFound(format!("{name}_{namespace}"))
        })
    }

    /// Tells what the Pod waits for, if that has changed.
    pub(super) fn tell_waits(&self, now: Time) {
        let mut waits = self.machine.waits(now);
        let clock = self.node.clock();
        for wait in &mut waits {
            wait.since = clock.shown(wait.since);
            for next in &mut wait.next {
                next.at = clock.shown(next.at);
            }
        }
        self.told.waits.send_if_modified(|told| {
            if told.waits == waits {
                return false;
            }
            let mut changed = PodWaits::of(&told.metadata);
            let version = told.version().saturating_add(1);
            changed.metadata.resource_version = Some(version.to_string());
            changed.waits = waits;
            *told = Arc::new(changed);
            true
        });
    }

    /// The running containers with their cgroups, in the order of the spec.
    pub(super) fn counted(&self) -> Result<Vec<Counted>, SessionError> {
        self.session_sandbox()?;
        let spec = &self.pod.spec;
        let all = spec.init_containers.iter().chain(&spec.containers);
        let running = all.filter_map(|container| self.running(&container.name));
        Ok(running
            .map(|started| {
                let (name, instance) = started.run();
                Counted {
                    name,
                    instance,
                    cgroup: started.cgroup().clone(),
                }
            })
            .collect())
    }

    pub(super) fn running(&self, name: &str) -> Option<&Arc<StartedContainer>> {
        self.containers.values().find(|started| {
            started.container().name == name && started.exit_code().borrow().is_none()
        })
    }

    pub(super) fn network(&self) -> Result<PodNetwork, SessionError> {
        let sandbox = self.session_sandbox()?;
        // A copy, so that nobody who connects slowly keeps the sandbox from being closed.
        let namespace = sandbox.inner().network_namespace();
        let copy = namespace.map(|fd| fd.try_clone_to_owned()).transpose();
        Ok(PodNetwork {
            uid: self.uid(),
            namespace: copy.map_err(|error| SessionError::system("copy a descriptor", error))?,
        })
    }

    pub(super) fn logs(&self, request: &LogRequest) -> Result<LogStream, LogError> {
        let run = logs::select(&self.told.status.borrow(), request)?;
        let own = self.containers.get(&run);
        let own = own.map(|started| Arc::clone(started.log()));
        let recorder = self.node.output();
        Ok(logs::read(recorder, &self.paths, run, own, request))
    }
}
