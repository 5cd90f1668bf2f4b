//! The delay ladder of restarts and image pulls (R3.2, R3.4, R3.6, R11.6).
//!
//! As client-go's `flowcontrol.Backoff` keeps one entry: [`BackOff::climb`] is called at every attempt
//! that an earlier one preceded, and the delay it sets holds for the attempt after that. This is why the
//! first restart is immediate: nothing had been climbed yet.

use std::time::Duration;

use crate::Time;

/// First delay, unless the cap is below it.
const FIRST: Duration = Duration::from_secs(10);
/// An event this long after the last step begins a new ladder; independent of the cap (R3.4).
const RESET_AFTER: Duration = Duration::from_secs(600);
/// Longest delay between two pulls of an image (R11.6).
pub(crate) const LONGEST_PULL_DELAY: Duration = Duration::from_secs(300);

/// One ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BackOff {
    step: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    delay: Duration,
    taken: Time,
}

impl BackOff {
    /// When the back-off ends that `event` (an exit, a failed pull) began; none when it does not hold
    /// the next attempt back.
    pub(crate) fn until(&self, event: Time) -> Option<Time> {
        self.current(event).map(|step| event + step.delay)
    }

    /// The delay that an event at this time meets.
    pub(crate) fn delay(&self, event: Time) -> Option<Duration> {
        self.current(event).map(|step| step.delay)
    }

    /// The last step's own back-off, counted from when it was taken (as image pulls count).
    pub(crate) fn until_since_step(&self) -> Option<Time> {
        self.step.map(|step| step.taken + step.delay)
    }

    /// Takes the next step because of an `event`: 10 s, doubled each time up to `cap`.
    pub(crate) fn climb(&mut self, event: Time, now: Time, cap: Duration) {
        let delay = match self.current(event) {
            None => FIRST.min(cap),
            Some(step) => (step.delay * 2).min(cap),
        };
        self.step = Some(Step { delay, taken: now });
    }

    fn current(&self, event: Time) -> Option<Step> {
        self.step
            .filter(|step| event.since(step.taken) <= RESET_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(300);

    /// Delays met by exits that come `life` after each start.
    fn ladder(life: Duration, cap: Duration, restarts: usize) -> Vec<u64> {
        let mut ladder = BackOff::default();
        let mut now = Time(0);
        (0..restarts)
            .map(|_| {
                let exit = now + life;
                now = ladder.until(exit).unwrap_or(exit).max(exit);
                ladder.climb(exit, now, cap);
                (now - exit).as_secs()
            })
            .collect()
    }

    #[test]
    fn r3_2_first_restart_is_immediate_then_doubles_to_the_cap() {
        assert_eq!(
            ladder(Duration::ZERO, CAP, 8),
            [0, 10, 20, 40, 80, 160, 300, 300]
        );
    }

    #[test]
    fn r3_4_resets_after_600_s_of_life_and_not_before() {
        assert_eq!(ladder(Duration::from_secs(600), CAP, 4), [0, 10, 20, 40]);
        assert_eq!(ladder(Duration::from_millis(600_001), CAP, 4), [0, 0, 0, 0]);
    }

    #[test]
    fn r3_6_a_cap_below_the_first_step_becomes_the_first_step() {
        assert_eq!(
            ladder(Duration::ZERO, Duration::from_secs(3), 4),
            [0, 3, 3, 3]
        );
        assert_eq!(
            ladder(Duration::ZERO, Duration::from_secs(25), 5),
            [0, 10, 20, 25, 25]
        );
    }

    proptest::proptest! {
        #[test]
        fn r3_2_delays_only_grow_until_a_life_of_more_than_600_s(
            lives in proptest::collection::vec(0u64..900, 1..20),
            cap in 1u64..300,
        ) {
            let cap = Duration::from_secs(cap);
            let (mut ladder, mut now, mut last) = (BackOff::default(), Time(0), Duration::ZERO);
            for life in lives {
                let exit = now + Duration::from_secs(life);
                let delay = ladder.delay(exit).unwrap_or_default();
                proptest::prop_assert!(delay <= cap);
                proptest::prop_assert_eq!(delay < last, life > 600 && !last.is_zero());
                now = ladder.until(exit).unwrap_or(exit);
                ladder.climb(exit, now, cap);
                last = delay;
            }
        }
    }
}
