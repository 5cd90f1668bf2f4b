//! The one place that reads the time.
//!
//! The state machine wants one clock that never goes back and never jumps: a step of the wall clock neither shortens a grace
//! period nor lengthens a back-off. So the wall clock is read once, and the monotonic clock counts from there.
//!
//! What is shown follows the wall clock: a machine that boots with a wrong date gets the right one a moment later, and
//! supervisors live for months. Each step that is noticed is kept, so that what was told before it stays as it was told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use lifecycle::Time;
use manifest::core::v1::{ContainerState, PodStatus};
use manifest::meta::v1;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What both clocks may differ by before it counts as a step; NTP turns the wall clock by less all the time.
const STEP_MS: i64 = 1000;
/// Steps that are remembered; of a clock that goes to and fro for ever the oldest are forgotten.
const MOST_STEPS: usize = 64;

/// Wall time at the start of the program plus monotonic time since then.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    origin_ms: i64,
    steps: Arc<Mutex<Steps>>,
}

/// A clock on its way into the next program of its process, which counts on from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptClock {
    now: Time,
    /// What the machine's monotonic clock showed then, in ms.
    monotonic_ms: i64,
    steps: Steps,
}

impl Clock {
    /// What the next program of this process goes on from.
    pub(crate) fn hand_over(&self) -> KeptClock {
        KeptClock {
            now: self.now(),
            monotonic_ms: monotonic_ms(),
            steps: self.with_steps(|steps| steps.clone()),
        }
    }

    /// Goes on from where the clock of the program before was: whatever happened to the wall clock, no time has been lost.
    pub(crate) fn take_over(kept: KeptClock) -> Self {
        let since = monotonic_ms().saturating_sub(kept.monotonic_ms).max(0);
        Self {
            origin: Instant::now(),
            origin_ms: kept.now.0.saturating_add(since),
            steps: Arc::new(Mutex::new(kept.steps)),
        }
    }

    /// Reads the wall clock.
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
            origin_ms: wall_ms(),
            steps: Arc::default(),
        }
    }

    /// The time now, in ms, for the state machine.
    pub fn now(&self) -> Time {
        let elapsed = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX / 2);
        let now = Time(self.origin_ms.saturating_add(elapsed));
        self.with_steps(|steps| steps.notice(now, wall_ms()));
        now
    }

    /// A time of the state machine, as people read it.
    pub fn shown(&self, time: Time) -> Time {
        self.with_steps(|steps| steps.shown(time))
    }

    /// All times of a status, as people read them.
    pub fn show(&self, status: &mut PodStatus) {
        self.with_steps(|steps| steps.show(status));
    }

    /// The time now as people read it, to the nanosecond.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Sleeps until `deadline`, or for ever when there is none.
    pub async fn sleep_until(&self, deadline: Option<Time>) {
        match deadline {
            None => std::future::pending().await,
            Some(deadline) => {
                let ms = u64::try_from(deadline.0.saturating_sub(self.origin_ms)).unwrap_or(0);
                let at = self.origin + Duration::from_millis(ms);
                tokio::time::sleep_until(at.into()).await;
            }
        }
    }

    fn with_steps<T>(&self, what: impl FnOnce(&mut Steps) -> T) -> T {
        what(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn monotonic_ms() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec
        .saturating_mul(1000)
        .saturating_add(time.tv_nsec / 1_000_000)
}

fn wall_ms() -> i64 {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(wall.as_millis()).unwrap_or(0)
}

/// The steps of the wall clock.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Steps(Vec<Step>);

/// From a time of the state machine on, the wall clock is ahead of it by so much.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    from: Time,
    ahead_ms: i64,
}

impl Steps {
    /// Compares both clocks.
    fn notice(&mut self, now: Time, wall_ms: i64) {
        let ahead_ms = wall_ms.saturating_sub(now.0);
        let known = self.0.last().map_or(0, |step| step.ahead_ms);
        if ahead_ms.saturating_sub(known).saturating_abs() < STEP_MS {
            return;
        }
        if self.0.len() == MOST_STEPS {
            self.0.remove(0);
        }
        self.0.push(Step {
            from: now,
            ahead_ms,
        });
    }

    fn shown(&self, time: Time) -> Time {
        let step = self.0.iter().rev().find(|step| step.from <= time);
        Time(time.0.saturating_add(step.map_or(0, |step| step.ahead_ms)))
    }

    fn show(&self, status: &mut PodStatus) {
        if self.0.is_empty() {
            return;
        }
        let show = |time: &mut Option<v1::Time>| {
            if let Some(time) = time {
                *time = self.shown(Time::from(time.0)).to_meta();
            }
        };
        let show_state = |state: &mut Option<ContainerState>| {
            let Some(state) = state else { return };
            if let Some(running) = &mut state.running {
                show(&mut running.started_at);
            }
            if let Some(end) = &mut state.terminated {
                show(&mut end.started_at);
                show(&mut end.finished_at);
            }
        };
        show(&mut status.start_time);
        for condition in &mut status.conditions {
            show(&mut condition.last_transition_time);
        }
        let containers = status.init_container_statuses.iter_mut();
        for container in containers.chain(&mut status.container_statuses) {
            show_state(&mut container.state);
            show_state(&mut container.last_state);
        }
    }
}

#[cfg(test)]
mod tests {
    use manifest::core::v1::{ContainerStateRunning, ContainerStatus};

    use super::*;

    const SECOND: i64 = 1000;
    const YEAR: i64 = 365 * 86_400 * SECOND;

    /// A machine whose wall clock was a year behind until it was put right ten seconds after the start.
    fn put_right() -> Steps {
        let mut steps = Steps::default();
        steps.notice(Time(5 * SECOND), 5 * SECOND + 3);
        steps.notice(Time(10 * SECOND), 10 * SECOND + YEAR);
        steps
    }

    #[test]
    fn what_comes_after_a_step_is_shown_by_the_clock_put_right() {
        let steps = put_right();
        assert_eq!(steps.shown(Time(10 * SECOND)), Time(10 * SECOND + YEAR));
        assert_eq!(steps.shown(Time(60 * SECOND)), Time(60 * SECOND + YEAR));
        assert_eq!(
            steps.shown(Time(9 * SECOND)),
            Time(9 * SECOND),
            "what was told stays as it was told"
        );
    }

    #[test]
    fn a_clock_that_goes_back_is_followed_and_one_that_is_turned_slowly_too() {
        let mut steps = put_right();
        steps.notice(Time(20 * SECOND), 20 * SECOND);
        assert_eq!(steps.shown(Time(21 * SECOND)), Time(21 * SECOND));
        assert_eq!(steps.shown(Time(19 * SECOND)), Time(19 * SECOND + YEAR));
        for n in 0_i64..100 {
            let now = 30 * SECOND + n * SECOND;
            steps.notice(Time(now), now - 20 * n);
        }
        assert_eq!(steps.shown(Time(200 * SECOND)), Time(199 * SECOND));
    }

    #[test]
    fn a_clock_that_never_rests_costs_no_more_than_so_much_memory() {
        let mut steps = Steps::default();
        for n in 0..1000 {
            steps.notice(Time(n * SECOND), n * SECOND + (n % 2) * YEAR);
        }
        assert_eq!(steps.0.len(), MOST_STEPS);
    }

    #[test]
    fn a_status_is_shown_with_all_its_times() {
        let steps = put_right();
        let mut status = PodStatus {
            start_time: Some(Time(2 * SECOND).to_meta()),
            container_statuses: vec![ContainerStatus {
                state: Some(ContainerState {
                    running: Some(ContainerStateRunning {
                        started_at: Some(Time(12 * SECOND).to_meta()),
                    }),
                    ..ContainerState::default()
                }),
                ..ContainerStatus::default()
            }],
            ..PodStatus::default()
        };
        steps.show(&mut status);
        assert_eq!(status.start_time, Some(Time(2 * SECOND).to_meta()));
        let running = status.container_statuses[0]
            .state
            .as_ref()
            .and_then(|state| state.running.as_ref());
        assert_eq!(
            running.and_then(|running| running.started_at),
            Some(Time(12 * SECOND + YEAR).to_meta())
        );
    }
}
