//! How long the backend keeps an idle connection: learned, so that it is not the backend who closes it.
//!
//! An app that closes first makes the request fail which is on its way at that moment. Node's HTTP server closes after
//! 5 s and says so (`Keep-Alive: timeout=5`); others close in silence, and are observed.

use std::time::Duration;

/// Below this nothing is learned: connections closed that soon are closed for another reason.
const SHORTEST: Duration = Duration::from_millis(200);

/// What is known of a backend's patience.
#[derive(Debug)]
pub(super) struct Learned {
    configured: Duration,
    /// It said so.
    announced: Option<Duration>,
    /// It closed connections that had been idle for about so long, at least twice.
    observed: Option<Duration>,
    /// It closed one, once.
    seen: Option<Duration>,
}

impl Learned {
    pub(super) fn new(configured: Duration) -> Self {
        Self {
            configured,
            announced: None,
            observed: None,
            seen: None,
        }
    }

    /// For how long a connection is kept idle.
    pub(super) fn timeout(&self) -> Duration {
        [self.announced, self.observed]
            .into_iter()
            .flatten()
            .map(sooner)
            .fold(self.configured, Duration::min)
    }

    /// A response said `Keep-Alive: timeout=N`, or nothing of the kind.
    pub(super) fn announce(&mut self, timeout: Option<Duration>) {
        if timeout.is_some() {
            self.announced = timeout;
        }
    }

    /// The backend closed a connection that was idle for `after`. One close says little, since an app that restarts closes
    /// all of its connections, however long they were idle: a second of about the same age is believed.
    pub(super) fn observe(&mut self, after: Duration) {
        if after < SHORTEST {
            return;
        }
        let alike = |seen: Duration| after.abs_diff(seen) <= seen / 10;
        if self.seen.is_some_and(alike) {
            let least = self.seen.map_or(after, |seen| seen.min(after));
            self.observed = Some(self.observed.map_or(least, |observed| observed.min(least)));
            self.seen = None;
        } else {
            self.seen = Some(after);
        }
    }

    /// A request met a closed connection all the same: what is believed is too long.
    pub(super) fn met_closed(&mut self) {
        if let Some(observed) = &mut self.observed {
            *observed = (*observed * 9 / 10).max(SHORTEST);
        }
    }
}

/// Soon enough before `timeout` that a request on its way arrives in time.
fn sooner(timeout: Duration) -> Duration {
    (timeout * 4 / 5).max(timeout.saturating_sub(Duration::from_secs(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_announced_is_undercut() {
        let mut learned = Learned::new(60 * SECOND);
        assert_eq!(learned.timeout(), 60 * SECOND);
        learned.announce(Some(5 * SECOND));
        learned.announce(None);
        assert_eq!(learned.timeout(), 4 * SECOND);
        learned.announce(Some(100 * SECOND));
        assert_eq!(learned.timeout(), 60 * SECOND);
    }

    #[test]
    fn closes_of_the_same_age_are_believed_and_a_restart_is_not() {
        let mut learned = Learned::new(60 * SECOND);
        for after in [3 * SECOND, 17 * SECOND, SECOND, Duration::from_millis(5)] {
            learned.observe(after);
        }
        assert_eq!(learned.timeout(), 60 * SECOND);
        learned.observe(10 * SECOND);
        learned.observe(10 * SECOND + SECOND / 2);
        assert_eq!(learned.timeout(), 8 * SECOND);
        learned.met_closed();
        assert!(learned.timeout() < 8 * SECOND);
    }
}
