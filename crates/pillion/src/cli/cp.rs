//! `pillion cp`.

use clap::Args;

use super::Namespace;
use crate::completion;

/// `pillion cp`.
#[derive(Debug, Args)]
pub(crate) struct CpArgs {
    /// A file or folder of this machine, or of a container (POD:PATH, NAMESPACE/POD:PATH)
    #[arg(value_name = "FROM", add = completion::place())]
    pub(crate) from: String,
    /// The same; one of both is in a container
    #[arg(value_name = "TO", add = completion::place())]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// The container
    #[arg(short, long, value_name = "CONTAINER")]
    pub(crate) container: Option<String>,
}
