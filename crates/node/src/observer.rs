//! Who keeps what a node's Pods are: the store behind an API.

use std::fmt;
use std::sync::Arc;

use manifest::core::v1::{Event, Pod};

/// Is told of a node's Pods and Events as they come and change, in order.
///
/// It is called on the node's thread in between its work, so it takes note and returns. What is meant for a reader that
/// may be slow (log lines) goes through [`Output`](crate::output::Output) instead.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A Pod is new or has changed.
    fn pod(&self, pod: &Arc<Pod>);
    /// Something happened to a Pod.
    fn event(&self, event: &Event);
    /// A Pod is no more.
    fn gone(&self, pod: &Arc<Pod>);
}

/// Nobody.
impl Observer for () {
    fn pod(&self, _: &Arc<Pod>) {}
    fn event(&self, _: &Event) {}
    fn gone(&self, _: &Arc<Pod>) {}
}
