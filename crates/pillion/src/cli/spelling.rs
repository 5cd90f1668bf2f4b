//! What kubectl lets be written in more than one way: `--follow=true`, and `-n NAMESPACE` before the verb.

use std::ffi::OsString;

use clap::{ArgAction, Command};

/// The arguments in the one form that is described. What follows `--` is not ours.
pub(super) fn plain(
    command: &Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut ours: Vec<OsString> = arguments.into_iter().collect();
    let end = ours.iter().position(|argument| argument == "--");
    let rest = ours.split_off(end.unwrap_or(ours.len()));
    let namespace = match ours.get(1).and_then(|first| first.to_str()) {
        Some("-n" | "--namespace") => 1..ours.len().min(3),
        Some(first) if first.starts_with("--namespace=") => 1..2,
        _ => 0..0,
    };
    let namespace: Vec<OsString> = ours.drain(namespace).collect();
    ours.extend(namespace);
    ours.into_iter()
        .filter_map(|argument| switch(command, argument))
        .chain(rest)
        .collect()
}

/// `--switch=true` as `--switch`, and nothing for `--switch=false`.
fn switch(command: &Command, argument: OsString) -> Option<OsString> {
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

    fn read(line: &str) -> String {
        let words = plain(&Cli::command(), line.split(' ').map(OsString::from));
        words
            .join(std::ffi::OsStr::new(" "))
            .into_string()
            .expect("text")
    }

    #[test]
    fn switches_may_have_values() {
        assert_eq!(
            read("pillion logs --follow=true --prefix=false --container=true web -- --follow=true"),
            "pillion logs --follow --container=true web -- --follow=true"
        );
    }

    #[test]
    fn the_namespace_may_come_first() {
        assert_eq!(read("pillion -n x get pods"), "pillion get pods -n x");
        assert_eq!(
            read("pillion --namespace=x logs web -- y"),
            "pillion logs web --namespace=x -- y"
        );
        assert_eq!(read("pillion -n"), "pillion -n");
    }
}
