//! The server's end: takes the HTTP request for an upgrade, answers it, and yields the session.
//!
//! ```ignore
//! let (response, pending) = streaming::server::command(&mut request, streams);
//! if let Some(pending) = pending {
//!     tokio::spawn(async move {
//!         let session = pending.session().await?;
//!         // copy session.stdin, session.stdout and session.stderr to and from the process, then
//!         session.end.finish(Outcome::of_code(code)).await
//!     });
//! }
//! Ok(response.map(into_body))
//! ```

mod command;
mod port_forward;
mod upgrade;

pub use command::{CommandEnd, CommandSession, PendingCommand, command};
pub use port_forward::{
    Forward, ForwardError, PendingPortForward, PortForwardSession, port_forward,
};

/// Why no session came of an accepted upgrade.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The client left before the connection was handed over.
    #[error("take over the connection of an upgraded request")]
    Upgrade(#[source] hyper::Error),
    /// The client did not open the streams that it asked for in time, or opened others.
    #[error("wait for the client's streams: {0}")]
    Streams(&'static str),
}
