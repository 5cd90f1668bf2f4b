//! The rules of the lifecycle, each run in the simulator. Tests are named after the rules.

extern crate pillion_lifecycle as lifecycle;

mod hooks;
mod probes;
mod properties;
mod restarts;
mod runner_restart;
mod start;
mod status;
mod story;
mod support;
mod termination;
mod waits;
mod whole_pod;
