//! Object store with watch, and the Kubernetes REST API over a Unix socket.
//!
//! ```text
//!   node --Observer--> Registry -> Store (versions, watch) <--- list, get, watch --- api <--- Unix socket
//!    ^                                                                                |
//!    +---------------- PodControl: delete, log, exec, attach, port-forward ----------+
//! ```
//!
//! Each process that runs Pods serves the API of its own Pods; a client that asks all sockets of a root sees all Pods
//! of the machine. Resources, verbs, selectors, Tables, watches and streams are those of Kubernetes, so that whoever
//! speaks to an API server can speak to this.

mod api;
mod registry;
pub mod selector;
mod server;
pub mod store;

pub use api::Change;
pub use registry::Registry;
pub use server::Server;
