//! The core group, version 1 (Kubernetes 1.36): Pods, what they are made of, ConfigMaps, Secrets and events.
//!
//! Field names are those of the API in snake case (`hostIP` is `host_ip`, `type` is `type_`). Optional scalars and
//! objects are `Option`, lists and maps are empty when absent, required fields are plain. What Kubernetes inlines
//! (`VolumeSource` in `Volume`, the handler in `Probe`) is inlined here too.

mod config;
mod container;
mod enums;
mod env;
mod event;
mod pod;
mod probe;
mod resources;
mod scheduling;
mod security;
mod status;
mod volume;
mod volume_remote;

pub use config::*;
pub use container::*;
pub use enums::*;
pub use env::*;
pub use event::*;
pub use pod::*;
pub use probe::*;
pub use resources::*;
pub use scheduling::*;
pub use security::*;
pub use status::*;
pub use volume::*;
pub use volume_remote::*;
