//! What containers write: read from their pipes, handed on, kept for termination messages, and given to those
//! who are attached.

mod pump;
mod tail;
// Attach is what reads it.
#[allow(dead_code)]
mod tap;

pub(crate) use self::pump::Pumps;
pub(crate) use self::tap::Tap;
