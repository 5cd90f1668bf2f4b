//! Talks to running programs over their Unix sockets, all those of one root as if they were one server.
//!
//! Each process that owns Pods serves the Kubernetes REST API for them on a socket of its own:
//!
//! ```text
//! <run>/<anything>.sock                  one per process
//! <run>/pods/<namespace>_<name>.sock     a symlink per Pod, to its owner's socket
//! ```
//!
//! [`Client::get`] and whatever else is about one Pod goes by the Pod's symlink. [`Client::list`] and
//! [`Client::watch`] ask all sockets at once and merge what they say. A socket that refuses the connection
//! was left by a dead owner, whose Pods died with it: it counts as an empty server.
//!
//! Nothing is cached and nothing is polled. A request is a connection, which a Unix socket gives in microseconds.

mod arrivals;
mod client;
mod error;
mod http;
mod log;
mod merge;
mod query;
mod sockets;
mod watch;

pub use client::{Client, DeleteOptions};
pub use error::Error;
pub use http::ByteStream;
pub use log::LogOptions;
pub use merge::Listed;
pub use query::{PodName, Query, Resource};
pub use watch::{Change, Watch, WatchEvent};
