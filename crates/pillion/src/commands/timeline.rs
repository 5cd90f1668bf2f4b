//! `pillion timeline`: what became of a Pod over time, as a picture.

use std::os::fd::AsFd;
use std::process::ExitCode;

use lifecycle::timeline::PodTimeline;
use printers::output::{Format, Printer};
use printers::timeline::{self, Look};
use serde_json::Value;

use super::{Failure, kube};
use crate::cli::{Global, Picture, TimelineArgs};
use crate::exit;
use crate::term::Term;

pub(crate) fn run(args: &TimelineArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let client = kube::client(global);
    let pod = kube::pod_name(&args.pod, args.namespace.name())?;
    let text = kube::block_on(async {
        Ok(match args.output {
            Picture::Json => {
                let timeline: Value = client.timeline(&pod).await?;
                let mut printer = Printer::new(Format::Json, false);
                printer.print(&timeline).map_err(Failure::saying)?
            }
            Picture::Svg => timeline::svg(&client.timeline::<PodTimeline>(&pod).await?),
            Picture::Text => {
                let timeline: PodTimeline = client.timeline(&pod).await?;
                timeline::text(&timeline, look_on_stdout(term))
            }
        })
    })?;
    term.write(text.as_bytes()).map_err(Failure::output)?;
    Ok(exit::SUCCESS.into())
}

/// Columns where the output is no terminal that says how many it has.
const WIDTH: usize = 100;

/// How it can be shown on standard error.
pub(super) fn look_on_stderr(term: &Term) -> Look {
    look(std::io::stderr(), term.color_err)
}

/// How it can be shown on standard output.
pub(super) fn look_on_stdout(term: &Term) -> Look {
    look(std::io::stdout(), term.color_out)
}

fn look(output: impl AsFd, color: bool) -> Look {
    let size = rustix::termios::tcgetwinsize(output);
    let columns = size.ok().map(|size| usize::from(size.ws_col));
    let wanted = std::env::var("COLUMNS").ok();
    let wanted = wanted.and_then(|columns| columns.parse().ok());
    Look {
        width: columns
            .filter(|columns| *columns > 0)
            .or(wanted)
            .unwrap_or(WIDTH),
        color,
        unicode: speaks_unicode(),
    }
}

/// What the locale says; where there is none, as in most containers, terminals speak UTF-8 nowadays.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
