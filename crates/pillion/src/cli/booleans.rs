//! `--follow=true`, as kubectl lets switches be written.

use std::ffi::OsString;

use clap::{ArgAction, Command};

/// The arguments with `--switch=true` written as `--switch`, and without `--switch=false`. What follows `--` is not ours.
pub(crate) fn plain(
    command: &Command,
    arguments: impl Iterator<Item = OsString>,
) -> impl Iterator<Item = OsString> {
    let mut ours = true;
    arguments.filter_map(move |argument| {
        ours &= argument != "--";
        if !ours {
            return Some(argument);
        }
        let split = argument
            .to_str()
            .and_then(|text| text.strip_prefix("--")?.split_once('='));
        let Some((name, value)) = split else {
            return Some(argument);
        };
        match (truth(value), is_switch(command, name)) {
            (Some(true), true) => Some(format!("--{name}").into()),
            (Some(false), true) => None,
            _ => Some(argument),
        }
    })
}

/// The words that Go's flags take.
fn truth(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn is_switch(command: &Command, name: &str) -> bool {
    let own = command.get_arguments().any(|argument| {
        argument.get_long() == Some(name) && matches!(argument.get_action(), ArgAction::SetTrue)
    });
    own || command
        .get_subcommands()
        .any(|command| is_switch(command, name))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn switches_may_have_values() {
        let arguments =
            "pillion logs --follow=true --prefix=false --container=true web -- --follow=true";
        let plain: Vec<_> =
            plain(&Cli::command(), arguments.split(' ').map(OsString::from)).collect();
        assert_eq!(
            plain.join(std::ffi::OsStr::new(" ")),
            "pillion logs --follow --container=true web -- --follow=true"
        );
    }
}
