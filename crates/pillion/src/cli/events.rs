//! `pillion events`.

use clap::Args;

use super::{AnyScope, FORMATS};
use crate::completion;

/// `pillion events`.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) scope: AnyScope,
    /// Only those of this object
    #[arg(long = "for", value_name = "TYPE/NAME", add = completion::pod_objects())]
    pub(crate) object: Option<String>,
    /// Only those of these types
    #[arg(long, value_name = "Normal,Warning", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Go on and print each that follows
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Print no headings
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// How to print: json, yaml, name, jsonpath=TEMPLATE, jsonpath-file=FILE or jsonpath-as-json=TEMPLATE
    #[arg(short, long, value_name = "FORMAT", add = completion::words(FORMATS))]
    pub(crate) output: Option<String>,
}
