//! What became of a Pod so far: for other terminals, and for the supervisor that may have to take over.

use std::sync::Arc;

use lifecycle::timeline::PodTimeline;
use lifecycle::{Machine, PodEvent, Time};
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
    /// The history of a Pod that is taken on now, which may have one already. That goes on with the next status, in which
    /// the ends of all that was lost are told.
    pub(crate) fn begin(pod: &Pod, record: Option<Record>, now: Time) -> Self {
        let earlier = record.as_ref().and_then(Record::timeline);
        let timeline = match earlier {
            None => PodTimeline::new(pod, now),
            Some((timeline, None)) => timeline,
            Some((mut timeline, Some(kept_at))) => {
                timeline.interrupt(kept_at);
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
        self.save(pod)
    }

    /// The state machine made a step.
    pub(crate) fn observe_machine(&mut self, machine: &Machine, now: Time) {
        self.timeline.observe_machine(machine, now);
    }

    /// A run of a container was given this program and these arguments; recorded with the next status.
    pub(crate) fn command(&mut self, container: &str, command: &[String]) {
        self.timeline.command(container, command);
    }

    /// Keeps what is known up to now, for the next program of this process.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(crate) fn save(&self, pod: &Arc<Pod>) -> Result<(), StateError> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use lifecycle::{Machine, Options};
    use serde_json::json;

    use super::*;
    use crate::paths::Paths;

    fn pod(phase: &str, state: &serde_json::Value) -> Arc<Pod> {
        let pod = json!({
            "metadata": {"name": "web", "namespace": "default", "uid": "u"},
            "spec": {"containers": [{"name": "app", "image": "x"}]},
            "status": {"phase": phase, "containerStatuses": [{
                "name": "app", "image": "x", "imageID": "", "ready": true, "started": true, "restartCount": 0, "state": state,
            }]},
        });
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    /// What is known after a takeover at 60s of a Pod that was last told of at 5s, as `from-to state`, in seconds after the
    /// Pod's start; and its end.
    fn taken_over(
        phase: &str,
        state: &serde_json::Value,
        boot: Option<&str>,
    ) -> (Vec<String>, i64) {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(Some(root.path())).pod("u");
        fs::create_dir_all(&paths.dir).unwrap();
        let kept = pod(phase, state);
        // On disk, the time at which it was kept is the file's.
        let start = Time(jiff::Timestamp::now().as_millisecond() - 5000);
        let at = |seconds: i64| Time(start.0 + seconds * 1000);
        let mut record = Record::new(paths.clone());
        record.note_boot().unwrap();
        let mut first = History::begin(&kept, Some(record), start);
        first.observe(&kept, at(5)).unwrap();
        if let Some(boot) = boot {
            fs::write(paths.boot_id(), format!("\"{boot}\"")).unwrap();
        }

        let mut record = Record::new(paths);
        let pod = record.pod().unwrap();
        record.note_boot().unwrap();
        let mut second = History::begin(&pod, Some(record), at(60));
        let machine = Machine::restore(Arc::new(pod.clone()), Options::default(), at(60));
        let mut after = pod;
        after.status = Some(machine.status(at(60)));
        second.observe(&Arc::new(after), at(60)).unwrap();

        let timeline = second.timeline(at(90));
        // The file's time is not exactly that of the test.
        let seconds =
            |time: manifest::meta::v1::MicroTime| (Time::from(time.0).0 - start.0) / 10_000 * 10;
        let spans = timeline.containers[0].spans.iter().map(|span| {
            let to = span.to.map(|to| seconds(to).to_string());
            format!(
                "{}-{} {:?}",
                seconds(span.from),
                to.unwrap_or_default(),
                span.state.state
            )
        });
        (spans.collect(), seconds(timeline.to))
    }

    #[test]
    fn a_supervisor_that_was_killed_had_watched_until_then() {
        let running = json!({"running": {"startedAt": "2024-01-01T00:00:00Z"}});
        let (spans, to) = taken_over("Running", &running, None);
        assert_eq!(spans, ["0-60 Ready", "60-60 Terminated", "60- Waiting"]);
        assert_eq!(to, 90);
    }

    #[test]
    fn when_the_machine_went_down_is_not_known() {
        let running = json!({"running": {"startedAt": "2024-01-01T00:00:00Z"}});
        let (spans, _) = taken_over("Running", &running, Some("another"));
        assert_eq!(spans, ["0-0 Ready", "60-60 Terminated", "60- Waiting"]);
    }

    #[test]
    fn what_has_ended_does_not_end_again() {
        let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        for boot in [None, Some("another")] {
            let (spans, to) = taken_over("Succeeded", &ended, boot);
            assert_eq!((spans, to), (vec!["0- Terminated".to_owned()], 0));
        }
    }
}
