//! What containers write: read from their pipes, handed on, kept for termination messages, and given to those
//! who are attached.

mod pump;
mod tail;
mod tap;

pub(crate) use self::pump::Pumps;
pub(crate) use self::tap::Tap;
