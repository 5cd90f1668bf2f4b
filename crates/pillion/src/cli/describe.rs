//! `pillion describe`.

use clap::Args;

use super::AnyScope;
use crate::completion;

/// `pillion describe`.
#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// The Pods: pods, pod web, pod/web; pod we for all whose names begin so, if there is none of that name
    #[arg(required = true, value_name = "TYPE[/NAME] | NAME", add = completion::pods())]
    pub(crate) resources: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: AnyScope,
    /// Only what has these labels (app=web,tier!=test,'env in (a,b)')
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Whether to list events [default: for a single Pod, not for several nor by the beginning of names]
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) show_events: Option<bool>,
}
