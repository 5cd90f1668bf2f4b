//! The Pod state machine and its simulator. Pure: no I/O, no clock, no Linux.

mod machine;
mod protocol;
mod time;
mod waits;

pub use machine::{Machine, Options};
pub use protocol::{
    Action, EventKind, Exit, HookKind, Input, Instance, PodEvent, ProbeKind, ProbeOutcome,
    StartFailure, StopSignal,
};
pub use time::Time;
pub use waits::{Wait, WaitKind};
