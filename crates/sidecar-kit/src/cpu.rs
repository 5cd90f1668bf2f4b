//! How many threads are of use.

use std::num::NonZero;

/// How many threads can run at a time: the smallest of the processors, the affinity, and the CPU quota of the cgroup and
/// those above it, v1 or v2 (a part of a processor counts for nothing, as long as there is a whole one). At least 1.
///
/// A node has many processors, a sidecar a small limit: a thread for each would spend the limit in the first
/// milliseconds of each period, and all connections would wait for the rest of it.
#[must_use]
pub fn workers() -> usize {
    // The standard library reads the quota in just this way.
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
