//! The one place that reads the time.
//!
//! The state machine wants one clock that never goes back, yet shows wall time in statuses. So the wall
//! clock is read once and the monotonic clock counts from there: a step of the wall clock neither
//! shortens a grace period nor lengthens a back-off.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use lifecycle::Time;

/// Wall time at the start of the program plus monotonic time since then.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    origin_ms: i64,
}

impl Clock {
    /// Reads the wall clock, once.
    pub fn start() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            origin: Instant::now(),
            origin_ms: i64::try_from(wall.as_millis()).unwrap_or(0),
        }
    }

    /// The time now, in ms.
    pub fn now(&self) -> Time {
        let elapsed = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX / 2);
        Time(self.origin_ms.saturating_add(elapsed))
    }

    /// The same time, to the nanosecond.
    pub fn timestamp(&self) -> Timestamp {
        let elapsed = i128::try_from(self.origin.elapsed().as_nanos()).unwrap_or(0);
        let now = i128::from(self.origin_ms) * 1_000_000 + elapsed;
        Timestamp::from_nanosecond(now).unwrap_or_default()
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
}
