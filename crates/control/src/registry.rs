//! What this process says of its Pods: the store behind its API, and the links by which clients find it.

use std::sync::{Arc, Mutex, PoisonError};

use manifest::core::v1::{Event, Pod};
use node::{Endpoint, Observer};

use crate::store::{Collection, Versions};

/// Events kept; the oldest give way.
const EVENTS_KEPT: usize = 1000;

/// Pods and Events of this process, as the node tells them.
#[derive(Debug)]
pub struct Registry {
    /// The Pods.
    pub pods: Arc<Collection<Pod>>,
    /// The Events; one that repeats counts up.
    pub events: Arc<Collection<Event>>,
    /// Names of the Events kept, oldest first.
    order: Mutex<Vec<(String, String)>>,
    endpoint: Endpoint,
}

impl Registry {
    /// An empty registry that is found at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        let versions = Versions::start(jiff::Timestamp::now());
        Self {
            pods: Arc::new(Collection::new(&versions)),
            events: Arc::new(Collection::new(&versions)),
            order: Mutex::default(),
            endpoint,
        }
    }

    /// A registry that goes on with Events which another one has [kept](Registry::kept_events).
    #[must_use]
    pub fn with_events(endpoint: Endpoint, events: Vec<Event>) -> Self {
        let registry = Self::new(endpoint);
        for event in events {
            registry.keep(event);
        }
        registry
    }

    /// The Events, oldest first.
    #[must_use]
    pub fn kept_events(&self) -> Vec<Event> {
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = order.iter();
        kept.filter_map(|(namespace, name)| Some((*self.events.get(namespace, name)?).clone()))
            .collect()
    }

    fn keep(&self, event: Event) {
        let kept = self.events.put(event);
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |text: &Option<String>| text.clone().unwrap_or_default();
        order.push((key(&kept.metadata.namespace), key(&kept.metadata.name)));
        if order.len() > EVENTS_KEPT {
            let (namespace, name) = order.remove(0);
            self.events.remove(&namespace, &name);
        }
    }

    /// Where it is found.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The newer of two like Events takes over the older one's name, and counts it.
    fn counted(&self, event: &Event) -> Option<Event> {
        let (known, _) = self.events.list();
        let same = known.iter().find(|other| {
            other.involved_object == event.involved_object
                && other.reason == event.reason
                && other.message == event.message
                && other.type_ == event.type_
        })?;
        let mut merged = (**same).clone();
        merged.count = Some(same.count.unwrap_or(1).saturating_add(1));
        merged.last_timestamp = event.last_timestamp;
        Some(merged)
    }
}

impl Observer for Registry {
    fn pod(&self, pod: &Arc<Pod>) {
        self.pods.put((**pod).clone());
    }

    fn event(&self, event: &Event) {
        if let Some(merged) = self.counted(event) {
            self.events.put(merged);
            return;
        }
        self.keep(event.clone());
    }

    fn gone(&self, pod: &Arc<Pod>) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        self.endpoint.unlink(namespace, name);
        self.pods.remove(namespace, name);
    }
}
