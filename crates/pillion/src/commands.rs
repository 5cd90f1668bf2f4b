//! The commands, one module each.

mod attach;
mod capture;
mod check;
mod completion;
mod cp;
mod delete;
mod demo;
mod describe;
mod detach;
mod events;
mod exec;
mod get;
mod image;
pub(crate) mod kube;
mod logs;
mod man;
mod plan;
mod port_forward;
mod proxy;
mod run;
mod supervise;
pub(crate) mod svg_file;
mod timeline;
mod top;
mod wait;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use manifest::{Diagnostic, Loaded};
use node::paths::Paths;
use streaming::client::ClientError;

use crate::cli::{Cli, Command};
use crate::term::Term;
use crate::{exit, sources};

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    kind: Kind,
    /// Lines that explain it.
    hints: Vec<String>,
}

/// How a failure is told.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// `error: ...`
    Own,
    /// As a server said it, after what kubectl puts before that.
    Server,
    /// Not at all: nobody reads what is printed.
    Silent,
}

impl Failure {
    /// A step and its cause.
    pub(crate) fn new(what: String, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            what,
            source: Some(Box::new(source)),
            kind: Kind::Own,
            hints: Vec::new(),
        }
    }

    /// A whole sentence.
    pub(crate) fn text(what: String) -> Self {
        Self {
            what,
            source: None,
            kind: Kind::Own,
            hints: Vec::new(),
        }
    }

    /// An error whose words are enough.
    pub(crate) fn saying(error: impl fmt::Display) -> Self {
        Self::text(error.to_string())
    }

    /// A result that could not be written.
    pub(crate) fn output(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => Kind::Silent,
            _ => Kind::Own,
        };
        Self {
            kind,
            ..Self::new("write to standard output".into(), error)
        }
    }

    /// With lines below it that explain it.
    pub(crate) fn explained(mut self, lines: Vec<String>) -> Self {
        self.hints.extend(lines);
        self
    }

    /// Whether there is nobody to tell it to.
    pub(crate) fn is_silent(&self) -> bool {
        self.kind == Kind::Silent
    }

    /// Tells it; returns the exit code.
    pub(crate) fn report(&self, term: &Term) -> ExitCode {
        match self.kind {
            Kind::Own => term.error(self),
            Kind::Server => term.remark(&format!("{}\n", printers::escape::terminal(&self.what))),
            Kind::Silent => return exit::SUCCESS.into(),
        }
        for hint in &self.hints {
            term.remark(&format!("{hint}\n"));
        }
        exit::FAILURE.into()
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        match error.status() {
            Some(status) => {
                let reason = match status.reason.as_str() {
                    "" => String::new(),
                    reason => format!(" ({reason})"),
                };
                Self {
                    kind: Kind::Server,
                    ..Self::text(format!("Error from server{reason}: {}", status.message))
                }
            }
            None => Self::text(crate::term::causes(&error)),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(status) => client::Error::Status(status).into(),
            error => Self::text(crate::term::causes(&error)),
        }
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
    // Who is not root is told by the socket's directory that it may not look.
    if cli.command.is_about_running_pods() && node::check_user().is_ok() {
        recover(&Paths::new(cli.global.root.as_deref()), term)?;
    }
    match cli.command {
        Command::Run(args) => run::run(args, &cli.global, term),
        Command::Supervise { uid, .. } => supervise::run(&uid, &cli.global),
        Command::Check(args) => Ok(check::run(&args, term)),
        Command::Plan(args) => plan::run(&args, term),
        Command::Get(args) => get::run(&args, &cli.global, term),
        Command::Describe(args) => describe::run(&args, &cli.global, term),
        Command::Events(args) => events::run(&args, &cli.global, term),
        Command::Timeline(args) => timeline::run(&args, &cli.global, term),
        Command::Top(command) => top::run(&command, &cli.global, term),
        Command::Delete(args) => delete::run(&args, &cli.global, term),
        Command::Wait(args) => wait::run(&args, &cli.global, term),
        Command::Logs(args) => logs::run(&args, &cli.global, term),
        Command::Completion { shell } => completion::run(shell, term),
        Command::Man { dir } => man::run(dir.as_deref(), term),
        Command::Exec(args) => exec::run(&args, &cli.global, term),
        Command::Attach(args) => attach::run(&args, &cli.global, term),
        Command::Cp(args) => cp::run(&args, &cli.global, term),
        Command::PortForward(args) => port_forward::run(&args, &cli.global, term),
        Command::Image(command) => image::run(command, &cli.global, term),
        Command::Capture(args) => capture::run(&args, term),
        Command::Proxy(args) => proxy::run(*args, term),
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
    let loaded = read_manifests(paths, term)?;
    show(&loaded.warnings, term);
    Some(loaded)
}

/// The same for who does not run them: warnings are not shown.
fn read_manifests(paths: &[String], term: &Term) -> Option<Loaded> {
    let sources = match sources::read(paths) {
        Ok(sources) => sources,
        Err(error) => {
            term.error(&error);
            return None;
        }
    };
    match manifest::load(&sources) {
        Ok(loaded) => Some(loaded),
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
