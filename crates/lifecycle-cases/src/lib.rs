//! Runs lifecycle scenarios: files that say what a kubelet does with a Pod, as `tests/lifecycle-cases` holds them (their
//! README defines what may stand in one).
//!
//! In the simulator ([`Mode::Simulate`]) the state machine of `lifecycle` meets processes that do what the scripts of the
//! scenario say: `shell` interprets them, `sim` is the world in which they run, on a clock that jumps. What a scenario
//! expects is only ever compared with what came of that. A scenario that needs something only a real container has is
//! skipped, with the reason.
//!
//! In real containers ([`Mode::Real`]) the same scenarios are run by the `pillion` program.

mod case;
mod drive;
mod outcome;
mod pod;
mod real;
mod shell;
mod sim;

use std::path::{Path, PathBuf};

pub use case::Case;
pub use outcome::{Outcome, Totals};
pub use real::Real;

/// Where scenarios are run.
#[derive(Clone, Debug)]
pub enum Mode {
    /// On simulated time, with simulated processes.
    Simulate,
    /// In real containers.
    Real(Real),
}

/// Reads the scenarios of files and folders, by name of the file.
///
/// # Errors
/// Everything that is wrong with them, a line each.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Case>, Vec<String>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    let text = std::fs::read_to_string(&file).map_err(|e| cannot_read(&file, &e));
                    match text.and_then(|text| case::load(&file, text)) {
                        Ok(case) => cases.push(case),
                        Err(error) => errors.push(error),
                    }
                }
            }
            Err(error) => errors.push(cannot_read(path, &error)),
        }
    }
    if errors.is_empty() {
        Ok(cases)
    } else {
        Err(errors)
    }
}

/// Reads one scenario from a text; `file` is what it is called in messages.
///
/// # Errors
/// What is wrong with it, as `file:line:column: message`.
pub fn parse(file: &Path, text: &str) -> Result<Case, String> {
    case::load(file, text.to_owned())
}

/// Runs a scenario.
#[must_use]
pub fn run(case: &Case, mode: &Mode) -> Outcome {
    match mode {
        Mode::Simulate => sim::simulate(case),
        Mode::Real(real) => real.run(case),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// The scenario files of a folder, or the file itself.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
