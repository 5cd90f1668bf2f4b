//! What became of a Pod so far: for other terminals, and for the supervisor that may have to take over.

use std::sync::Arc;

use lifecycle::timeline::PodTimeline;
use lifecycle::{PodEvent, Time};
use manifest::core::v1::Pod;

use crate::detached::Record;
use crate::state::StateError;

/// A Pod's past; of a detached Pod it is on disk too.
#[derive(Debug)]
pub(crate) struct History {
    timeline: PodTimeline,
    record: Option<Record>,
}

impl History {
    /// The history of a Pod that is taken on now, which may have one already.
    pub(crate) fn begin(pod: &Pod, record: Option<Record>, now: Time) -> Self {
        let earlier = record.as_ref().and_then(Record::timeline);
        let timeline = match earlier {
            None => PodTimeline::new(pod, now),
            Some((mut timeline, kept_at)) => {
                timeline.interrupt(kept_at);
                timeline.observe(pod, now);
                timeline
            }
        };
        Self { timeline, record }
    }

    /// The Pod's status has changed.
    ///
    /// # Errors
    /// When the record cannot be written; the Pod goes on.
    pub(crate) fn observe(&mut self, pod: &Arc<Pod>, now: Time) -> Result<(), StateError> {
        self.timeline.observe(pod, now);
        match &self.record {
            None => Ok(()),
            Some(record) => record.save(pod, &self.timeline),
        }
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &PodEvent, now: Time) {
        self.timeline.event(event, now);
    }

    /// The history up to now.
    pub(crate) fn timeline(&self, now: Time) -> PodTimeline {
        self.timeline.up_to(now)
    }

    /// What comes from now on is not for the record: whoever takes over goes on from before it.
    pub(crate) fn close(&mut self) {
        self.record = None;
    }

    /// The Pod is deleted: nobody is to take it over.
    pub(crate) fn give_up(&self) {
        if let Some(record) = &self.record {
            record.give_up();
        }
    }
}
