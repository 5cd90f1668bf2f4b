//! What shells may complete: commands and options from the command line's own description, and the names of what runs.
//!
//! A shell asks by starting this program with [`VARIABLE`] set; see [`crate::commands::completion`] for its side.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use client::{Client, Query, Resource};
use image::Store;
use manifest::core::v1::{Pod, Protocol};
use node::paths::Paths;

use crate::cli::Cli;
use crate::commands::kube::containers;

/// The environment variable by which a shell asks; its value is the name of the shell.
pub(crate) const VARIABLE: &str = "PILLION_COMPLETE";

/// Somebody waits at a prompt.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Answers a shell that asks; whether one did.
pub(crate) fn answer() -> Result<bool, clap::Error> {
    let directory = std::env::current_dir().ok();
    CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), directory.as_deref())
}

/// The commands; options are not offered where nobody began to write one, unless there is nothing else.
fn command() -> Command {
    let command = Cli::command();
    let (words, index) = line();
    let begun = words.get(index).and_then(|word| word.to_str());
    if begun.is_some_and(|word| word.starts_with('-')) {
        command
    } else {
        without_options(command)
    }
}

fn without_options(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(|argument| {
            let hide = !argument.is_positional();
            argument.hide(hide)
        })
        .mut_subcommands(without_options)
}

/// The words of the command line, and which of them is to be completed.
fn line() -> (Vec<OsString>, usize) {
    let words: Vec<OsString> = std::env::args_os()
        .skip_while(|word| word != "--")
        .skip(1)
        .collect();
    // bash and zsh say which word it is; for fish it is the last.
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok();
    let index = index.and_then(|index| index.parse().ok());
    let last = words.len().saturating_sub(1);
    (words, index.unwrap_or(last))
}

/// `pods`, `pod web`, `pod/web`; and events.
pub(crate) fn resources() -> ArgValueCandidates {
    ArgValueCandidates::new(|| types_and_names(&["pods", "events"]))
}

/// `pods`, `pod web`, `pod/web`.
pub(crate) fn pods() -> ArgValueCandidates {
    ArgValueCandidates::new(|| types_and_names(&["pods"]))
}

/// `pod/web`.
pub(crate) fn pod_objects() -> ArgValueCandidates {
    ArgValueCandidates::new(|| names("pod/", &Typed::read(), &[]))
}

/// A Pod by its bare name; once, what follows is a command for it.
pub(crate) fn pod() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let typed = Typed::read();
        match typed.all("pod").first() {
            None => names("", &typed, &[]),
            Some(_) => Vec::new(),
        }
    })
}

/// A Pod, and after it one of its containers.
pub(crate) fn pod_and_container() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let typed = Typed::read();
        match typed.all("pod").first() {
            None => names("", &typed, &[]),
            Some(_) => of_pod(&typed),
        }
    })
}

/// A path of this machine, or a Pod before one of its own.
pub(crate) fn place() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let mut candidates = PathCompleter::any().complete(begun);
        let begun = begun.to_string_lossy();
        let pods = names("", &Typed::read(), &[]).into_iter();
        candidates.extend(
            pods.filter(|pod| pod.get_value().to_string_lossy().starts_with(&*begun))
                .map(|pod| {
                    let mut place = pod.get_value().to_owned();
                    place.push(":");
                    CompletionCandidate::new(place).help(pod.get_help().cloned())
                }),
        );
        candidates
    })
}

/// A container of the Pod that was typed.
pub(crate) fn container() -> ArgValueCandidates {
    ArgValueCandidates::new(|| of_pod(&Typed::read()))
}

/// A port of the Pod that was typed.
pub(crate) fn port() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let typed = Typed::read();
        let mut candidates = Vec::new();
        for pod in typed.pod() {
            let ports = pod.spec.containers.into_iter().flat_map(|one| one.ports);
            // UDP is not forwarded.
            for port in ports.filter(|port| port.protocol.unwrap_or_default() == Protocol::Tcp) {
                let candidate = CompletionCandidate::new(port.container_port.to_string());
                candidates.push(candidate.help(port.name.map(Into::into)));
            }
        }
        candidates
    })
}

/// An image of this machine.
pub(crate) fn image() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let typed = Typed::read();
        let before = typed.all("images");
        let images = typed.paths().images();
        // Whoever asks for a list does not want a store made.
        let store = images.is_dir().then(|| Store::open(&images).ok()).flatten();
        let listed = store
            .and_then(|store| store.list().ok())
            .unwrap_or_default();
        listed
            .into_iter()
            .filter_map(|image| image.reference)
            .map(|reference| reference.familiar())
            .filter(|name| !before.contains(name))
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// A namespace that has Pods.
pub(crate) fn namespace() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let pods = Typed::read().list(&Query::new(Resource::Pods));
        let mut names: Vec<String> = pods
            .into_iter()
            .filter_map(|pod| pod.metadata.namespace)
            .collect();
        names.sort();
        names.dedup();
        names.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Words that are always the same.
pub(crate) fn words(words: &'static [&'static str]) -> ArgValueCandidates {
    ArgValueCandidates::new(move || words.iter().map(CompletionCandidate::new).collect())
}

fn types_and_names(types: &[&str]) -> Vec<CompletionCandidate> {
    let typed = Typed::read();
    let before = typed.all("resources");
    match before.first() {
        None => {
            let types = types.iter().map(CompletionCandidate::new);
            types.chain(names("pod/", &typed, &[])).collect()
        }
        Some(first) if first.contains('/') => names("pod/", &typed, &before),
        Some(kind) if kind.to_lowercase().starts_with("po") => names("", &typed, &before),
        Some(_) => Vec::new(),
    }
}

/// The names of the Pods there are, but for those that were typed already.
fn names(prefix: &str, typed: &Typed, before: &[String]) -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    for pod in typed.list(&typed.query()) {
        let phase = pod.status.and_then(|status| status.phase);
        let name = format!("{prefix}{}", pod.metadata.name.unwrap_or_default());
        if !before.contains(&name) {
            let help = phase.map(|phase| phase.to_string().into());
            candidates.push(CompletionCandidate::new(name).help(help));
        }
    }
    candidates
}

fn of_pod(typed: &Typed) -> Vec<CompletionCandidate> {
    typed
        .pod()
        .iter()
        .flat_map(containers::names)
        .map(CompletionCandidate::new)
        .collect()
}

/// What stands on the command line before the word that is to be completed.
struct Typed {
    /// Of the innermost command.
    matches: Option<ArgMatches>,
}

impl Typed {
    fn read() -> Self {
        let (words, index) = line();
        Self::of(Cli::command(), words.into_iter().take(index))
    }

    fn of(command: Command, words: impl Iterator<Item = OsString>) -> Self {
        // It is not complete, or nobody would ask.
        let matches = command.ignore_errors(true).try_get_matches_from(words);
        let mut matches = matches.ok();
        while let Some((_, inner)) = matches.as_mut().and_then(ArgMatches::remove_subcommand) {
            matches = Some(inner);
        }
        Self { matches }
    }

    /// All values of an argument.
    fn all(&self, id: &str) -> Vec<String> {
        let values = self
            .matches
            .as_ref()
            .map(|matches| matches.try_get_many(id));
        match values {
            Some(Ok(Some(values))) => values.cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The Pod that was typed by name, if there is one.
    fn pod(&self) -> Vec<Pod> {
        let wanted = self.all("pod");
        let wanted = wanted.first().map(String::as_str).unwrap_or_default();
        let wanted = wanted.rsplit('/').next().unwrap_or_default();
        self.list(&self.query().fields(format!("metadata.name={wanted}")))
    }

    fn paths(&self) -> Paths {
        let root = self
            .matches
            .as_ref()
            .and_then(|matches| matches.try_get_one::<PathBuf>("root").ok()?)
            .filter(|root| !root.as_os_str().is_empty());
        Paths::new(root.map(PathBuf::as_path))
    }

    fn query(&self) -> Query {
        let everywhere = self
            .matches
            .as_ref()
            .is_some_and(|matches| matches!(matches.try_get_one("all_namespaces"), Ok(Some(true))));
        let query = Query::new(Resource::Pods);
        match self.all("given").pop() {
            _ if everywhere => query,
            Some(namespace) => query.namespace(namespace),
            None => query.namespace("default"),
        }
    }

    /// The Pods of the root that is meant. Whatever goes wrong, there is nothing to complete.
    fn list(&self, query: &Query) -> Vec<Pod> {
        let client = Client::new(self.paths().run);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            return Vec::new();
        };
        let listed = runtime.block_on(async {
            tokio::time::timeout(ANSWER_WITHIN, client.list::<Pod>(query)).await
        });
        match listed {
            Ok(Ok(listed)) => listed.found,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        Typed::of(Cli::command(), line.split(' ').map(OsString::from))
    }

    #[test]
    fn what_was_typed_is_understood_before_it_is_complete() {
        let line = typed("pillion --root /x get pod web -n other --watch api");
        assert_eq!(line.all("resources"), ["pod", "web", "api"]);
        assert_eq!(line.all("given"), ["other"]);
        assert_eq!(typed("pillion logs web --tail 5 -c").all("pod"), ["web"]);
        assert_eq!(typed("pillion logs").all("pod"), [""; 0]);
        assert_eq!(typed("pillion top pod web").all("name"), ["web"]);
        assert_eq!(typed("pillion nonsense web").all("resources"), [""; 0]);
    }
}
