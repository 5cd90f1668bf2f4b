//! The role `pillion proxy`: TLS and HTTP in front of an unmodified app.

pub mod backend;
pub mod buffer;
pub mod config;
pub mod deadline;
pub mod exchange;
pub mod files;
pub mod filter;
pub mod http1;
pub mod message;
pub mod original_dst;
mod output;
pub mod path;
pub mod proxy_protocol;
pub mod reason;
pub mod route;
pub mod tcp;
pub mod tls;
pub mod transport;
pub mod worker;
