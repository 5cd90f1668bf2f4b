//! What would follow if a container did this or that: a Pod in the simulator, told as a story.
//!
//! Whoever asks says what some containers do ([`Supposition`]); what the others do is assumed, and said
//! ([`Outcome::assumptions`]). The machine is the one that runs Pods, so the answer is what would happen.

use std::time::Duration;

use manifest::core::v1::{Pod, PodPhase, PodStatus};
use serde::Serialize;

use crate::columns::{self, Columns};
use crate::protocol::Input;
use crate::sim::{Scripted, Simulator, TraceEvent};
use crate::timeline::PodTimeline;
use crate::{Action, Options, Time};

mod assume;
mod story;
mod summary;
mod supposition;
#[cfg(test)]
mod tests;

pub use assume::Assumption;
pub use story::Moment;
pub use supposition::{Behaviour, Supposition, SuppositionError, check, contradiction, parse};

/// What would follow.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What containers are taken to do that nobody said anything about.
    pub assumptions: Vec<Assumption>,
    /// What happens, in the order of time.
    pub story: Vec<Moment>,
    /// What `kubectl get pod` would print, whenever that changes.
    pub columns: Vec<Row>,
    /// The gist, a sentence each.
    pub summary: Vec<String>,
    /// For pictures. It ends with the simulation, or a while after the last change where that is far from the end.
    pub timeline: PodTimeline,
    /// Milliseconds from the beginning at which the timeline ends; nothing changes from there to the simulation's end.
    /// Absent where it is not cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline_cut_ms: Option<i64>,
}

/// A line of `kubectl get pod`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Milliseconds from the beginning.
    pub at_ms: i64,
    /// `READY`
    pub ready: String,
    /// `STATUS`
    pub status: String,
    /// `RESTARTS`, without how long ago.
    pub restarts: String,
}

/// Simulates a Pod whose defaults are applied, from `begin` on for so long, at most until it is finished.
#[must_use]
pub fn simulate(pod: &Pod, suppositions: &[Supposition], begin: Time, length: Duration) -> Outcome {
    let (world, assumptions) = assume::world(&pod.spec, suppositions);
    let deletions = suppositions
        .iter()
        .filter_map(|supposition| match supposition {
            Supposition::Delete(at) => Some(begin + *at),
            Supposition::Container { .. } => None,
        });
    let mut deletions: Vec<Time> = deletions.collect();
    deletions.sort();
    let end = begin + length;
    let mut pod = pod.clone();
    // Messages name it.
    let uid = &mut pod.metadata.uid;
    uid.get_or_insert_with(|| "simulated".to_owned());
    let pod = &pod;
    let mut watch = Watch::new(
        pod,
        Simulator::begin_at(begin, pod.clone(), Options::default(), world),
        begin,
    );
    // The machine does nothing before it is told something.
    watch.sim.inject(Input::Wake);
    watch.look();
    for deletion in deletions.into_iter().filter(|at| *at <= end) {
        watch.run_until(deletion);
        watch.sim.inject(Input::Delete {
            grace_seconds: None,
        });
        watch.look();
    }
    watch.run_until(end);
    let finished = watch.sim.machine().is_finished();
    let short = after(begin, watch.changed);
    let (shown, cut) = match finished {
        true => (watch.changed, None),
        false if (short - begin) * 2 < length => (short, Some(short.0 - begin.0)),
        false => (end, None),
    };
    let story = story::told(watch.story.moments, end - begin);
    Outcome {
        assumptions,
        summary: summary::summary(&watch.sim, &watch.readiness, begin, end),
        story,
        columns: watch.columns,
        timeline: watch.timeline.up_to(shown),
        timeline_cut_ms: cut,
    }
}

/// A while after the last change, so that a picture shows how it is from then on.
fn after(begin: Time, changed: Time) -> Time {
    let so_far = changed - begin;
    changed + (so_far / 5).max(Duration::from_secs(2))
}

/// A simulation that is looked at after each step.
struct Watch {
    sim: Simulator<Scripted>,
    begin: Time,
    seen: usize,
    status: PodStatus,
    changed: Time,
    timeline: PodTimeline,
    columns: Vec<Row>,
    story: story::Story,
    /// When the condition Ready changed, and to what.
    readiness: Vec<(Time, bool)>,
}

impl Watch {
    fn new(pod: &Pod, sim: Simulator<Scripted>, begin: Time) -> Self {
        let record = sim.record();
        Self {
            begin,
            seen: 0,
            status: PodStatus::default(),
            changed: begin,
            timeline: PodTimeline::new(&record, begin),
            columns: Vec::new(),
            story: story::Story::new(pod, begin),
            readiness: Vec::new(),
            sim,
        }
    }

    fn run_until(&mut self, until: Time) {
        while !self.sim.machine().is_finished() && self.sim.advance(until) {
            self.look();
        }
        if !self.sim.machine().is_finished() {
            self.sim.run_until(until);
        }
    }

    fn look(&mut self) {
        let now = self.sim.now();
        let news = self.sim.trace()[self.seen..].to_vec();
        self.seen += news.len();
        for (_, event) in &news {
            if let TraceEvent::Action(Action::Emit(event)) = event {
                self.timeline.event(event, now);
                self.changed = now;
            }
        }
        let status = self.sim.status();
        let before = std::mem::replace(&mut self.status, status);
        if before != self.status {
            self.changed = now;
            self.timeline.observe(&self.sim.record(), now);
            let ready = is_ready(&self.status);
            if is_ready(&before) != ready {
                self.readiness.push((now, ready));
            }
        }
        self.timeline.observe_machine(self.sim.machine(), now);
        // A deletion shows at once, without any change of the status.
        self.note_columns(now);
        self.story.take_in(&news, &self.sim, &before, &self.status);
    }

    fn note_columns(&mut self, now: Time) {
        let machine = self.sim.machine();
        let Columns {
            ready,
            status,
            restarts,
        } = columns::columns(
            &machine.pod().spec,
            &self.status,
            machine.is_deleting(),
            now,
        );
        let restarts = restarts.split(' ').next().unwrap_or_default().to_owned();
        let row = Row {
            at_ms: now.0 - self.begin.0,
            ready,
            status,
            restarts,
        };
        if let Some(last) = self.columns.last_mut() {
            if (&last.ready, &last.status, &last.restarts)
                == (&row.ready, &row.status, &row.restarts)
            {
                return;
            }
            if last.at_ms == row.at_ms {
                *last = row;
                return;
            }
        }
        self.columns.push(row);
    }
}

fn is_ready(status: &PodStatus) -> bool {
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready");
    ready.is_some_and(|condition| condition.status.as_str() == "True")
}

/// Whether a Pod of this status has ended.
fn has_ended(status: &PodStatus) -> bool {
    matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed))
}

/// A distance in time: `0s`, `1.5s`, `1m`, `2m30s`, `1h`, `1h05m`.
pub(crate) fn distance(distance: Duration) -> String {
    let (seconds, millis) = (distance.as_secs(), distance.subsec_millis());
    if seconds < 60 && millis > 0 {
        let text = format!("{seconds}.{millis:03}");
        return format!("{}s", text.trim_end_matches('0'));
    }
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, 0, _) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}
