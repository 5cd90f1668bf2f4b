//! Which Pods a command that changes or waits is about.

use clap::{Args, ValueHint};

use super::AnyScope;
use crate::completion;

/// Pods by name, by file or by selector.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The Pods: pod web api, pod/web pod/api; pods alone with --all or a selector
    #[arg(value_name = "TYPE[/NAME] | NAME", add = completion::pods())]
    pub(crate) resources: Vec<String>,
    /// The Pods of manifests: a file, a folder or - for standard input
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) filename: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: AnyScope,
    /// Only what has these labels (app=web,tier!=test,'env in (a,b)')
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Only what has these fields (status.phase=Running)
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) field_selector: Option<String>,
    /// All Pods of the namespace
    #[arg(long)]
    pub(crate) all: bool,
}
