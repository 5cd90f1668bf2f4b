//! `pillion man`: manual pages, out of the same descriptions as `--help`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Failure;
use crate::cli::Cli;
use crate::exit;
use crate::term::Term;

/// What stands at the foot of each page.
const SOURCE: &str = concat!("pillion ", env!("CARGO_PKG_VERSION"));

/// Writes a page a command into a folder, or the first page to standard output.
pub(crate) fn run(dir: Option<&Path>, term: &Term) -> Result<ExitCode, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    if let Some(dir) = dir {
        fs::create_dir_all(dir)
            .and_then(|()| write_all(&command, dir))
            .map_err(|error| Failure::new(format!("write pages to {}", dir.display()), error))?;
        return Ok(exit::SUCCESS.into());
    }
    let page = page(&command).map_err(|error| Failure::new("write the page".into(), error))?;
    term.write(&page).map_err(Failure::output)?;
    Ok(exit::SUCCESS.into())
}

fn write_all(command: &Command, dir: &Path) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        write_all(inner, dir)?;
    }
    let name = Man::new(command.clone()).get_filename();
    fs::write(dir.join(name), page(command)?)
}

/// One page; arguments stand before options, as in `--help`.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let has_inner = command.get_subcommands().any(|one| !one.is_hide_set());
    let grouped = command.clone().mut_args(|argument| {
        let heading = if argument.is_positional() {
            "Arguments"
        } else {
            "Options"
        };
        argument.help_heading(heading)
    });
    let man = Man::new(grouped).source(SOURCE).manual("Pillion");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_inner {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(after) = command.get_after_help() {
        page.extend(after_help(&after.to_string()).into_bytes());
    }
    Ok(page)
}

/// The table of exit codes, or examples.
fn after_help(text: &str) -> String {
    if text != exit::HELP {
        return format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", text.trim_end());
    }
    let mut section = String::from(".SH \"EXIT STATUS\"\n");
    for line in exit::HELP.lines().skip(1) {
        let (code, meaning) = line.trim().split_once(' ').unwrap_or((line, ""));
        // What begins with a hyphen or a quote would be read by roff; no line here does.
        section += &format!(
            ".TP\n\\fB{code}\\fR\n{}\n",
            meaning.trim().replace('-', "\\-")
        );
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(name: &str) -> String {
        let mut command = Cli::command();
        command.build();
        let command = command.find_subcommand(name).expect("a command");
        String::from_utf8(page(command).expect("page")).expect("text")
    }

    #[test]
    fn pages_say_whose_they_are_and_how_a_run_ends() {
        let page = page_of("run");
        assert!(page.contains(SOURCE), "{page}");
        assert!(
            page.contains(".SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\n"),
            "{page}"
        );
        assert!(!page.contains(".SH EXTRA"), "{page}");
    }

    #[test]
    fn arguments_stand_before_options() {
        let mut command = Cli::command();
        command.build();
        for inner in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let page = String::from_utf8(page(inner).expect("page")).expect("text");
            if let Some(arguments) = page.find(".SH ARGUMENTS") {
                let options = page.find(".SH OPTIONS").expect("options");
                assert!(arguments < options, "{}", inner.get_name());
            }
        }
    }
}
