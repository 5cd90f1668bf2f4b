//! The meta API group: what all objects share.

pub mod status;
pub mod v1;
