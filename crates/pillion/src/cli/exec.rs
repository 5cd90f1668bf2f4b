//! `pillion exec` and `pillion attach`.

use clap::Args;

use super::Namespace;
use crate::completion;

/// What both share: how much of ours is the process'.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// The container
    #[arg(short, long, value_name = "CONTAINER", add = completion::container())]
    pub(crate) container: Option<String>,
    /// Pass standard input on
    #[arg(short = 'i', long)]
    pub(crate) stdin: bool,
    /// Standard input is a terminal, and the process gets one
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Print nothing but what the process writes
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `pillion exec`.
#[derive(Debug, Args)]
#[command(override_usage = "pillion exec [OPTIONS] POD -- COMMAND [ARGUMENT]...")]
pub(crate) struct ExecArgs {
    /// The Pod (web or pod/web)
    #[arg(value_name = "POD", add = completion::pod())]
    pub(crate) pod: Vec<String>,
    /// What to run, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}

/// `pillion attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The Pod (web or pod/web)
    #[arg(value_name = "POD", add = completion::pod())]
    pub(crate) pod: String,
    #[command(flatten)]
    pub(crate) session: SessionArgs,
}
