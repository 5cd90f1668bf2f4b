//! End-to-end tests as transcripts: a folder in `cases/` holds manifests, a command and what it prints.
//!
//! Each case runs the true program in namespaces of its own (processes, mounts, network) and with a
//! state directory of its own, so that cases run side by side, may use the same ports, and whatever the
//! program leaves behind is found: a process, a mount, a link, a route, a rule, a cgroup, a file. How a
//! case is written stands in `README.md` beside this crate.
//!
//! What this is not: a library. The crate exists so that its parts have unit tests.

pub mod case;
pub mod expect;
pub mod filter;
pub mod options;
pub mod report;
pub mod run;
pub mod stage;

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use case::Case;
use options::Options;
use report::{Outcome, Report};
use stage::Stage;

/// Runs the cases that the arguments select; prints `N passed, N failed` at the end. `scratch` is a folder
/// for what cases need, which may grow to some hundred megabytes.
pub fn main(arguments: impl Iterator<Item = String>, scratch: &Path) -> ExitCode {
    let options = Options::parse(arguments);
    let report = Report::new(options.quiet);
    let cases = match case::all() {
        Ok(cases) => cases,
        Err(error) => return report.cannot_run(&error),
    };
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| options.selects(&case.name))
        .collect();
    if options.list {
        return report.list(&cases);
    }
    let (cases, slow): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|case| options.slow || !case.settings.slow);
    // Nothing is built for nothing: `cargo test NAME` comes by here for each NAME of other crates.
    if !cases.is_empty() {
        let stage = match Stage::prepare(&scratch.join("e2e")) {
            Ok(stage) => stage,
            Err(error) => return report.cannot_run(&error),
        };
        run_all(cases, &stage, &options, &report);
    }
    report.finish(&slow)
}

/// Side by side as far as the cases allow; those that want the machine for themselves come last.
fn run_all(cases: Vec<Case>, stage: &Stage, options: &Options, report: &Report) {
    let (alone, together): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.settings.alone);
    let queue = Mutex::new(VecDeque::from(together));
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while let Some(case) = next() {
                    run_one(&case, stage, options, report);
                }
            });
        }
    });
    for case in &alone {
        run_one(case, stage, options, report);
    }
}

fn run_one(case: &Case, stage: &Stage, options: &Options, report: &Report) {
    let outcome = match run::run(case, stage) {
        Err(error) => Outcome::Failed(vec![report::chain(&error)]),
        Ok(transcript) => {
            let problems = if options.update {
                expect::update(case, &transcript)
            } else {
                expect::compare(case, &transcript)
            };
            if problems.is_empty() {
                Outcome::Passed
            } else {
                Outcome::Failed(problems)
            }
        }
    };
    if matches!(outcome, Outcome::Passed) {
        stage.clear(&case.name);
    }
    report.case(case, &outcome);
}
