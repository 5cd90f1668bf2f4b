//! The program: command line, output policy, exit codes, signals.
//!
//! `main` maps what a command says to an exit code; the codes are in [`exit`]. Nothing else in the
//! workspace prints or exits.

mod cli;
mod commands;
mod completion;
mod exit;
mod printer;
mod progress;
mod publish;
mod sources;
mod summary;
mod term;
mod waiting;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A re-executed helper: no command line, no threads, nothing of what follows.
    if let Some(code) = container::helper_main(std::env::args_os().next().as_deref()) {
        return code;
    }
    match completion::answer() {
        Ok(false) => {}
        Ok(true) => return exit::SUCCESS.into(),
        // Whoever asks is a shell: there is nobody to tell.
        Err(_) => return exit::FAILURE.into(),
    }
    let cli = cli::Cli::read();
    let term = term::Term::new(cli.global.no_color);
    match commands::dispatch(cli, &term) {
        Ok(code) => code,
        Err(error) => error.report(&term),
    }
}
