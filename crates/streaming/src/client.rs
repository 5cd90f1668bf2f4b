//! The client's end: asks for exec, attach or port-forward over a connection of its own.

mod command;
mod port_forward;

pub use command::{Command, CommandResult, TerminalResizer, command};
pub use port_forward::{ForwardFailure, Forwarded, PortForward, port_forward};

use manifest::meta::status::Status;

/// Why a stream could not be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused; its words.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The server does not speak HTTP as it should, or is gone.
    #[error("ask for an upgrade")]
    Http(#[source] hyper::Error),
    /// The server accepted, but not what was asked for.
    #[error("the server answered {0}")]
    Upgrade(String),
    /// The connection ended before the server said how it went.
    #[error("the server closed the connection without a result")]
    Lost,
}
