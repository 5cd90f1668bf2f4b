//! Words of kubectl and docker that are no commands here: what to type instead.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error, Parser};

use super::Cli;

/// The error, with what to type instead where the word is known from elsewhere.
pub(super) fn hint(mut error: Error, arguments: &[OsString]) -> Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {}
        // A variable of the environment counts as an argument: then clap lists all commands, hidden ones too.
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return help(arguments).unwrap_or(error);
        }
        _ => return error,
    }
    let word = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => word.clone(),
        _ => return error,
    };
    // clap suggests what is hidden, too.
    if let Some(ContextValue::Strings(mut names)) = error.remove(ContextKind::SuggestedSubcommand) {
        let command = Cli::command();
        names.retain(|name| {
            !command
                .find_subcommand(name)
                .is_some_and(clap::Command::is_hide_set)
        });
        if !names.is_empty() {
            error.insert(
                ContextKind::SuggestedSubcommand,
                ContextValue::Strings(names),
            );
        }
    }
    // `top` and `image` have commands of their own, to which this does not apply.
    let is_first = arguments.get(1).is_some_and(|first| first == word.as_str());
    let Some(instead) = instead(&word).filter(|_| is_first) else {
        return error;
    };
    Cli::command().error(
        ErrorKind::InvalidSubcommand,
        format!("there is no command '{word}' (hint: {instead})"),
    )
}

/// The help of the command that was begun.
fn help(arguments: &[OsString]) -> Option<Error> {
    let asked = arguments.iter().cloned().chain(["-h".into()]);
    Cli::try_parse_from(asked).err()
}

fn instead(word: &str) -> Option<&'static str> {
    Some(match word {
        "apply" | "create" | "up" | "start" | "replace" => {
            "`pillion run -d PATH` runs the Pods of manifests in the background, or changes those that run"
        }
        "ps" | "ls" | "list" => "`pillion get pods` lists Pods",
        "stop" | "rm" | "kill" | "down" => {
            "`pillion delete pod NAME` or `pillion delete -f PATH` ends Pods"
        }
        "images" => "`pillion image ls` lists images",
        "rmi" => "`pillion image rm IMAGE` removes images",
        "pull" | "build" => {
            "images come by `pillion image load FILE` and `pillion image import ROOTFS.tar --tag REF`"
        }
        "import" => "`pillion image import ROOTFS.tar --tag REF` makes an image",
        "load" => "`pillion image load FILE` takes the images of an archive",
        "inspect" => {
            "`pillion describe pod NAME` or `pillion get pod NAME -o yaml` tells all of a Pod"
        }
        "stats" => "`pillion top pod` shows what is used of processors and memory",
        "restart" | "rollout" => {
            "`pillion delete -f PATH`, then `pillion run -d PATH`, starts the Pods anew"
        }
        "edit" | "patch" | "set" | "label" | "annotate" => {
            "change the manifest, then `pillion run -d PATH` changes the Pods that run"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&arguments).expect_err("no such command");
        hint(error, &arguments).to_string()
    }

    #[test]
    fn words_from_elsewhere_are_answered() {
        for (line, instead) in [
            ("pillion apply -f x", "`pillion run -d PATH`"),
            ("pillion create -f x", "`pillion run -d PATH`"),
            ("pillion ps", "`pillion get pods`"),
            ("pillion stop web", "`pillion delete pod NAME`"),
        ] {
            assert!(error(line).contains(instead), "{line}: {}", error(line));
        }
        assert!(!error("pillion image ps").contains("get pods"));
        assert!(!error("pillion nonsense").contains("hint:"));
    }

    #[test]
    fn nothing_is_answered_with_help() {
        for line in ["pillion", "pillion --root /x"] {
            let text = error(line);
            assert!(
                text.contains("Usage: pillion") && text.contains("  run "),
                "{text}"
            );
            assert!(
                !text.contains("supervise") && !text.contains("demo"),
                "{text}"
            );
        }
        assert!(error("pillion image").contains("Usage: pillion image"));
    }

    #[test]
    fn no_word_is_a_command_here() {
        for command in Cli::command().get_subcommands() {
            assert_eq!(instead(command.get_name()), None, "{}", command.get_name());
        }
    }

    #[test]
    fn what_is_hidden_is_not_suggested() {
        assert!(error("pillion gett").contains("'get'"));
        for line in ["pillion supervize", "pillion demos"] {
            let error = error(line);
            assert!(
                !error.contains("'supervise'") && !error.contains("'demo'"),
                "{error}"
            );
        }
    }
}
