//! What keeps the proxy from starting.

use std::io;

use sidecar_kit::drain::InvalidGracePeriod;

use crate::listener::ListenError;
use crate::snapshot::MaterialError;

/// What keeps the proxy from starting.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration asks for what this version does not do.
    #[error("this version does not carry out all of the configuration:\n  {}", .0.join("\n  "))]
    Unsupported(Vec<String>),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Certificates, keys or authorities cannot be used.
    #[error(transparent)]
    Material(#[from] MaterialError),
    /// The grace period in the environment is none.
    #[error(transparent)]
    GracePeriod(#[from] InvalidGracePeriod),
    /// The kernel refuses something.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl RunError {
    pub(super) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
