//! The Pods that `delete` and `wait` are about.

use client::{Client, Listed, PodName, Query, Resource};
use manifest::Object;
use serde_json::Value;

use super::targets::{self, Kind, Target};
use crate::cli::Selection;
use crate::commands::{Failure, read_manifests};
use crate::term::Term;

/// What was said.
#[derive(Clone, Debug)]
pub(crate) enum Selected {
    /// These Pods, whether they exist or not.
    Named(Vec<PodName>),
    /// Those that a list has.
    Listed(Query),
}

/// Why there is nothing to be done; the first is bad input, of which everything has been said.
#[derive(Debug)]
pub(crate) enum NotSelected {
    BadInput,
    Failed(Failure),
}

impl From<Failure> for NotSelected {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Reads what was typed, and the files that it names.
pub(crate) fn select(selection: &Selection, term: &Term) -> Result<Selected, NotSelected> {
    let wrong = |text: &str| Err(Failure::text(text.to_owned()).into());
    let selects =
        selection.all || selection.selector.is_some() || selection.field_selector.is_some();
    if selection.all && selection.selector.is_some() {
        return wrong("cannot set --all and --selector at the same time");
    }
    if selection.all && selection.field_selector.is_some() {
        return wrong("cannot set --all and --field-selector at the same time");
    }
    if !selection.filename.is_empty() {
        if !selection.resources.is_empty() {
            return wrong(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
            );
        }
        return from_files(selection, term).map(Selected::Named);
    }
    let targets = targets::parse(&selection.resources)?;
    if targets.iter().any(|target| target.kind() != Kind::Pods) {
        return wrong("events come and go with their Pods: name a Pod");
    }
    let mut names = Vec::new();
    for target in &targets {
        if let Target::One(_, name) = target {
            names.push(PodName::new(selection.scope.namespace.name(), name));
        }
    }
    match (names.is_empty(), selects) {
        (false, false) if selection.scope.all_namespaces => {
            wrong("a resource cannot be retrieved by name across all namespaces")
        }
        (false, false) => Ok(Selected::Named(names)),
        (false, true) if selection.resources.iter().any(|one| one.contains('/')) => {
            wrong("selectors and the all flag cannot be used when passing resource/name arguments")
        }
        (false, true) => wrong("name cannot be provided when a selector is specified"),
        (true, true) if targets.is_empty() => {
            wrong("at least one resource must be specified to use a selector")
        }
        (true, true) => Ok(Selected::Listed(super::query(
            Resource::Pods,
            &selection.scope,
            selection.selector.as_deref(),
            selection.field_selector.as_deref(),
        ))),
        (true, false) if targets.is_empty() => wrong(
            "You must provide one or more resources by argument or filename.\n\
             Example resource specifications include:\n   \
             '-f rsrc.yaml'\n   \
             '--filename=rsrc.json'\n   \
             '<resource> <name>'\n   \
             '<resource>'",
        ),
        (true, false) => wrong("resource(s) were provided, but no name was specified"),
    }
}

fn from_files(selection: &Selection, term: &Term) -> Result<Vec<PodName>, NotSelected> {
    let Some(loaded) = read_manifests(&selection.filename, term) else {
        return Err(NotSelected::BadInput);
    };
    let given = selection.scope.namespace.given.as_deref();
    let mut pods = Vec::new();
    for object in &loaded.objects {
        let Object::Pod(pod) = object else { continue };
        let metadata = &pod.object.metadata;
        let own = metadata.namespace.as_deref();
        if let (Some(own), Some(given)) = (own, given)
            && own != given
        {
            return Err(Failure::text(format!(
                "the namespace from the provided object {own:?} does not match the namespace {given:?}. You must pass \
                 '--namespace={own}' to perform this operation."
            ))
            .into());
        }
        let Some(name) = metadata.name.as_deref() else {
            return Err(Failure::text("resource name may not be empty".into()).into());
        };
        let namespace = own.unwrap_or_else(|| selection.scope.namespace.name());
        pods.push(PodName::new(namespace, name));
    }
    Ok(pods)
}

impl Selected {
    /// The Pods that are meant, and the errors of programs that could not be asked.
    pub(crate) async fn pods(self, client: &Client) -> Result<Listed<Vec<PodName>>, Failure> {
        match self {
            Self::Named(found) => Ok(Listed {
                found,
                failures: Vec::new(),
            }),
            Self::Listed(query) => {
                let listed = client.list::<Value>(&query).await?;
                Ok(Listed {
                    found: listed.found.iter().map(name_of).collect(),
                    failures: listed.failures,
                })
            }
        }
    }
}

/// The name of a Pod as it was listed.
pub(crate) fn name_of(pod: &Value) -> PodName {
    let text = |name: &str| pod["metadata"][name].as_str().unwrap_or_default();
    PodName::new(text("namespace"), text("name"))
}
