//! What a container starts with: image, command, environment.

use std::collections::BTreeMap;

use lifecycle::StartFailure;
use manifest::core::v1::{Container, EnvVarSource, Pod, PullPolicy};
use serde_json::Value;

/// ConfigMaps and Secrets: data by kind and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects(BTreeMap<(String, String), BTreeMap<String, String>>);

impl Objects {
    /// Makes or replaces an object.
    pub(crate) fn apply(&mut self, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&object["metadata"]["name"]);
        let mut data = BTreeMap::new();
        for field in ["data", "stringData"] {
            let entries = object[field].as_object().into_iter().flatten();
            data.extend(entries.map(|(key, value)| (key.clone(), text(value))));
        }
        self.0.insert((text(&object["kind"]), name), data);
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<&BTreeMap<String, String>> {
        self.0.get(&(kind.to_owned(), name.to_owned()))
    }
}

/// Why a container does not start.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Failure(StartFailure, String),
    /// It needs something that is not simulated.
    Lacks(String),
}

fn config_error(message: String) -> Refusal {
    Refusal::Failure(StartFailure::CreateContainerConfigError, message)
}

/// The environment without what the image brings.
pub(crate) fn environment(
    pod: &Pod,
    container: &Container,
    objects: &Objects,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut variables = BTreeMap::new();
    for source in &container.env_from {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let reference = match (&source.config_map_ref, &source.secret_ref) {
            (Some(from), _) => Some(("ConfigMap", &from.name, from.optional)),
            (_, Some(from)) => Some(("Secret", &from.name, from.optional)),
            _ => None,
        };
        let Some((kind, name, optional)) = reference else {
            continue;
        };
        match objects.get(kind, name) {
            Some(data) => {
                let prefixed =
                    |(key, value): (&String, &String)| (format!("{prefix}{key}"), value.clone());
                variables.extend(data.iter().map(prefixed));
            }
            None if optional == Some(true) => {}
            None => return Err(missing(kind, name)),
        }
    }
    for variable in &container.env {
        match &variable.value_from {
            Some(source) => {
                if let Some(value) = value_from(pod, source, objects)? {
                    variables.insert(variable.name.clone(), value);
                }
            }
            None => {
                let text = variable.value.as_deref().unwrap_or_default();
                let value = expand(text, |name| variables.get(name).cloned());
                variables.insert(variable.name.clone(), value);
            }
        }
    }
    Ok(variables)
}

fn missing(kind: &str, name: &str) -> Refusal {
    config_error(format!("{} {name:?} not found", kind.to_lowercase()))
}

fn value_from(
    pod: &Pod,
    source: &EnvVarSource,
    objects: &Objects,
) -> Result<Option<String>, Refusal> {
    if let Some(field) = &source.field_ref {
        return match field.field_path.as_str() {
            "metadata.name" => Ok(pod.metadata.name.clone()),
            "metadata.namespace" => Ok(pod.metadata.namespace.clone()),
            "metadata.uid" => Ok(pod.metadata.uid.clone()),
            path => Err(Refusal::Lacks(format!("the field {path} of a real Pod"))),
        };
    }
    let reference = match (&source.config_map_key_ref, &source.secret_key_ref) {
        (Some(from), _) => ("ConfigMap", &from.name, &from.key, from.optional),
        (_, Some(from)) => ("Secret", &from.name, &from.key, from.optional),
        _ => return Err(Refusal::Lacks("the environment of a real container".into())),
    };
    let (kind, name, key, optional) = reference;
    let value = objects.get(kind, name).map(|data| data.get(key).cloned());
    match value {
        Some(Some(value)) => Ok(Some(value)),
        _ if optional == Some(true) => Ok(None),
        Some(None) => Err(config_error(format!(
            "couldn't find key {key} in {kind} default/{name}"
        ))),
        None => Err(missing(kind, name)),
    }
}

/// `$(NAME)` is what is known of that name, and stays where nothing is; `$$` is one `$` (R18.2).
pub(crate) fn expand(text: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'))
        {
            out.push_str(&lookup(name).unwrap_or_else(|| format!("$({name})")));
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

/// The command line: busybox has a default command and no entrypoint (R18.5).
pub(crate) fn command(container: &Container, variables: &BTreeMap<String, String>) -> Vec<String> {
    let given = [container.command.as_slice(), container.args.as_slice()].concat();
    if given.is_empty() {
        return vec!["sh".to_owned()];
    }
    let expanded = given
        .iter()
        .map(|word| expand(word, |name| variables.get(name).cloned()));
    expanded.collect()
}

/// Whether the image is there: only busybox is.
pub(crate) fn image(container: &Container) -> Result<(), Refusal> {
    let name = container.image.as_deref().unwrap_or_default();
    let failure = |failure, message| Err(Refusal::Failure(failure, message));
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, "latest"),
    };
    let repository = path.split('@').next().unwrap_or_default();
    let domain = repository
        .split('/')
        .next()
        .filter(|d| d.contains(['.', ':']));
    let below = repository
        .strip_prefix(domain.unwrap_or_default())
        .unwrap_or(repository);
    let invalid = !name.chars().all(allowed)
        || below.chars().any(|c| c.is_ascii_uppercase())
        || repository.is_empty()
        || tag.is_empty()
        || repository.contains("//")
        || repository.starts_with(['-', '.', '/', ':'])
        || repository.ends_with(['-', '.', '/', '_']);
    if invalid {
        let message = format!(
            "Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: invalid reference format"
        );
        return failure(StartFailure::InvalidImageName, message);
    }
    let official = ["", "docker.io/", "docker.io/library/", "library/"];
    if official
        .iter()
        .any(|prefix| repository.strip_prefix(prefix) == Some("busybox"))
    {
        return Ok(());
    }
    if container.image_pull_policy == Some(PullPolicy::Never) {
        let message = format!("Container image {name:?} is not present with pull policy of Never");
        return failure(StartFailure::ErrImageNeverPull, message);
    }
    let message = format!("failed to pull image {name:?}: not found");
    failure(StartFailure::ErrImagePull, message)
}
