//! What can be asked for: by the arguments that `cargo test` passes on, and by environment variables.

use std::env;
use std::thread;

/// How to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Parts of names; a case runs when its name has one of them, or when there are none.
    pub names: Vec<String>,
    /// Names are whole names.
    pub exact: bool,
    /// Only say which cases there are.
    pub list: bool,
    /// One character a case.
    pub quiet: bool,
    /// Cases that take minutes as well (`E2E_SLOW`, `--include-ignored`).
    pub slow: bool,
    /// Write what is printed as what is expected (`UPDATE`).
    pub update: bool,
    /// How many cases at once (`E2E_JOBS`, `--test-threads`).
    pub jobs: usize,
}

impl Options {
    /// Takes libtest's arguments as far as they mean something here; others are passed by, since `cargo
    /// test` gives the same ones to every test program.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let number = |text: &str| text.parse().ok().filter(|jobs| *jobs > 0);
        // Cases wait more than they compute.
        let usual = thread::available_parallelism().map_or(2, |cores| (cores.get() * 2).min(8));
        let mut options = Self {
            slow: set("E2E_SLOW"),
            update: set("UPDATE"),
            jobs: env::var("E2E_JOBS")
                .ok()
                .and_then(|text| number(&text))
                .unwrap_or(usual),
            ..Self::default()
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--exact" => options.exact = true,
                "--list" => options.list = true,
                "-q" | "--quiet" => options.quiet = true,
                "--ignored" | "--include-ignored" => options.slow = true,
                "--test-threads" => {
                    if let Some(jobs) = arguments.next().and_then(|text| number(&text)) {
                        options.jobs = jobs;
                    }
                }
                "--skip" | "--format" | "--color" | "--logfile" | "-Z" => drop(arguments.next()),
                name if !name.starts_with('-') => options.names.push(name.to_owned()),
                _ => {}
            }
        }
        options
    }

    /// Whether the case of this name is meant.
    pub fn selects(&self, name: &str) -> bool {
        let meant = |wanted: &String| {
            if self.exact {
                name == wanted
            } else {
                name.contains(wanted)
            }
        };
        self.names.is_empty() || self.names.iter().any(meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Options {
        Options::parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn names_select_by_part_or_whole() {
        assert!(parse(&[]).selects("010-demo"));
        assert!(parse(&["demo"]).selects("010-demo"));
        assert!(!parse(&["demo", "--exact"]).selects("010-demo"));
        assert!(!parse(&["other"]).selects("010-demo"));
    }

    #[test]
    fn arguments_of_libtest_are_no_names() {
        let options = parse(&[
            "--quiet",
            "--test-threads",
            "3",
            "--format",
            "pretty",
            "--nocapture",
        ]);
        assert!(options.names.is_empty());
        assert!(options.quiet);
        assert_eq!(options.jobs, 3);
    }
}
