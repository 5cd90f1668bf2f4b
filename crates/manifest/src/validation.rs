//! What the API server checks when an object is created, judged and worded as it does.
//!
//! All functions expect defaults to be applied. Their order is that of upstream's `ValidatePodSpec`, so that the first
//! message is the same. Not checked, since this runner does nothing with it and says so: affinity, topology spread and
//! the sources of volumes that only exist on clusters, beyond their form.

mod config;
mod container;
mod dns;
mod env;
mod metadata;
pub(crate) mod names;
mod pod;
mod ports;
mod probe;
mod resources;
mod restart;
mod security;
mod volume_mounts;
mod volumes;

pub(crate) use config::{config_map, secret};
pub(crate) use pod::pod;
pub(crate) use volumes::volume_sources;

#[cfg(test)]
mod tests;
