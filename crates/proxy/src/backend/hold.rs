//! Requests wait while the app starts or restarts, instead of failing in a burst.
//!
//! While nothing listens, one request at a time tries again and again, with growing pauses; the others wait for it.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use crate::reason::{Failure, Reason};

/// Between the first two attempts; doubled up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// How long and how many requests wait for an app that does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How long each waits; zero: not at all.
    pub time: Duration,
    /// How many may wait in one worker.
    pub requests: usize,
}

impl Default for Hold {
    /// 256 requests for 10 s.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            requests: 256,
        }
    }
}

/// Lets connections be made, and holds back requests while none can.
#[derive(Debug)]
pub(super) struct Gate {
    hold: Hold,
    waiting: Cell<usize>,
    /// Somebody tries on behalf of all who wait.
    probing: Cell<bool>,
    /// The probing is over, by a connection or because its request has gone.
    over: Notify,
}

/// Undoes a mark when it goes out of scope, also when its future is dropped.
struct Mark<'a>(&'a dyn Fn());

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Gate {
    pub(super) fn new(hold: Hold) -> Self {
        Self {
            hold,
            waiting: Cell::new(0),
            probing: Cell::new(false),
            over: Notify::new(),
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// Makes a connection by `attempt`, as often as it takes.
    pub(super) async fn pass<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut failure = if self.probing.get() {
            Failure::new(Reason::ConnectFailed, "nothing listens")
        } else {
            match attempt().await {
                Err(failure) if failure.reason == Reason::ConnectFailed => failure,
                other => return other,
            }
        };
        if self.hold.time.is_zero() {
            return Err(failure);
        }
        if self.waiting.get() >= self.hold.requests {
            let detail = format!("{} requests wait already", self.waiting.get());
            return Err(Failure::new(Reason::HoldQueueFull, detail));
        }
        self.waiting.set(self.waiting.get() + 1);
        let leave = || self.waiting.set(self.waiting.get() - 1);
        let _leave = Mark(&leave);
        let until = Instant::now() + self.hold.time;
        while Instant::now() < until {
            if self.probing.get() {
                // Told when it is over; whoever comes first probes then if there is need.
                let _ = timeout_at(until, self.over.notified()).await;
                if self.probing.get() || Instant::now() >= until {
                    continue;
                }
                match attempt().await {
                    Err(again) if again.reason == Reason::ConnectFailed => failure = again,
                    other => return other,
                }
            } else {
                match self.probe(&attempt, until).await {
                    Some(result) => return result,
                    None => continue,
                }
            }
        }
        Err(Failure::new(
            failure.reason,
            format!("{}, for {:?}", failure.detail, self.hold.time),
        ))
    }

    /// Tries on behalf of all. None: time is over.
    async fn probe<T, F>(
        &self,
        attempt: &impl Fn() -> F,
        until: Instant,
    ) -> Option<Result<T, Failure>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.probing.set(true);
        let done = || {
            self.probing.set(false);
            self.over.notify_waiters();
        };
        let _done = Mark(&done);
        let mut pause = SHORTEST;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST);
            match attempt().await {
                Err(failure) if failure.reason == Reason::ConnectFailed => {}
                other => return Some(other),
            }
        }
    }
}
