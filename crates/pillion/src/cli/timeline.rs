//! `pillion timeline`.

use clap::{Args, ValueEnum};

use super::Namespace;
use crate::completion;

/// `pillion timeline`.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// The Pod: web or pod/web
    #[arg(value_name = "POD", add = completion::pod())]
    pub(crate) pod: String,
    #[command(flatten)]
    pub(crate) namespace: Namespace,
    /// For a terminal, as a picture, or for programs
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Picture::Text)]
    pub(crate) output: Picture,
}

/// `-o` of `timeline`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Picture {
    /// For a terminal
    Text,
    /// A picture that any browser shows
    Svg,
    /// What it is drawn from
    Json,
}
