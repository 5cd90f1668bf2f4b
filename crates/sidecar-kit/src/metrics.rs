//! Metrics: what prometheus-client lacks for threads that count millions of times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
pub use prometheus_client::{self as client, registry::Registry};

/// The type of the body of [`text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of a registry, as Prometheus reads them.
#[must_use]
pub fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, registry);
    text
}

/// A histogram of times, without a lock: the library's own takes one for each observation. Clones share it.
#[derive(Clone, Debug)]
pub struct Durations {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bounds: &'static [f64],
    /// One more than bounds, for what is above all of them.
    counts: Box<[AtomicU64]>,
    microseconds: AtomicU64,
}

impl Durations {
    /// A histogram with these upper bounds, in seconds, in rising order.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self {
            inner: Arc::new(Inner {
                bounds,
                counts,
                microseconds: AtomicU64::new(0),
            }),
        }
    }

    /// Something took so long.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = self.inner.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.inner.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.inner
            .microseconds
            .fetch_add(microseconds, Ordering::Relaxed);
    }

    /// How often something was observed.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.inner.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let bounds = self.inner.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.inner.counts.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_micros(self.inner.microseconds.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_a_histogram() {
        let durations = Durations::new(&[0.001, 0.1]);
        for milliseconds in [1, 1, 50, 2000] {
            durations.observe(Duration::from_millis(milliseconds));
        }
        assert_eq!(durations.count(), 4);
        let mut registry = Registry::default();
        registry.register("took_seconds", "How long it took", durations);
        assert_eq!(
            text(&registry),
            "# HELP took_seconds How long it took.\n\
             # TYPE took_seconds histogram\n\
             took_seconds_sum 2.052\n\
             took_seconds_count 4\n\
             took_seconds_bucket{le=\"0.001\"} 2\n\
             took_seconds_bucket{le=\"0.1\"} 3\n\
             took_seconds_bucket{le=\"+Inf\"} 4\n\
             # EOF\n"
        );
    }
}
