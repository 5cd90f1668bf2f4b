//! `pillion port-forward`.

use clap::Args;

use super::Namespace;
use crate::completion;

/// `pillion port-forward`.
#[derive(Debug, Args)]
pub(crate) struct PortForwardArgs {
    /// The Pod (web or pod/web)
    #[arg(value_name = "POD", add = completion::pod())]
    pub(crate) pod: String,
    /// Ports here and in the Pod, by number or name: 8080:80, 80 for the same here, :80 for any that is free
    #[arg(required = true, value_name = "[LOCAL:]REMOTE", add = completion::port())]
    pub(crate) ports: Vec<String>,
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// Where to listen: IP addresses, or localhost for 127.0.0.1 and ::1
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = "localhost"
    )]
    pub(crate) address: Vec<String>,
}
