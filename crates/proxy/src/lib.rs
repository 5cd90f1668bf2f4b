//! The role `pillion proxy`: TLS and HTTP in front of an unmodified app.

pub mod buffer;
pub mod config;
pub mod filter;
pub mod message;
pub mod path;
pub mod reason;
pub mod route;
pub mod transport;
