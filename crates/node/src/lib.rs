//! Carries out what the Pod state machine decides: sandbox, volumes, probes, hooks, logs, status.
//!
//! This crate stands where the kubelet stands. It holds no rule of the Pod lifecycle: those are in
//! [`lifecycle`], which says what is to be done; here it is done, on Linux, and what came of it is told
//! back. A [`Node`] is what all Pods of one process share; a [`PodHandle`] is one running Pod, whose
//! task owns the Pod's state machine and everything that the Pod holds (namespaces, addresses,
//! processes, directories) and takes messages.
//!
//! Everything runs on one thread of a current-thread tokio runtime (see [`container::Launcher`] for
//! why it must be one), blocking work on tokio's blocking threads.

pub mod clock;
pub mod detached;
mod endpoint;
pub mod env;
mod hook;
mod identity;
pub mod logs;
mod node;
pub mod objects;
mod observer;
pub mod output;
pub mod paths;
mod pod;
mod probe;
mod process;
mod publish;
pub mod session;
pub mod state;
mod volumes;

pub use endpoint::Endpoint;
pub use node::{Node, NodeError, Options, PullPolicyOverride, check_user};
pub use observer::Observer;
pub use pod::{PodControl, PodHandle, PodOutcome};
pub use publish::{Publish, PublishError};
