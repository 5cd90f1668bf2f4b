//! What all workers share with the thread that starts and ends them.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use sidecar_kit::log::Log;
use sidecar_kit::memory::Ceiling;

use crate::metrics::Metrics;

/// What all workers share; nothing in it is waited for.
#[derive(Debug)]
pub struct Shared {
    /// How many workers there are.
    pub workers: usize,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The access log.
    pub log: Log,
    /// Memory at which requests are refused.
    pub ceiling: Ceiling,
    /// Connections of clients that are open.
    pub connections: AtomicUsize,
}
