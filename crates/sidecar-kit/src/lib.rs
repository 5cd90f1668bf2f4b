//! What each sidecar role shares: configuration with positions, watched files, health, drain, metrics.

pub mod watch;
