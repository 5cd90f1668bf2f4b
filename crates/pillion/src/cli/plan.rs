//! `pillion plan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use lifecycle::what_if::{self, Supposition};

use super::{Manifests, duration};

/// The longest time that is simulated.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What can be supposed, for `--help`.
pub(crate) const HELP: &str = "\
What containers can be supposed to do, T after their start (5s, 500ms, 2m; seconds without unit):
  exit:CODE[@T]       end by itself; several for one container are one run each, the last stands for the rest
  oom[@T]             be killed for want of memory
  hang[@T]            do nothing any more: probes get no answer, SIGTERM is ignored
  run                 run until it is stopped
  probe-fail[@T]      let its probes fail from then on; probe-fail:liveness and so on, one of them
  slow-start:T        let its probes succeed only after T
  ignore-term         ignore SIGTERM
  slow-stop:T         take so long to end after SIGTERM
  no-image            have an image that cannot be had
And of the Pod: delete@T";

/// `pillion plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
    /// For people or for programs
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = PlanOutput::Text)]
    pub(crate) output: PlanOutput,
    /// Tell what would follow if a container did this: app=exit:1@5s (below); may be given several times
    #[arg(long, value_name = "CONTAINER=BEHAVIOUR", value_parser = supposition)]
    pub(crate) what_if: Vec<Supposed>,
    /// How long a time is simulated
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = length, requires = "what_if")]
    pub(crate) r#for: Duration,
    /// Write what would follow as a picture that any browser shows
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        requires = "what_if"
    )]
    pub(crate) timeline_svg: Option<PathBuf>,
}

/// A supposition as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Supposed {
    pub(crate) text: String,
    pub(crate) supposition: Supposition,
}

fn supposition(text: &str) -> Result<Supposed, String> {
    let supposition = what_if::parse(text).map_err(|error| error.to_string())?;
    let text = text.to_owned();
    Ok(Supposed { text, supposition })
}

fn length(text: &str) -> Result<Duration, String> {
    let length = duration(text)?;
    if length.is_zero() || length > LONGEST {
        return Err("a simulation takes 1s to 24h".to_owned());
    }
    Ok(length)
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
