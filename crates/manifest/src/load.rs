//! From sources to objects: the one way into this crate for manifests.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::core::v1::{ConfigMap, Pod, Secret};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Findings;
use crate::kinds::{self, Known};
use crate::meta::v1::ObjectMeta;
use crate::origin::{self, Origin};
use crate::schema::ObjectSchema;
use crate::source::{Source, SourceText};
use crate::yaml::{Node, Value};
use crate::{defaults, references, validation, warnings};

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The objects, in the order of the sources.
    pub objects: Vec<Object>,
    /// What works otherwise than in Kubernetes, or hardly as meant.
    pub warnings: Vec<Diagnostic>,
}

/// An object with defaults applied, and where it came from.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are Pods, and there are few of them"
)]
pub enum Object {
    /// A Pod.
    Pod(Located<Pod>),
    /// A ConfigMap.
    ConfigMap(Located<ConfigMap>),
    /// A Secret.
    Secret(Located<Secret>),
}

/// An object and its place.
#[derive(Debug)]
pub struct Located<T> {
    /// The object.
    pub object: T,
    /// Where it came from.
    pub origin: Origin,
}

impl Object {
    /// Kind, as in manifests.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Pod(_) => "Pod",
            Object::ConfigMap(_) => "ConfigMap",
            Object::Secret(_) => "Secret",
        }
    }

    /// Name, labels and the like.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Object::Pod(pod) => &pod.object.metadata,
            Object::ConfigMap(config_map) => &config_map.object.metadata,
            Object::Secret(secret) => &secret.object.metadata,
        }
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Object::Pod(pod) => &pod.origin,
            Object::ConfigMap(config_map) => &config_map.origin,
            Object::Secret(secret) => &secret.origin,
        }
    }
}

/// Reads, completes and validates manifests.
///
/// # Errors
/// Everything that is wrong with any of them, along with the warnings, in the order of the sources. Nothing is to be
/// started then.
pub fn load(sources: &[Source]) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader::default();
    for source in sources {
        loader.source(source);
    }
    let errors = loader
        .messages
        .iter()
        .any(|message| message.severity == Severity::Error);
    let crossed = references::check(&loader.objects, errors);
    loader.messages.extend(crossed);
    let order: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let place = |message: &Diagnostic| {
        let file = order.iter().position(|name| *name == message.file);
        (file, message.line, message.column, message.severity)
    };
    loader.messages.sort_by_key(place);
    if loader
        .messages
        .iter()
        .any(|message| message.severity == Severity::Error)
    {
        return Err(loader.messages);
    }
    Ok(Loaded {
        objects: loader.objects,
        warnings: loader.messages,
    })
}

#[derive(Default)]
struct Loader {
    objects: Vec<Object>,
    messages: Vec<Diagnostic>,
}

impl Loader {
    fn source(&mut self, source: &Source) {
        let (documents, errors) = origin::documents(source);
        self.messages.extend(errors);
        for document in documents {
            self.document(&document.source, document.document, document.tree);
        }
    }

    /// One document: an object, or a list of objects.
    fn document(&mut self, source: &Arc<SourceText>, document: usize, tree: Node) {
        let kind = tree.get("kind").and_then(Node::as_str).unwrap_or("");
        let public = ["Pod", "ConfigMap", "List"].contains(&kind);
        let source_of = Arc::clone(source);
        let origin = if public {
            Origin::public(source_of, document, tree)
        } else {
            Origin::secret(source_of, document, tree)
        };
        match kinds::identify(&origin.tree) {
            Ok(Known::Pod) => {
                self.object(
                    origin,
                    Pod::SCHEMA,
                    defaults::pod,
                    validation::pod,
                    warnings::pod,
                    Object::Pod,
                );
            }
            Ok(Known::ConfigMap) => {
                let none = |_: &ConfigMap| Findings::default();
                self.object(
                    origin,
                    ConfigMap::SCHEMA,
                    defaults::config_map,
                    validation::config_map,
                    none,
                    Object::ConfigMap,
                );
            }
            Ok(Known::Secret) => {
                let none = |_: &Secret| Findings::default();
                self.object(
                    origin,
                    Secret::SCHEMA,
                    defaults::secret,
                    validation::secret,
                    none,
                    Object::Secret,
                );
            }
            Ok(Known::List) => self.list(source, document, origin),
            Err(finding) => {
                let finding = *finding;
                self.messages
                    .push(origin.spanned(Severity::Error, &finding.finding, finding.span));
            }
        }
    }

    /// The items of a list, each an object of its own.
    fn list(&mut self, source: &Arc<SourceText>, document: usize, origin: Origin) {
        let Value::Map(entries) = origin.tree.value else {
            return;
        };
        for entry in entries {
            match (entry.key.as_str(), entry.value.value) {
                ("items", Value::List(items)) => {
                    for item in items {
                        self.document(source, document, item);
                    }
                }
                ("items", Value::Null) | ("apiVersion" | "kind" | "metadata", _) => {}
                ("items", _) => {
                    let message = "items: must be a list of objects".to_owned();
                    let span = entry.key_span;
                    self.messages.push(Diagnostic::new(
                        Severity::Error,
                        source,
                        span,
                        message,
                        &[span],
                    ));
                }
                (unknown, _) => {
                    let message = format!("unknown field {unknown:?}");
                    let message =
                        Diagnostic::new(Severity::Error, source, entry.key_span, message, &[]);
                    self.messages.push(message);
                }
            }
        }
    }

    fn object<T: serde::de::DeserializeOwned + Default>(
        &mut self,
        origin: Origin,
        schema: &'static ObjectSchema,
        complete: fn(&mut T),
        validate: fn(&mut Findings, &T),
        warn: fn(&T) -> Findings,
        wrap: fn(Located<T>) -> Object,
    ) {
        let (mut object, form) = origin.decode::<T>(schema);
        complete(&mut object);
        let mut findings = Findings::default();
        validate(&mut findings, &object);
        self.messages
            .extend(origin.diagnostics(&form, findings, warn(&object)));
        self.objects.push(wrap(Located { object, origin }));
    }
}

/// Names of objects by kind and namespace, for looking references up.
pub(crate) type Names<'a> = BTreeMap<(&'static str, &'a str), HashSet<&'a str>>;

#[cfg(test)]
mod tests;
