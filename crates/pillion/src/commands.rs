//! The commands, one module each.

mod check;
mod demo;
mod detach;
mod image;
mod plan;
mod run;
mod supervise;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use manifest::{Diagnostic, Loaded};
use node::paths::Paths;

use crate::cli::{Cli, Command};
use crate::term::Term;
use crate::{exit, sources};

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A step and its cause.
    pub(crate) fn new(what: String, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            what,
            source: Some(Box::new(source)),
        }
    }

    /// A whole sentence.
    pub(crate) fn text(what: String) -> Self {
        Self { what, source: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Carries out what was typed.
pub(crate) fn dispatch(cli: Cli, term: &Term) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Run(args) => run::run(args, &cli.global, term),
        Command::Supervise { uid } => supervise::run(&uid, &cli.global),
        Command::Check(args) => Ok(check::run(&args, term)),
        Command::Plan(args) => Ok(plan::run(&args, term)),
        Command::Image(command) => image::run(command, &cli.global, term),
        Command::Demo(command) => demo::run(command, term),
    }
}

/// One thread for all that runs: see `node` for why.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("start the runtime".into(), error))
}

/// Takes care of what owners that are gone have left; says so.
fn recover(paths: &Paths, term: &Term) -> Result<(), Failure> {
    let notes = node::detached::recover(paths)
        .map_err(|error| Failure::new("look after Pods whose owners are gone".into(), error))?;
    for note in notes {
        term.remark(&format!("note: {note}\n"));
    }
    Ok(())
}

/// Reads and judges manifests; findings are shown as they are. `None` is bad input.
fn load(paths: &[String], term: &Term) -> Option<Loaded> {
    let sources = match sources::read(paths) {
        Ok(sources) => sources,
        Err(error) => {
            term.error(&error);
            return None;
        }
    };
    match manifest::load(&sources) {
        Ok(loaded) => {
            show(&loaded.warnings, term);
            Some(loaded)
        }
        Err(findings) => {
            show(&findings, term);
            None
        }
    }
}

fn show(findings: &[Diagnostic], term: &Term) {
    for finding in findings {
        term.remark(&format!(
            "{}\n\n",
            finding.render(term.color_err).trim_end()
        ));
    }
}

/// The exit code of bad input.
fn bad_input() -> ExitCode {
    exit::BAD_INPUT.into()
}
