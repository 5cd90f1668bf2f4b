//! What is printed while cases run, and at the end.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::case::Case;

/// How a case ended.
#[derive(Debug)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// With these differences.
    Failed(Vec<String>),
}

/// Counts and prints; shared by all threads.
#[derive(Debug)]
pub struct Report {
    quiet: bool,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    /// `quiet`: only failures and counts.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            counts: Mutex::default(),
        }
    }

    /// Tells of a case that has run.
    pub fn case(&self, case: &Case, outcome: &Outcome) {
        let mut counts = self.counts();
        match outcome {
            Outcome::Passed => {
                counts.passed += 1;
                if !self.quiet {
                    say(&format!("ok      {}\n", case.name));
                }
            }
            Outcome::Failed(problems) => {
                counts.failed.push(case.name.clone());
                let mut text = format!("FAILED  {}\n", case.name);
                for problem in problems {
                    text.push_str("    ");
                    text.push_str(&problem.trim_end().replace('\n', "\n    "));
                    text.push('\n');
                }
                say(&text);
            }
        }
    }

    /// Prints the names of cases, in libtest's form.
    pub fn list(&self, cases: &[Case]) -> ExitCode {
        say(&cases
            .iter()
            .map(|case| format!("{}: test\n", case.name))
            .collect::<String>());
        ExitCode::SUCCESS
    }

    /// Nothing could run.
    pub fn cannot_run(&self, error: &dyn Error) -> ExitCode {
        say(&format!(
            "cannot run the end-to-end tests: {}\n0 passed, 1 failed\n",
            chain(error)
        ));
        ExitCode::FAILURE
    }

    /// Prints the counts; `slow` are those that nobody asked for.
    pub fn finish(&self, slow: &[Case]) -> ExitCode {
        let counts = self.counts();
        let mut text = String::new();
        if !slow.is_empty() {
            let names: Vec<&str> = slow.iter().map(|case| case.name.as_str()).collect();
            text.push_str(&format!(
                "not run, because slow (make test-slow): {}\n",
                names.join(", ")
            ));
        }
        if !counts.failed.is_empty() {
            text.push_str(&format!("failed: {}\n", counts.failed.join(", ")));
        }
        text.push_str(&format!(
            "{} passed, {} failed\n",
            counts.passed,
            counts.failed.len()
        ));
        say(&text);
        if counts.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error and its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn say(text: &str) {
    // A reader that is gone does not change the outcome.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
