//! `pillion logs`.

use clap::Args;

use super::{Namespace, duration};
use crate::completion;

/// `pillion logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The Pod (web or pod/web), and which container of it if there are several
    #[arg(value_name = "POD [CONTAINER]", num_args = 0..=2, required_unless_present = "selector", add = completion::pod_and_container())]
    pub(crate) pod: Vec<String>,
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// The container
    #[arg(short, long, value_name = "CONTAINER", add = completion::container())]
    pub(crate) container: Option<String>,
    /// Go on until the containers end
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The run before the last restart
    #[arg(short, long)]
    pub(crate) previous: bool,
    /// Only what is newer than this (5s, 2m, 3h)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) since: Option<std::time::Duration>,
    /// Only what was written from this moment on (2026-01-02T15:04:05Z)
    #[arg(long, value_name = "TIME", conflicts_with = "since")]
    pub(crate) since_time: Option<jiff::Timestamp>,
    /// Only so many lines at the end; all is -1, and 10 is what --selector takes
    #[arg(long, value_name = "LINES", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-1..))]
    pub(crate) tail: Option<i64>,
    /// The time before each line
    #[arg(long)]
    pub(crate) timestamps: bool,
    /// Only so many bytes of each container
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) limit_bytes: Option<i64>,
    /// All containers of the Pod
    #[arg(long)]
    pub(crate) all_containers: bool,
    /// All Pods that are meant, with the name of each before its lines
    #[arg(long)]
    pub(crate) all_pods: bool,
    /// The Pod's and the container's name before each line
    #[arg(long)]
    pub(crate) prefix: bool,
    /// All Pods that have these labels
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "pod")]
    pub(crate) selector: Option<String>,
    /// How many logs are followed at once at the most
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) max_log_requests: usize,
    /// Tell errors and go on
    #[arg(long)]
    pub(crate) ignore_errors: bool,
    /// With --follow, how long to wait for a container that has not started yet
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "20s")]
    pub(crate) pod_running_timeout: std::time::Duration,
}
