//! The Pod state machine and its simulator. Pure: no I/O, no clock, no Linux.
//!
//! A [`Machine`] is the life of one Pod as a kubelet of Kubernetes 1.36 leads it: what starts when, what
//! is restarted after which delay, what probes and hooks lead to, how the Pod ends, and what its status
//! says at each moment. It is told what happened ([`Input`]) and when ([`Time`]), and says what is to be
//! done ([`Action`]); whoever carries that out (`node`, or a simulator) knows none of the rules.
//!
//! The rules have numbers (`R8.6`); each is named where it lives. What upstream's kubelet is merely slow
//! at is not copied: an event is acted on when it comes.
//!
//! [`timeline`] is the history of a Pod, made from its statuses and events.
//!
//! What is not here: defaults and validation (crate `manifest`), how a probe or hook is carried out, and
//! anything about images but the back-off of their pulls.

mod backoff;
pub mod columns;
mod conditions;
mod container;
pub mod events;
mod handover;
mod hook;
mod input;
mod machine;
pub mod message;
mod phase;
pub mod plan;
mod probe;
mod protocol;
pub mod resources;
mod restart;
mod restart_all;
mod restore;
mod sandbox;
pub mod sim;
mod start;
mod status;
mod sync;
mod terminate;
mod time;
pub mod timeline;
mod waits;
pub mod what_if;

pub use container::Role;
pub use handover::Handover;
pub use machine::{Machine, Options};
pub use protocol::{
    Action, EventKind, Exit, HookKind, Input, Instance, PodEvent, ProbeKind, ProbeOutcome,
    StartFailure, StopSignal,
};
pub use time::Time;
pub use waits::{Next, PodWaits, Wait, WaitKind};
