//! What can go wrong between this program and those that own Pods.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use manifest::meta::status::Status;

/// Why a request has no answer, or none that helps.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server said no; its words are kept as they are.
    #[error("{}", .0.message)]
    Status(Box<Status>),
    /// This user may not talk to the programs of this root.
    #[error(
        "open {}: permission denied (Pods belong to the user who runs them: run this as root too)",
        path.display()
    )]
    Permission {
        /// The directory or socket.
        path: PathBuf,
    },
    /// The directory of sockets cannot be read.
    #[error("read {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A socket is there but cannot be reached.
    #[error("connect to {}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke while the request was under way.
    #[error("{}", broken(request, cause))]
    Http {
        /// Method and path.
        request: String,
        /// Why.
        cause: hyper::Error,
    },
    /// The answer is not what the Kubernetes API would say.
    #[error("{request}: the answer is not understood (is it another version of this program?)")]
    Answer {
        /// Method and path.
        request: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The server takes connections but does not answer; it may be stopped.
    #[error("{}: no answer within {within:?} from {} (is it stopped?)", path.display(), process(*pid))]
    Silent {
        /// The socket.
        path: PathBuf,
        /// Who listens there, if the kernel tells.
        pid: Option<i32>,
        /// How long it was waited for.
        within: Duration,
    },
}

impl Error {
    /// What the API server says of an object that is not there.
    #[must_use]
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self::Status(Box::new(Status::not_found(resource, name)))
    }

    /// The server's own answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether it says that the object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status().is_some_and(|status| status.code == 404)
    }
}

/// What a broken connection means: nearly always, that nobody is at its other end any more.
fn broken(request: &str, cause: &hyper::Error) -> String {
    // What was to be sent could not be read, or what came is no HTTP.
    if cause.is_user() || cause.is_parse() {
        let why = cause.source().map(|source| format!(": {source}"));
        return format!("{request}: {cause}{}", why.unwrap_or_default());
    }
    "the Pod's supervisor is gone, or the `pillion run` that ran it: it ended before its answer did"
        .into()
}

fn process(pid: Option<i32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "its process".into(),
    }
}
