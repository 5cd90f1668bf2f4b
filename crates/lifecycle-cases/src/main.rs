//! `lifecycle-cases`: runs scenarios and prints a line for each.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError, mpsc};

use pillion_lifecycle_cases::{Case, Mode, Outcome, Real, Totals, load, run};

const USAGE: &str = "usage: lifecycle-cases [--simulate | --real] [--slow] DIR...\n\
    \n\
    Runs the lifecycle scenarios of folders or files and prints a line for each.\n\
    \n\
    --simulate   on simulated time, with processes that do what the scripts say (the default)\n\
    --real       in real containers, side by side, by the program $PILLION (pillion) with the\n\
    \x20            state in $PILLION_ROOT, which must hold the image busybox\n\
    --slow       those too that take long in real time; the simulator always runs all\n";

/// Scenarios that run side by side in real containers. They mostly wait.
const SIDE_BY_SIDE: usize = 16;

struct Options {
    mode: Mode,
    slow: bool,
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
fn options(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        mode: Mode::Simulate,
        slow: false,
        paths: Vec::new(),
    };
    for argument in arguments {
        match argument.as_str() {
            "--simulate" => options.mode = Mode::Simulate,
            "--real" => options.mode = Mode::Real(real()),
            "--slow" => options.slow = true,
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
    let real = matches!(options.mode, Mode::Real(_));
    let (cases, left_out): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|case| options.slow || !case.slow || !real);
    let mut totals = Totals::default();
    let mut out = io::stdout().lock();
    let mut say = |case: &Case, outcome: &Outcome| {
        totals.count(outcome);
        let file = case.file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(out, "{file}: {outcome}")
    };
    if real {
        side_by_side(&cases, &options.mode, &mut say)?;
    } else {
        for case in &cases {
            say(case, &run(case, &options.mode))?;
        }
    }
    for case in &left_out {
        say(case, &Outcome::Skipped("slow; --slow runs it".to_owned()))?;
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
    mode: &Mode,
    say: &mut dyn FnMut(&Case, &Outcome) -> io::Result<()>,
) -> io::Result<()> {
    let queue: Mutex<VecDeque<&Case>> = Mutex::new(cases.iter().collect());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(cases.len()) {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(case) = next else { return };
                    // Who listens has given up when this fails.
                    if sender.send((case, run(case, mode))).is_err() {
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
