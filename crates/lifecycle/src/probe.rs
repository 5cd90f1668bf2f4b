//! The probe worker: when a probe runs and when its results count (section 5).
//!
//! There is one worker for each probe of each container. It lives as long as the Pod: results in a row
//! are counted over a restart that the probe did not cause (R5.19). Where the kubelet ticks on a clock
//! that began with the Pod (R5.2), the clock here begins with each instance's first possible run.

use std::time::Duration;

use manifest::core::v1::Probe;

use crate::Time;
use crate::protocol::{Instance, ProbeKind, ProbeOutcome};

#[cfg(test)]
mod upstream;

/// Attempts within one run while the probe cannot be carried out (R5.12).
const ATTEMPTS: u32 = 3;

/// What a probe's spec says, defaults applied (R5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) initial_delay: Duration,
    pub(crate) timeout: Duration,
    pub(crate) period: Duration,
    pub(crate) success_threshold: u32,
    pub(crate) failure_threshold: u32,
}

impl Settings {
    pub(crate) fn of(probe: &Probe) -> Self {
        let seconds = |value: Option<i32>, default: i32, least: i32| {
            let value = value.filter(|&v| v != 0).unwrap_or(default).max(least);
            Duration::from_secs(u64::from(value.unsigned_abs()))
        };
        let count = |value: Option<i32>, default: i32| {
            value.filter(|&v| v > 0).unwrap_or(default).unsigned_abs()
        };
        Self {
            initial_delay: seconds(probe.initial_delay_seconds, 0, 0),
            timeout: seconds(probe.timeout_seconds, 1, 1),
            period: seconds(probe.period_seconds, 10, 1),
            success_threshold: count(probe.success_threshold, 1),
            failure_threshold: count(probe.failure_threshold, 3),
        }
    }
}

/// One probe of one container.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) kind: ProbeKind,
    pub(crate) settings: Settings,
    /// The published result; unknown before the first of a startup probe (R5.5).
    pub(crate) result: Option<bool>,
    /// The newest result and how often it came in a row.
    streak: Option<(bool, u32)>,
    /// When the first of them came, for explanations.
    pub(crate) streak_since: Option<Time>,
    /// When the published result became what it is, for explanations.
    pub(crate) changed_at: Option<Time>,
    /// What the newest run said, if it failed.
    pub(crate) last_failure: Option<String>,
    instance: Option<Instance>,
    /// No runs until there is a new instance (R5.8).
    on_hold: bool,
    /// No runs any more: the Pod terminates (R5.16).
    stopped: bool,
    clock: Option<Clock>,
    running: Option<Attempt>,
}

/// The ticks of a worker: `anchor`, `anchor + period` and so on.
#[derive(Clone, Copy, Debug)]
struct Clock {
    anchor: Time,
    next: Time,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    since: Time,
    number: u32,
}

/// What an answer led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It came too late to count.
    Ignored,
    /// Try again at once (R5.12).
    Again,
    /// It was counted or thrown away; the published result is as before.
    Unchanged,
    /// The published result is another one, or was published for the first time.
    Published,
}

impl Worker {
    pub(crate) fn new(kind: ProbeKind, probe: &Probe) -> Self {
        Self {
            kind,
            settings: Settings::of(probe),
            result: initial(kind),
            streak: None,
            streak_since: None,
            changed_at: None,
            last_failure: None,
            instance: None,
            on_hold: false,
            stopped: false,
            clock: None,
            running: None,
        }
    }

    /// A new instance is visible: results begin anew, the count in a row does not (R5.5, R5.19).
    pub(crate) fn attach(&mut self, instance: Instance) {
        self.instance = Some(instance);
        self.result = if self.stopped {
            Some(true)
        } else {
            initial(self.kind)
        };
        self.on_hold = false;
        self.changed_at = None;
        self.last_failure = None;
        self.clock = None;
        self.running = None;
    }

    /// An instance that another process has probed so far: what was published last holds until there is a new result, and
    /// a startup probe with one is over.
    pub(crate) fn resume(&mut self, instance: Instance, result: Option<bool>) {
        self.attach(instance);
        self.result = result.or(self.result);
        self.on_hold = self.kind == ProbeKind::Startup && result.is_some();
    }

    /// The instance ended: nothing runs until the next.
    pub(crate) fn detach(&mut self) {
        self.instance = None;
        self.clock = None;
        self.running = None;
    }

    /// The Pod terminates: liveness and startup end, and count as passed when it is being deleted (R5.16).
    pub(crate) fn stop(&mut self, deleted: bool) {
        if self.kind == ProbeKind::Readiness {
            return;
        }
        self.stopped = true;
        self.running = None;
        if deleted && self.instance.is_some() {
            self.result = Some(true);
        }
    }

    /// Whether this worker has anything to do: the startup probe until the container is started, the
    /// others from then on (R5.7).
    fn is_active(&self, started: bool) -> bool {
        let turn = started != (self.kind == ProbeKind::Startup);
        self.instance.is_some() && turn && !self.on_hold && !self.stopped
    }

    /// When the next run is due; none while one runs or nothing is to be run.
    pub(crate) fn due(&self, started: bool) -> Option<Time> {
        let clock = self
            .clock
            .filter(|_| self.is_active(started) && self.running.is_none())?;
        Some(clock.next)
    }

    /// Sets the clock going once the worker has something to do: at once (R5.11), or when the initial
    /// delay since the container's start has passed (R5.4).
    pub(crate) fn arm(&mut self, started: bool, started_at: Time, now: Time) {
        if self.clock.is_none() && self.is_active(started) {
            let first = now.max(started_at + self.settings.initial_delay);
            self.clock = Some(Clock {
                anchor: first,
                next: first,
            });
        }
    }

    /// A run begins.
    pub(crate) fn begin(&mut self, now: Time) {
        self.running = Some(Attempt {
            since: now,
            number: 1,
        });
    }

    /// An attempt of this instance was answered.
    pub(crate) fn answer(
        &mut self,
        instance: Instance,
        outcome: ProbeOutcome,
        started: bool,
        now: Time,
    ) -> Answer {
        if self.instance != Some(instance) {
            return Answer::Ignored;
        }
        let Some(attempt) = &mut self.running else {
            return Answer::Ignored;
        };
        if outcome == ProbeOutcome::Error && attempt.number < ATTEMPTS {
            attempt.number += 1;
            return Answer::Again;
        }
        let begun = attempt.since;
        self.running = None;
        self.schedule(begun, now);
        // A startup success may have been decided while a liveness or readiness run was under way, or the
        // other way round: what no longer has its turn does not count.
        if matches!(outcome, ProbeOutcome::Error | ProbeOutcome::Ended) || !self.is_active(started)
        {
            return Answer::Unchanged;
        }
        let success = matches!(outcome, ProbeOutcome::Success | ProbeOutcome::Warning);
        if !matches!(self.streak, Some((last, 1..)) if last == success) {
            self.streak_since = Some(now);
        }
        let before = self.result;
        let answer = self.count(success);
        if self.result != before {
            self.changed_at = Some(now);
        }
        answer
    }

    /// The next tick after a run's begin; at once when that passed while it ran.
    fn schedule(&mut self, begun: Time, now: Time) {
        if let Some(clock) = &mut self.clock {
            let period = i64::try_from(self.settings.period.as_millis()).unwrap_or(i64::MAX);
            let ticks = begun.0.saturating_sub(clock.anchor.0) / period + 1;
            let tick = clock.anchor.0.saturating_add(ticks.saturating_mul(period));
            clock.next = Time(tick).max(now);
        }
    }

    /// Counts a result; publishes it once it came often enough in a row (R5.6, R5.8).
    fn count(&mut self, success: bool) -> Answer {
        let count = match self.streak {
            Some((last, count)) if last == success => count.saturating_add(1),
            _ => 1,
        };
        self.streak = Some((success, count));
        let threshold = if success {
            self.settings.success_threshold
        } else {
            self.settings.failure_threshold
        };
        if count < threshold {
            return Answer::Unchanged;
        }
        let before = self.result.replace(success);
        if self.kind == ProbeKind::Startup || (self.kind == ProbeKind::Liveness && !success) {
            self.on_hold = true;
            // The count begins anew, but what the last result was is kept, as upstream does.
            self.streak = Some((success, 0));
        }
        if before == Some(success) {
            Answer::Unchanged
        } else {
            Answer::Published
        }
    }

    /// Whether its newest runs succeeded, often enough in a row.
    pub(crate) fn passes(&self) -> bool {
        self.result == Some(true) && matches!(self.streak, Some((true, _)))
    }

    /// The newest result and its count, for explanations.
    pub(crate) fn streak(&self) -> Option<(bool, u32)> {
        self.streak
    }

    /// Since when an attempt runs.
    pub(crate) fn running_since(&self) -> Option<Time> {
        self.running.map(|attempt| attempt.since)
    }
}

/// The result before the first one is published (R5.5).
fn initial(kind: ProbeKind) -> Option<bool> {
    match kind {
        ProbeKind::Startup => None,
        ProbeKind::Liveness => Some(true),
        ProbeKind::Readiness => Some(false),
    }
}
