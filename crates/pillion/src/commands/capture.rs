//! `pillion capture`: connections of the Pod that it runs in, redirected to a sidecar.

use std::process::ExitCode;

use capture::{Installed, TABLE};

use super::Failure;
use crate::cli::CaptureArgs;
use crate::exit;
use crate::term::Term;

pub(crate) fn run(args: &CaptureArgs, term: &Term) -> Result<ExitCode, Failure> {
    if args.undo {
        let done = match capture::undo().map_err(failure)? {
            true => "removed",
            false => "not there",
        };
        term.result(&format!("table inet {TABLE}: {done}\n"));
        return Ok(exit::SUCCESS.into());
    }
    let wanted = match args.capture() {
        Ok(wanted) => wanted,
        Err(error) => {
            term.error(&error);
            return Ok(super::bad_input());
        }
    };
    if args.excludes_root() {
        term.warning(
            "UID 0 is excluded: connections of every container that runs as root are not captured; run the sidecar as another user",
        );
    }
    term.result(&wanted.to_string());
    if args.dry_run {
        return Ok(exit::SUCCESS.into());
    }
    let (code, done) = if args.check {
        match capture::check(&wanted).map_err(failure)? {
            true => (exit::SUCCESS, "in force"),
            false => (exit::FAILURE, "not as these rules say"),
        }
    } else {
        let done = match capture::install(&wanted).map_err(failure)? {
            Installed::New => "installed",
            Installed::Replaced => "replaced",
            Installed::Unchanged => "in force already",
        };
        (exit::SUCCESS, done)
    };
    for foreign in capture::foreign(&wanted).map_err(failure)? {
        term.warning(&foreign.to_string());
    }
    term.result(&format!("table inet {TABLE}: {done}\n"));
    Ok(code.into())
}

fn failure(error: capture::Error) -> Failure {
    let hints = error.hints();
    Failure::saying(crate::term::causes(&error)).explained(hints)
}
