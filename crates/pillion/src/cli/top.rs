//! `pillion top`.

use clap::{Args, Subcommand, ValueEnum};

use super::AnyScope;
use crate::completion;

/// `pillion top`.
#[derive(Debug, Subcommand)]
pub(crate) enum TopCommand {
    /// What Pods use of processors and memory, right now
    #[command(visible_aliases = ["pods", "po"])]
    Pod(TopPodArgs),
}

/// `pillion top pod`.
#[derive(Debug, Args)]
pub(crate) struct TopPodArgs {
    /// Only this Pod
    #[arg(value_name = "NAME", conflicts_with = "selector", add = completion::pod())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) scope: AnyScope,
    /// Only what has these labels (app=web,tier!=test,'env in (a,b)')
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,
    /// Each container by itself
    #[arg(long)]
    pub(crate) containers: bool,
    /// What uses most comes first
    #[arg(long, value_enum, value_name = "RESOURCE")]
    pub(crate) sort_by: Option<Measured>,
    /// The sum in a last line
    #[arg(long)]
    pub(crate) sum: bool,
    /// Print no headings
    #[arg(long)]
    pub(crate) no_headers: bool,
}

/// `--sort-by`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Measured {
    /// Processor time
    Cpu,
    /// Memory
    Memory,
}
