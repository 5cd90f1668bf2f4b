//! `pillion completion`: the shell's side of completion. Candidates come from this program when they are wanted.

use std::path::Path;
use std::process::ExitCode;

use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::Failure;
use crate::cli::Shell;
use crate::completion::VARIABLE;
use crate::exit;
use crate::term::Term;

const NAME: &str = "pillion";

pub(crate) fn run(shell: Shell, term: &Term) -> Result<ExitCode, Failure> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    // Found on the path or where it is now, as it was found for this.
    let program = std::env::args_os().next().unwrap_or_else(|| NAME.into());
    let program = match Path::new(&program).components().count() {
        0 | 1 => program.into(),
        _ => std::path::absolute(&program)
            .map_err(|error| Failure::new("find this program".into(), error))?,
    };
    let mut script = Vec::new();
    completer
        .write_registration(
            VARIABLE,
            NAME,
            NAME,
            &program.to_string_lossy(),
            &mut script,
        )
        .map_err(|error| Failure::new("write the script".into(), error))?;
    if matches!(shell, Shell::Bash) {
        script = with_files(&script);
    }
    term.write(&script).map_err(Failure::output)?;
    Ok(exit::SUCCESS.into())
}

/// Bash completes files where the program knows nothing (`~/web.y`), as it does where there is no script.
fn with_files(script: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(script)
        .replace("-o bashdefault", "-o bashdefault -o default")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_falls_back_to_files() {
        let mut script = Vec::new();
        Bash.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
            .expect("script");
        let script = String::from_utf8(with_files(&script)).expect("text");
        let mut registered = script.lines().filter(|line| line.contains("complete -o"));
        assert!(registered.clone().count() > 0, "{script}");
        assert!(
            registered.all(|line| line.contains(" -o default ")),
            "{script}"
        );
    }
}
