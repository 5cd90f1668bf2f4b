//! The end of a worker's connections.

use std::cell::Cell;

use tokio::sync::Notify;

/// Whether a worker's connections are to end, and when an idle one has to know.
#[derive(Debug, Default)]
pub struct Drain {
    begun: Cell<bool>,
    notify: Notify,
}

impl Drain {
    /// From here on idle connections are closed, and others after the response that is under way.
    pub fn begin(&self) {
        self.begun.set(true);
        self.notify.notify_waiters();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.get()
    }

    /// Waits until it begins.
    pub async fn begins(&self) {
        while !self.has_begun() {
            self.notify.notified().await;
        }
    }
}

/// When a connection ends otherwise than by its client's wish.
pub trait Lifetime {
    /// Begins when idle connections are to be closed.
    fn drain(&self) -> &Drain;

    /// Whether the response to come is to be the connection's last.
    fn is_last_response(&self) -> bool;
}

impl Lifetime for Drain {
    fn drain(&self) -> &Drain {
        self
    }

    fn is_last_response(&self) -> bool {
        self.has_begun()
    }
}
