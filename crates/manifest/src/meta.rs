//! The meta API group: what all objects share.

pub mod v1;
