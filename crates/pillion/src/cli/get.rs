//! `pillion get`.

use clap::Args;

use super::{AnyScope, FORMATS};
use crate::completion;

/// `pillion get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// pods or events, with names if only some are wanted: pods, pod web, pod/web event/x
    #[arg(required = true, value_name = "TYPE[/NAME] | NAME", add = completion::resources())]
    pub(crate) resources: Vec<String>,
    #[command(flatten)]
    pub(crate) scope: AnyScope,
    /// How to print: wide, json, yaml, name, jsonpath=TEMPLATE, jsonpath-file=FILE, jsonpath-as-json=TEMPLATE or
    /// custom-columns=HEADING:PATH,...
    #[arg(short, long, value_name = "FORMAT", add = completion::words(FORMATS))]
    pub(crate) output: Option<String>,
    /// Go on and print each change
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Print changes only, not what there is already
    #[arg(long)]
    pub(crate) watch_only: bool,
    /// With --watch, print of each change whether something was added, modified or deleted
    #[arg(long)]
    pub(crate) output_watch_events: bool,
    /// Only what has these labels (app=web,tier!=test,'env in (a,b)')
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Only what has these fields (status.phase=Running)
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) field_selector: Option<String>,
    /// Print no headings
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// Print all labels in a last column
    #[arg(long)]
    pub(crate) show_labels: bool,
    /// Print these labels in columns of their own
    #[arg(short = 'L', long, value_name = "LABEL", value_delimiter = ',')]
    pub(crate) label_columns: Vec<String>,
    /// Print the type before each name
    #[arg(long)]
    pub(crate) show_kind: bool,
    /// Sort by a field, such as .metadata.creationTimestamp
    #[arg(long, value_name = "PATH")]
    pub(crate) sort_by: Option<String>,
    /// A name that does not exist is no error
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
}
