//! `pillion plan`.

use clap::{Args, ValueEnum};

use super::Manifests;

/// `pillion plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
    /// For people or for programs
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = PlanOutput::Text)]
    pub(crate) output: PlanOutput,
}

/// `-o` of `plan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanOutput {
    /// For people
    Text,
    /// One object a Pod, for programs
    Json,
    /// The same as YAML
    Yaml,
}
