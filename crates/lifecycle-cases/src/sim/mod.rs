//! Scenarios on simulated time, with processes that do what their scripts say.

mod config;
pub(crate) mod fs;
pub(crate) mod http;
mod job;
pub(crate) mod kernel;
mod run;
mod volumes;
mod world;

pub(crate) use run::simulate;
