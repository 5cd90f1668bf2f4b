//! The role `pillion proxy`: TLS and HTTP in front of an unmodified app.

pub mod access_log;
pub mod backend;
pub mod buffer;
pub mod config;
pub mod deadline;
pub mod exchange;
pub mod files;
pub mod filter;
pub mod http1;
pub mod listener;
pub mod message;
pub mod metrics;
pub mod original_dst;
mod output;
pub mod path;
pub mod proxy_protocol;
pub mod reason;
pub mod route;
pub mod run;
pub mod snapshot;
pub mod tcp;
pub mod tls;
pub mod transport;
pub mod unsupported;
pub mod worker;
