//! `pillion wait`.

use clap::Args;

use super::Selection;
use crate::completion;

/// What is often waited for.
const CONDITIONS: &[&str] = &[
    "condition=Ready",
    "create",
    "delete",
    "jsonpath={.status.phase}=Succeeded",
];

/// `pillion wait`.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// What to wait for: create, delete, condition=NAME[=STATUS] or jsonpath={PATH}[=VALUE]; several one after the other
    #[arg(long = "for", value_name = "CONDITION", required = true, add = completion::words(CONDITIONS))]
    pub(crate) conditions: Vec<String>,
    /// Give up after this time (90s, 5m, or seconds); 0 looks once, less waits for ever
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        allow_negative_numbers = true,
        value_parser = timeout
    )]
    pub(crate) timeout: Timeout,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// So long.
    Within(std::time::Duration),
    /// Without end.
    Never,
}

fn timeout(text: &str) -> Result<Timeout, String> {
    match text.strip_prefix('-') {
        Some(rest) => super::duration(rest).map(|_| Timeout::Never),
        None => super::duration(text).map(Timeout::Within),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_below_zero_are_for_ever() {
        assert_eq!(timeout("-1s"), Ok(Timeout::Never));
        assert_eq!(timeout("-1"), Ok(Timeout::Never));
        assert_eq!(
            timeout("1s"),
            Ok(Timeout::Within(std::time::Duration::from_secs(1)))
        );
        assert!(timeout("-soon").is_err());
    }
}
