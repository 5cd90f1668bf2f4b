//! How an exec or attach ended, and how it is told on the error channel.

use manifest::meta::status::{Status, StatusCause, StatusDetails};

/// The reason of a `Status` that tells an exit code.
const NON_ZERO_EXIT_CODE: &str = "NonZeroExitCode";
/// The cause that holds the exit code itself.
const EXIT_CODE: &str = "ExitCode";

/// How an exec or attach ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The command ended with 0; or an attach ended.
    Success,
    /// The command ended with another code; 128+n by signal n.
    ExitCode(i32),
    /// The command could not be run, or the server gave up.
    Failure(Box<Status>),
}

impl Outcome {
    /// [`Outcome::Success`] for 0.
    #[must_use]
    pub fn of_code(code: i32) -> Self {
        if code == 0 {
            Self::Success
        } else {
            Self::ExitCode(code)
        }
    }

    /// A failure of the server's, for which `message` says all: 500, `InternalError`, in the API server's words
    /// `Internal error occurred: MESSAGE`.
    #[must_use]
    pub fn internal_error(message: impl std::fmt::Display) -> Self {
        let message = message.to_string();
        let mut status = Status::failure(
            500,
            "InternalError",
            format!("Internal error occurred: {message}"),
        );
        status.details = Some(StatusDetails {
            causes: vec![StatusCause {
                message,
                ..StatusCause::default()
            }],
            ..StatusDetails::default()
        });
        Self::Failure(Box::new(status))
    }

    /// What goes out on the error channel.
    pub(crate) fn into_status(self) -> Status {
        match self {
            Self::Success => {
                // Here, unlike in an answer by HTTP, there is no code.
                let mut status = Status::success();
                status.code = 0;
                status
            }
            Self::ExitCode(code) => {
                let mut status = Status::failure(
                    0,
                    NON_ZERO_EXIT_CODE,
                    format!(
                        "command terminated with non-zero exit code: command terminated with exit code {code}"
                    ),
                );
                status.details = Some(StatusDetails {
                    causes: vec![StatusCause {
                        reason: EXIT_CODE.into(),
                        message: code.to_string(),
                        ..StatusCause::default()
                    }],
                    ..StatusDetails::default()
                });
                status
            }
            Self::Failure(status) => *status,
        }
    }

    /// What came in on the error channel.
    pub(crate) fn of_status(status: Status) -> Self {
        if !status.is_failure() {
            return Self::Success;
        }
        let code = status.details.as_ref().and_then(|details| {
            let mut causes = details.causes.iter();
            causes.find(|cause| cause.reason == EXIT_CODE)
        });
        match code.and_then(|cause| cause.message.parse().ok()) {
            Some(code) if status.reason == NON_ZERO_EXIT_CODE => Self::ExitCode(code),
            _ => Self::Failure(Box::new(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_told_as_the_kubelet_tells_it() {
        let status = Outcome::ExitCode(7).into_status();
        assert_eq!(
            serde_json::to_value(&status).expect("json"),
            serde_json::json!({
                "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
                "message": "command terminated with non-zero exit code: command terminated with exit code 7",
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
            })
        );
    }

    #[test]
    fn what_is_told_is_understood() {
        for outcome in [
            Outcome::Success,
            Outcome::ExitCode(137),
            Outcome::internal_error("no such container"),
        ] {
            assert_eq!(Outcome::of_status(outcome.clone().into_status()), outcome);
        }
    }
}
