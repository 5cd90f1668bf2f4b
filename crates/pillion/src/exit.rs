//! The exit codes of `pillion run`, all in one place. `--help` prints the same table.

use std::process::ExitCode;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

/// All Pods Succeeded.
pub(crate) const SUCCESS: Exit = Exit(0);
/// Anything that has no code of its own.
pub(crate) const FAILURE: Exit = Exit(1);
/// Bad input: nothing was started.
pub(crate) const BAD_INPUT: Exit = Exit(2);
/// `--timeout` ran out.
pub(crate) const TIMED_OUT: Exit = Exit(124);
/// Ctrl-C, or another signal to end.
pub(crate) const INTERRUPTED: Exit = Exit(130);

/// The table, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    all Pods Succeeded
  N    the exit code of the first app container that failed (128+n when signal n ended it)
  2    bad input: nothing was started
  124  --timeout ran out
  130  interrupted
  1    anything else";

impl Exit {
    /// The code that stands for a container's exit code; what does not fit a byte is cut as wait(2) does.
    pub(crate) fn of_container(code: i32) -> Self {
        match u8::try_from(code & 0xff) {
            // A failure must not look like success.
            Ok(0) | Err(_) if code != 0 => FAILURE,
            Ok(code) => Self(code),
            Err(_) => FAILURE,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_container_never_gives_zero() {
        assert_eq!(Exit::of_container(0), SUCCESS);
        assert_eq!(Exit::of_container(3), Exit(3));
        assert_eq!(Exit::of_container(137), Exit(137));
        assert_eq!(Exit::of_container(256), FAILURE);
        assert_eq!(Exit::of_container(-1), Exit(255));
    }
}
