//! The environment of a container: image, `envFrom`, `env`, in that order (R18.1, R18.6).

pub mod expand;
mod fields;
mod file;

use manifest::core::v1::{Container, EnvVarSource, Pod};

pub(crate) use self::fields::{NodeFacts, field, resource};
pub(crate) use self::file::Files;
use crate::objects::Objects;

/// Something that a container's configuration refers to is not there; the container waits with
/// `CreateContainerConfigError` (R11.3). The texts are the kubelet's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The ConfigMap is not there.
    #[error("configmap \"{0}\" not found")]
    ConfigMap(String),
    /// The Secret is not there.
    #[error("secret \"{0}\" not found")]
    Secret(String),
    /// It has no such key.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    Key {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Where it is.
        namespace: String,
        /// Its name.
        name: String,
        /// The key.
        key: String,
    },
    /// A field or resource that cannot be read.
    #[error("{0}")]
    Field(String),
    /// Something else that keeps the container from being created.
    #[error("{0}")]
    Other(String),
}

/// What values may come from.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) container: &'a Container,
    pub(crate) objects: &'a Objects,
    pub(crate) facts: &'a NodeFacts,
    pub(crate) files: Files<'a>,
}

impl Context<'_> {
    fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or("default")
    }
}

/// Variables in order; a later value takes the place of an earlier one of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variables(Vec<(String, String)>);

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(slot) => slot.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn into_vec(self) -> Vec<(String, String)> {
        self.0
    }
}

/// The variables that the manifest defines, without those of the image.
pub(crate) fn variables(context: Context<'_>) -> Result<Variables, ConfigError> {
    let mut variables = from_sources(context)?;
    for var in &context.container.env {
        if let Some(source) = &var.value_from {
            if let Some(value) = value_from(context, source)? {
                variables.set(&var.name, value);
            }
        } else {
            let text = var.value.as_deref().unwrap_or_default();
            let value = expand::expand(text, |name| variables.get(name).map(str::to_owned));
            variables.set(&var.name, value);
        }
    }
    Ok(variables)
}

fn from_sources(context: Context<'_>) -> Result<Variables, ConfigError> {
    let mut variables = Variables::default();
    for source in &context.container.env_from {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if let Some(from) = &source.config_map_ref {
            match context.objects.config_map(context.namespace(), &from.name) {
                Some(object) => {
                    for (key, value) in &object.data {
                        variables.set(&format!("{prefix}{key}"), value.clone());
                    }
                }
                None if from.optional == Some(true) => {}
                None => return Err(ConfigError::ConfigMap(from.name.clone())),
            }
        }
        if let Some(from) = &source.secret_ref {
            match context.objects.secret(context.namespace(), &from.name) {
                Some(object) => {
                    for (key, value) in &object.data {
                        let value = String::from_utf8_lossy(&value.0).into_owned();
                        variables.set(&format!("{prefix}{key}"), value);
                    }
                }
                None if from.optional == Some(true) => {}
                None => return Err(ConfigError::Secret(from.name.clone())),
            }
        }
    }
    Ok(variables)
}

/// The value, or nothing where the source is optional and not there.
fn value_from(context: Context<'_>, source: &EnvVarSource) -> Result<Option<String>, ConfigError> {
    if let Some(reference) = &source.field_ref {
        return field(context.pod, context.facts, &reference.field_path).map(Some);
    }
    if let Some(reference) = &source.resource_field_ref {
        return resource(context.pod, context.container, context.facts, reference).map(Some);
    }
    if let Some(reference) = &source.file_key_ref {
        return file::value(context.pod, context.files, reference);
    }
    if let Some(reference) = &source.config_map_key_ref {
        let optional = reference.optional == Some(true);
        let Some(object) = context
            .objects
            .config_map(context.namespace(), &reference.name)
        else {
            return missing(optional, ConfigError::ConfigMap(reference.name.clone()));
        };
        return match object.data.get(&reference.key) {
            Some(value) => Ok(Some(value.clone())),
            None => missing(
                optional,
                context.no_key("ConfigMap", &reference.name, &reference.key),
            ),
        };
    }
    if let Some(reference) = &source.secret_key_ref {
        let optional = reference.optional == Some(true);
        let Some(object) = context.objects.secret(context.namespace(), &reference.name) else {
            return missing(optional, ConfigError::Secret(reference.name.clone()));
        };
        return match object.data.get(&reference.key) {
            Some(value) => Ok(Some(String::from_utf8_lossy(&value.0).into_owned())),
            None => missing(
                optional,
                context.no_key("Secret", &reference.name, &reference.key),
            ),
        };
    }
    Ok(None)
}

fn missing(optional: bool, error: ConfigError) -> Result<Option<String>, ConfigError> {
    if optional { Ok(None) } else { Err(error) }
}

impl Context<'_> {
    fn no_key(&self, kind: &'static str, name: &str, key: &str) -> ConfigError {
        ConfigError::Key {
            kind,
            namespace: self.namespace().to_owned(),
            name: name.to_owned(),
            key: key.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
