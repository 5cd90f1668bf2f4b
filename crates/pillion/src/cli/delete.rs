//! `pillion delete`.

use clap::Args;

use super::{Selection, duration};

/// `pillion delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Seconds the Pods have to end, instead of what they say themselves; 0 only with --force
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) grace_period: Option<i64>,
    /// End them with hardly any delay (a grace period of 1 second)
    #[arg(long, conflicts_with = "grace_period")]
    pub(crate) now: bool,
    /// Kill at once and forget
    #[arg(long)]
    pub(crate) force: bool,
    /// Whether to wait until they are gone
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub(crate) wait: bool,
    /// Wait no longer than this (90s, 5m, or seconds); 0 is for ever
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    pub(crate) timeout: std::time::Duration,
    /// A name that does not exist is no error
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
    /// name: print pod/NAME only
    #[arg(short, long, value_name = "FORMAT", value_parser = ["name"])]
    pub(crate) output: Option<String>,
}
