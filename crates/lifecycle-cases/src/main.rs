//! `lifecycle-cases`: runs scenarios and prints a line for each.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError, mpsc};

use pillion_lifecycle_cases::{Case, Mode, Outcome, Real, Totals, load, run};

const USAGE: &str = "usage: lifecycle-cases [--simulate | --real] [--slow] [--except NAME]... [--jobs N] DIR...\n\
    \n\
    Runs the lifecycle scenarios of folders or files and prints a line for each.\n\
    \n\
    --simulate   on simulated time, with processes that do what the scripts say (the default)\n\
    --real       in real containers, side by side, by the program $PILLION (pillion) with the\n\
    \x20            state in $PILLION_ROOT, which must hold the image busybox\n\
    --slow       those too that take long in real time; the simulator always runs all\n\
    --except     leave out the scenario of this name\n\
    --jobs       how many run side by side in real containers (16)\n";

/// Scenarios that run side by side in real containers. They mostly wait.
const SIDE_BY_SIDE: usize = 16;

struct Options {
    mode: Mode,
    slow: bool,
    except: Vec<String>,
    jobs: usize,
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let code = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => run_all(&options),
        Ok(None) => io::stdout()
            .write_all(USAGE.as_bytes())
            .map(|()| ExitCode::SUCCESS),
        Err(why) => writeln!(io::stderr(), "{why}\n{USAGE}").map(|()| ExitCode::from(2)),
    };
    // Nobody reads any more.
    code.unwrap_or(ExitCode::FAILURE)
}

/// What is asked for; nothing where that is help.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        mode: Mode::Simulate,
        slow: false,
        except: Vec::new(),
        jobs: SIDE_BY_SIDE,
        paths: Vec::new(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            let value = arguments.next();
            value.ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--simulate" => options.mode = Mode::Simulate,
            "--real" => options.mode = Mode::Real(real()),
            "--slow" => options.slow = true,
            "--except" => options.except.push(value()?),
            "--jobs" => {
                let jobs = value()?;
                let number = jobs.parse().ok().filter(|number| *number > 0);
                options.jobs =
                    number.ok_or_else(|| format!("--jobs {jobs}: not a number above 0"))?;
            }
            "--help" | "-h" => return Ok(None),
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            path => options.paths.push(PathBuf::from(path)),
        }
    }
    if options.paths.is_empty() {
        return Err("which scenarios?".to_owned());
    }
    Ok(Some(options))
}

fn real() -> Real {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let scratch = format!("lifecycle-cases-{}", std::process::id());
    Real {
        program: variable("PILLION").unwrap_or_else(|| PathBuf::from("pillion")),
        root: variable("PILLION_ROOT"),
        scratch: std::env::temp_dir().join(scratch),
    }
}

fn run_all(options: &Options) -> io::Result<ExitCode> {
    let cases = match load(&options.paths) {
        Ok(cases) => cases,
        Err(errors) => {
            for error in errors {
                writeln!(io::stderr(), "{error}")?;
            }
            return Ok(ExitCode::from(2));
        }
    };
    let unknown = |name: &&String| !cases.iter().any(|case| case.name == **name);
    if let Some(name) = options.except.iter().find(unknown) {
        writeln!(io::stderr(), "--except {name}: there is no such scenario")?;
        return Ok(ExitCode::from(2));
    }
    let real = matches!(options.mode, Mode::Real(_));
    let why_not = |case: &Case| {
        let slow = case.slow && real && !options.slow;
        if options.except.contains(&case.name) {
            Some("left out by --except")
        } else {
            slow.then_some("slow; --slow runs it")
        }
    };
    let (cases, left_out): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| why_not(case).is_none());
    let mut totals = Totals::default();
    let mut out = io::stdout().lock();
    let mut say = |case: &Case, outcome: &Outcome| {
        totals.count(outcome);
        let file = case.file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(out, "{file}: {outcome}")
    };
    if real {
        side_by_side(&cases, options, &mut say)?;
    } else {
        for case in &cases {
            say(case, &run(case, &options.mode))?;
        }
    }
    for case in &left_out {
        let why = why_not(case).unwrap_or_default();
        say(case, &Outcome::Skipped(why.to_owned()))?;
    }
    if let Mode::Real(real) = &options.mode {
        // It holds what failed scenarios left, if any did.
        let _ = std::fs::remove_dir(&real.scratch);
    }
    writeln!(out, "{totals}")?;
    Ok(if totals.failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs scenarios at the same time; each is told as soon as it is over.
fn side_by_side(
    cases: &[Case],
    options: &Options,
    say: &mut dyn FnMut(&Case, &Outcome) -> io::Result<()>,
) -> io::Result<()> {
    let queue: Mutex<VecDeque<&Case>> = Mutex::new(cases.iter().collect());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(cases.len()) {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(case) = next else { return };
                    // Who listens has given up when this fails.
                    if sender.send((case, run(case, &options.mode))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        receiver
            .into_iter()
            .try_for_each(|(case, outcome)| say(case, &outcome))
    })
}
