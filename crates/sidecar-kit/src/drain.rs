//! The end: signals, and one budget of time for all that has to be done before it.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// The environment variable with the Pod's `terminationGracePeriodSeconds`. No field of the downward API has it, so a
/// manifest has to repeat it.
pub const GRACE_PERIOD_VARIABLE: &str = "PILLION_GRACE_PERIOD_SECONDS";

/// What Kubernetes gives Pods that say nothing.
pub const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(30);

/// The value of [`GRACE_PERIOD_VARIABLE`] is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{GRACE_PERIOD_VARIABLE}={0:?}: must be a number of seconds, as the Pod's terminationGracePeriodSeconds"
)]
pub struct InvalidGracePeriod(String);

/// The grace period: the one configured, else the Pod's (`variable` is the value of [`GRACE_PERIOD_VARIABLE`]), else 30 s.
///
/// # Errors
/// The variable is needed and has no number.
pub fn grace_period(
    configured: Option<Duration>,
    variable: Option<&str>,
) -> Result<Duration, InvalidGracePeriod> {
    match (configured, variable) {
        (Some(configured), _) => Ok(configured),
        (None, None | Some("")) => Ok(DEFAULT_GRACE_PERIOD),
        (None, Some(text)) => text
            .parse()
            .map(Duration::from_secs)
            .map_err(|_| InvalidGracePeriod(text.to_owned())),
    }
}

/// The moments of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// From here on nothing new is accepted, and what is idle is closed.
    pub drain_at: Instant,
    /// Here what still goes on is cut off.
    pub end_at: Instant,
}

impl Schedule {
    /// An end that begins at `now`. Of the grace period, new connections are still accepted for the propagation delay, for those
    /// who have not learned yet that this Pod goes. A tenth, and no more than a second, is kept back: the kubelet kills
    /// when the period is over, and a goodbye takes time too.
    #[must_use]
    pub fn new(now: Instant, grace_period: Duration, propagation_delay: Duration) -> Self {
        let reserve = (grace_period / 10).min(Duration::from_secs(1));
        let end_at = now + (grace_period - reserve);
        Self {
            drain_at: (now + propagation_delay).min(end_at),
            end_at,
        }
    }
}

/// What somebody asks for by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

/// Signals to this process.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes them from the kernel: from here on none of them ends the process by itself.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End,
            _ = self.interrupt.recv() => Wish::End,
            _ = self.hang_up.recv() => Wish::Reload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn the_grace_period_is_configured_or_the_pods() {
        assert_eq!(grace_period(Some(S), Some("60")), Ok(S));
        assert_eq!(grace_period(None, Some("60")), Ok(60 * S));
        assert_eq!(grace_period(None, Some("")), Ok(30 * S));
        assert_eq!(grace_period(None, None), Ok(30 * S));
        for wrong in ["-1", "soon", "1.5", "30s"] {
            let fault = grace_period(None, Some(wrong)).expect_err(wrong);
            assert!(fault.to_string().contains(wrong), "{fault}");
        }
    }

    #[tokio::test]
    async fn all_of_an_end_fits_into_the_grace_period() {
        let now = Instant::now();
        let schedule = Schedule::new(now, 30 * S, 5 * S);
        assert_eq!(schedule.drain_at, now + 5 * S);
        assert_eq!(schedule.end_at, now + 29 * S);
        let short = Schedule::new(now, 2 * S, 5 * S);
        assert_eq!(short.drain_at, short.end_at);
        assert_eq!(short.end_at, now + Duration::from_millis(1800));
        let none = Schedule::new(now, Duration::ZERO, 5 * S);
        assert_eq!((none.drain_at, none.end_at), (now, now));
    }
}
