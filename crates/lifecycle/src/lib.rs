//! The Pod state machine and its simulator. Pure: no I/O, no clock, no Linux.
