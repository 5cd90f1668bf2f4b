//! Client and server against each other, over socket pairs.

#![allow(clippy::panic, reason = "a test fails by it")]

mod exec;
mod exec_spdy;
mod port_forward;
mod support;
