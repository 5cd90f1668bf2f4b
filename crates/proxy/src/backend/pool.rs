//! Idle connections of one worker to one backend.
//!
//! The newest is taken first, so that those beyond need grow old. A task watches them while there are any: it closes
//! them in time, and sees when the backend does.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::Open;
use super::idle::Learned;
use crate::deadline::Deadline;
use crate::http1::ClientConnection;

pub(super) struct Pool {
    idle: RefCell<Vec<Idle>>,
    most: usize,
    learned: RefCell<Learned>,
    /// Wakes the watching task.
    watcher: RefCell<Option<Waker>>,
    watched: Cell<bool>,
}

struct Idle {
    connection: ClientConnection,
    open: Open,
    since: Instant,
}

impl Pool {
    pub(super) fn new(timeout: Duration, most: usize) -> Rc<Self> {
        Rc::new(Self {
            idle: RefCell::default(),
            most,
            learned: RefCell::new(Learned::new(timeout)),
            watcher: RefCell::default(),
            watched: Cell::new(false),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.idle.borrow().len()
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        self.learned.borrow().timeout()
    }

    pub(super) fn met_closed(&self) {
        self.learned.borrow_mut().met_closed();
    }

    /// The connection used last, if it is still fit for use.
    pub(super) fn take(&self) -> Option<(ClientConnection, Open)> {
        let timeout = self.idle_timeout();
        loop {
            let Idle {
                mut connection,
                open,
                since,
            } = self.idle.borrow_mut().pop()?;
            let open_still = connection
                .poll_idle(&mut Context::from_waker(Waker::noop()))
                .is_pending();
            if open_still && since.elapsed() < timeout {
                return Some((connection, open));
            }
            if !open_still {
                self.learned.borrow_mut().observe(since.elapsed());
            }
        }
    }

    /// Closes the connection that was idle the longest, to make room. False: none is idle.
    pub(super) fn close_one(&self) -> bool {
        let mut idle = self.idle.borrow_mut();
        let any = !idle.is_empty();
        if any {
            idle.remove(0);
        }
        any
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(self: &Rc<Self>, mut connection: ClientConnection, open: Open) {
        self.learned
            .borrow_mut()
            .announce(connection.keep_alive_timeout());
        if self.idle.borrow().len() >= self.most {
            return;
        }
        // Its end is to wake the watcher, and no longer the exchange that used it.
        let watcher = self.watcher.borrow();
        let waker = watcher.as_ref().unwrap_or(Waker::noop());
        if connection
            .poll_idle(&mut Context::from_waker(waker))
            .is_ready()
        {
            return;
        }
        drop(watcher);
        self.idle.borrow_mut().push(Idle {
            connection,
            open,
            since: Instant::now(),
        });
        if !self.watched.replace(true) {
            tokio::task::spawn_local(watch(Rc::downgrade(self)));
        }
    }

    /// Closes what is too old, forgets what the backend has closed, and says when the next will be too old.
    fn sweep(&self, cx: &mut Context<'_>) -> Option<Instant> {
        let now = Instant::now();
        let timeout = self.idle_timeout();
        let mut learned = self.learned.borrow_mut();
        let mut idle = self.idle.borrow_mut();
        idle.retain_mut(|each| {
            let age = now.saturating_duration_since(each.since);
            if each.connection.poll_idle(cx).is_ready() {
                learned.observe(age);
                return false;
            }
            age < timeout
        });
        // The oldest is in front, except that those taken and put back went to the end.
        idle.first().map(|oldest| oldest.since + timeout)
    }
}

/// Watches the idle connections as long as the pool lives.
async fn watch(pool: Weak<Pool>) {
    let mut deadline = Deadline::new();
    poll_fn(|cx| {
        loop {
            let Some(pool) = pool.upgrade() else {
                return Poll::Ready(());
            };
            let known = pool
                .watcher
                .borrow()
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()));
            if !known {
                *pool.watcher.borrow_mut() = Some(cx.waker().clone());
            }
            match pool.sweep(cx) {
                Some(next) => deadline.set_at(next),
                None => {
                    // Nothing to watch: the next connection starts another watcher.
                    pool.watched.set(false);
                    pool.watcher.borrow_mut().take();
                    return Poll::Ready(());
                }
            }
            if deadline.poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Pool")
            .field("idle", &self.len())
            .finish_non_exhaustive()
    }
}
