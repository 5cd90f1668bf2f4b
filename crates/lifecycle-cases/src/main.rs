//! `lifecycle-cases`: runs scenarios and prints a line for each.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use pillion_lifecycle_cases::{Mode, Totals, load, run};

const USAGE: &str = "usage: lifecycle-cases [--simulate] [--slow] DIR...\n\
    \n\
    Runs the lifecycle scenarios of folders or files and prints a line for each.\n\
    \n\
    --simulate   on simulated time, with processes that do what the scripts say (the default)\n\
    --slow       those too that take long; the simulator always runs all\n";

fn main() -> ExitCode {
    match main_with(std::env::args().skip(1)) {
        Ok(code) => code,
        // Nobody reads any more.
        Err(_) => ExitCode::FAILURE,
    }
}

fn main_with(arguments: impl Iterator<Item = String>) -> io::Result<ExitCode> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut paths = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--simulate" | "--slow" => {}
            "--help" | "-h" => {
                out.write_all(USAGE.as_bytes())?;
                return Ok(ExitCode::SUCCESS);
            }
            option if option.starts_with('-') => {
                write!(err, "unknown option {option}\n{USAGE}")?;
                return Ok(ExitCode::from(2));
            }
            path => paths.push(PathBuf::from(path)),
        }
    }
    if paths.is_empty() {
        err.write_all(USAGE.as_bytes())?;
        return Ok(ExitCode::from(2));
    }
    let cases = match load(&paths) {
        Ok(cases) => cases,
        Err(errors) => {
            for error in errors {
                writeln!(err, "{error}")?;
            }
            return Ok(ExitCode::from(2));
        }
    };
    let mut totals = Totals::default();
    for case in &cases {
        let outcome = run(case, Mode::Simulate);
        totals.count(&outcome);
        let file = case.file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(out, "{file}: {outcome}")?;
    }
    writeln!(out, "{totals}")?;
    Ok(if totals.failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
