//! Cgroups of a Pod and its containers, and helpers that wait in them.
//!
//! On cgroup v1 entering a cgroup costs several ms of waiting for the kernel. So the helper of the container
//! that is due next is sent there while the one before it starts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use container::cgroup::{CgroupHandle, Degraded, Limits, Mode, QosClass};
use container::{Prepared, StartError};
use lifecycle::Instance;
use lifecycle::resources::{CgroupValues, container_cgroup, pod_cgroup};
use manifest::core::v1::{self, Container, Pod};

use crate::node::Node;

/// The cgroup of a Pod.
pub(crate) struct PodCgroup {
    handle: CgroupHandle,
    /// Helpers that wait, by the container they are for.
    waiting: Mutex<HashMap<(String, Instance), Place>>,
}

/// A container's cgroup and the helper that is in it.
pub(crate) struct Place {
    pub(crate) cgroup: CgroupHandle,
    pub(crate) helper: Prepared,
}

impl PodCgroup {
    /// Makes the Pod's cgroup.
    pub(crate) fn create(node: &Node, pod: &Pod) -> Self {
        let qos = match manifest::resources::qos_class(&pod.spec) {
            v1::QosClass::Guaranteed => QosClass::Guaranteed,
            v1::QosClass::Burstable => QosClass::Burstable,
            v1::QosClass::BestEffort => QosClass::BestEffort,
        };
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let base = node.paths().cgroup_base();
        let (handle, degraded) =
            node.cgroups()
                .create_pod(base, qos, uid, &limits(&pod_cgroup(&pod.spec)));
        tell(node, degraded);
        Self {
            handle,
            waiting: Mutex::default(),
        }
    }

    /// Sends a helper ahead for a container's first run.
    pub(crate) fn send_ahead(&self, node: &Node, container: &Container) {
        // A failure here comes again, and is told, when the container is due.
        if let Ok(place) = self.place(node, container, 0) {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert((container.name.clone(), 0), place);
        }
    }

    /// A Pod's cgroup that there is already.
    pub(crate) fn existing(handle: CgroupHandle) -> Self {
        Self {
            handle,
            waiting: Mutex::default(),
        }
    }

    /// Calls helpers back that wait for their container, and gives the cgroup.
    pub(crate) fn without_helpers(&self) -> &CgroupHandle {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.clear();
        &self.handle
    }

    /// The place of a run: the one that waits, or a new one.
    pub(crate) fn take(
        &self,
        node: &Node,
        container: &Container,
        instance: Instance,
    ) -> Result<Place, StartError> {
        let waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(container.name.clone(), instance));
        match waiting {
            Some(place) => Ok(place),
            None => self.place(node, container, instance),
        }
    }

    fn place(
        &self,
        node: &Node,
        container: &Container,
        instance: Instance,
    ) -> Result<Place, StartError> {
        let name = format!("{}-{instance}", container.name);
        let (cgroup, degraded) = self
            .handle
            .create_child(&name, &limits(&container_cgroup(container)));
        tell(node, degraded);
        let inside = Some(&cgroup).filter(|cgroup| !cgroup.is_empty());
        let helper = node.launcher().prepare(inside)?;
        Ok(Place { cgroup, helper })
    }
}

fn limits(values: &CgroupValues) -> Limits {
    Limits {
        memory_bytes: values.memory_limit_bytes,
        cpu_shares: Some(values.cpu_shares),
        cpu_quota_micros: values.cpu_quota_us,
        pids: None,
    }
}

fn tell(node: &Node, degraded: Degraded) {
    // That there are no cgroups at all has been told of the machine.
    if node.cgroups().mode() == Mode::None {
        return;
    }
    degraded
        .0
        .into_iter()
        .for_each(|note| node.output().note(note));
}

/// The container that is started after `name`, or the first one.
pub(crate) fn due_after<'a>(pod: &'a Pod, name: Option<&str>) -> Option<&'a Container> {
    let mut all = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    if let Some(name) = name {
        all.find(|container| container.name == name);
    }
    all.next()
}
