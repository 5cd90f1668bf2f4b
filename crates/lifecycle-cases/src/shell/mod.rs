//! The subset of sh that the scenarios are written in, as busybox runs it, on simulated time.
//!
//! What it does not know it reports instead of guessing: see [`Kernel::unsupported`](crate::sim::Kernel::unsupported).

pub(crate) mod arith;
pub(crate) mod ast;
mod builtins;
mod compound;
pub(crate) mod exec;
mod expand;
mod files;
pub(crate) mod glob;
mod network;
pub(crate) mod parse;
mod programs;
mod redirect;
mod test;
mod text;
mod word;

pub(crate) use builtins::signal_number;
pub(crate) use exec::Start;
pub(crate) use programs::exists;

#[cfg(test)]
mod tests;
