//! The client's end: asks for exec, attach or port-forward over a connection of its own.

mod command;
mod port_forward;
mod upgrade;

pub use command::{Command, CommandResult, TerminalResizer, command};
pub use port_forward::{ForwardFailure, Forwarded, PortForward, port_forward};

use manifest::meta::status::Status;

/// Why a stream could not be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused; its words.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The path is none.
    #[error("ask for an upgrade")]
    Request(#[source] hyper::http::Error),
    /// The server does not speak HTTP as it should, or is gone.
    #[error("ask for an upgrade")]
    Http(#[source] hyper::Error),
    /// The server accepted, but not what was asked for.
    #[error("the server upgraded to another protocol: {0}")]
    Protocol(String),
    /// The server is gone.
    #[error("lost connection to pod")]
    Lost,
    /// The connection carries as many streams as it can.
    #[error("too many streams over one connection")]
    TooMany,
}
