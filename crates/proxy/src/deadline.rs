//! A time by which something is to have happened, cheap to move.
//!
//! Timers in the runtime's wheel cost more to set than a request may; but nearly all deadlines move before they come.
//! So the timer is left where it was, and only when it fires is it compared with the deadline and set anew.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline that can be moved at each step of a connection. None is set at first.
#[derive(Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// No deadline yet.
    pub const fn new() -> Self {
        Self {
            at: None,
            timer: None,
        }
    }

    /// Sets it `after` from now; None clears it.
    pub fn set(&mut self, after: Option<Duration>) {
        self.at = after.and_then(|after| Instant::now().checked_add(after));
    }

    /// Sets it to a moment.
    pub fn set_at(&mut self, at: Instant) {
        self.at = Some(at);
    }

    /// From now on there is none.
    pub fn clear(&mut self) {
        self.at = None;
    }

    /// When it is.
    pub fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Whether one is set.
    pub fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Ready once it has passed. Never while none is set.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_can_be_moved_either_way() {
        let start = Instant::now();
        let mut deadline = Deadline::new();
        deadline.set(Some(Duration::from_secs(5)));
        poll_fn(|cx| {
            assert!(deadline.poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        deadline.set(Some(Duration::from_secs(20)));
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 20);
        deadline.set(Some(Duration::from_secs(50)));
        poll_fn(|cx| {
            assert!(deadline.poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        deadline.set(Some(Duration::from_secs(1)));
        poll_fn(|cx| deadline.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 21);
    }
}
