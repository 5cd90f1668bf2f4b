//! Why a sandbox, container or exec did not start: the step, and a sentence as runc would word it.

use std::io;

use serde::{Deserialize, Serialize};

/// The step of a start that failed. The caller maps it to a Kubernetes reason: [`Step::Exec`] is the user's entrypoint
/// (`StartError`, exit code 128), [`Step::User`] and [`Step::WorkingDirectory`] are the image's or the Pod's, all others are
/// the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Starting or talking to the helper process.
    Launch,
    /// Creating or joining namespaces, host name, sysctls.
    Namespaces,
    /// Joining the cgroup.
    Cgroup,
    /// Building the root file system.
    Rootfs,
    /// One of the mounts.
    Mount,
    /// `/dev`, terminals.
    Devices,
    /// User and groups.
    User,
    /// Capabilities, no_new_privs.
    Capabilities,
    /// The system call filter.
    Seccomp,
    /// The working directory.
    WorkingDirectory,
    /// The program itself.
    Exec,
}

/// What is said of a process that was gone before it became its program: nothing more is known of it inside.
pub(crate) const KILLED: &str = "the process was killed while it was set up";

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct StartError {
    /// Where.
    pub step: Step,
    /// The kernel's error number, when there was one.
    pub errno: Option<i32>,
    /// The whole sentence, lower case, without a full stop.
    pub message: String,
}

impl StartError {
    pub(crate) fn new(step: Step, message: impl Into<String>) -> Self {
        Self {
            step,
            errno: None,
            message: message.into(),
        }
    }

    pub(crate) fn io(step: Step, what: impl std::fmt::Display, error: &io::Error) -> Self {
        Self {
            step,
            errno: error.raw_os_error(),
            message: format!("{what}: {}", os_text(error)),
        }
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.message.push_str(" (hint: ");
        self.message.push_str(hint);
        self.message.push(')');
        self
    }

    /// Whether the kernel's error was `errno`.
    #[must_use]
    pub fn is_errno(&self, errno: rustix::io::Errno) -> bool {
        self.errno == Some(errno.raw_os_error())
    }
}

/// The kernel's words as Go programs print them, which is what people search for: lower case, no number.
pub(crate) fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !text[first.len_utf8()..].starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Names the step and the object of a failed system call.
pub(crate) trait At<T> {
    /// `what` is evaluated on failure only.
    fn at<W: std::fmt::Display>(
        self,
        step: Step,
        what: impl FnOnce() -> W,
    ) -> Result<T, StartError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at<W: std::fmt::Display>(
        self,
        step: Step,
        what: impl FnOnce() -> W,
    ) -> Result<T, StartError> {
        self.map_err(|error| StartError::io(step, what(), &error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_runc() {
        let text = |errno| os_text(&io::Error::from_raw_os_error(errno));
        assert_eq!(text(2), "no such file or directory");
        assert_eq!(text(13), "permission denied");
        assert_eq!(text(8), "exec format error");
    }
}
