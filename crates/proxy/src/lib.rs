//! The role `pillion proxy`: TLS and HTTP in front of an unmodified app.

pub mod buffer;
pub mod message;
pub mod reason;
pub mod transport;
