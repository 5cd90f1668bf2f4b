//! What each sidecar role shares: health, a plain port for it, watched files, metrics, logs, drain, and what the cgroup allows.
//!
//! Nothing here knows what a role does. The threads that carry its traffic touch atomics and one short critical section of
//! [`log`]; all else happens on the thread that starts and ends the role.

pub mod admin;
pub mod cpu;
pub mod drain;
pub mod health;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod watch;
