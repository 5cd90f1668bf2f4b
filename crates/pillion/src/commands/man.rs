//! `pillion man`: manual pages, out of the same descriptions as `--help`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use super::Failure;
use crate::cli::Cli;
use crate::exit;
use crate::term::Term;

/// Writes a page a command into a folder, or the first page to standard output.
pub(crate) fn run(dir: Option<&Path>, term: &Term) -> Result<ExitCode, Failure> {
    if let Some(dir) = dir {
        fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
            .map_err(|error| Failure::new(format!("write pages to {}", dir.display()), error))?;
        return Ok(exit::SUCCESS.into());
    }
    let mut page = Vec::new();
    Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::new("write the page".into(), error))?;
    term.write(&page).map_err(Failure::output)?;
    Ok(exit::SUCCESS.into())
}
