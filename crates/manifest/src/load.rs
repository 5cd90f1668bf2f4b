//! From sources to objects: the one way into this crate for manifests.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::core::v1::{ConfigMap, Pod, Secret};
use crate::decode::{FormFinding, decode};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::{Finding, Findings};
use crate::kinds::{self, Known};
use crate::meta::v1::ObjectMeta;
use crate::path::Path;
use crate::schema::ObjectSchema;
use crate::source::{Source, SourceText};
use crate::yaml::{self, Node, Span, SyntaxError, Value};
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

/// The place of an object: source, document, and a tree that leads from fields to lines.
#[derive(Debug)]
pub struct Origin {
    /// The text it stands in.
    pub source: Arc<SourceText>,
    /// Which document of the source, from 0; items of a list share one.
    pub document: usize,
    /// Its values and where each stands.
    pub tree: Node,
    secrets: Vec<Span>,
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

impl Origin {
    /// A message about a field of the object, as for what is found out only when it is run.
    #[must_use]
    pub fn diagnostic(&self, severity: Severity, finding: &Finding) -> Diagnostic {
        self.spanned(severity, finding, finding.path.locate(&self.tree))
    }

    fn spanned(&self, severity: Severity, finding: &Finding, span: Span) -> Diagnostic {
        Diagnostic::new(
            severity,
            &self.source,
            span,
            finding.message.clone(),
            &self.secrets,
        )
        .with_hint(finding.hint.clone())
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
        let text = match std::str::from_utf8(&source.bytes) {
            Ok(text) => text.to_owned(),
            Err(error) => {
                let line = source.bytes[..error.valid_up_to()]
                    .iter()
                    .filter(|b| **b == b'\n')
                    .count()
                    + 1;
                let mut message = Diagnostic::whole(
                    &source.name,
                    format!(
                        "this is not UTF-8 text (byte {} is invalid)",
                        error.valid_up_to()
                    ),
                );
                message.line = line;
                let hint = "a manifest is text in YAML or JSON; this looks like something else";
                self.messages.push(message.with_hint(Some(hint.to_owned())));
                return;
            }
        };
        let source = Arc::new(SourceText::new(source.name.clone(), text));
        let (documents, errors) = yaml::parse(source.text());
        self.messages
            .extend(errors.iter().map(|error| syntax(&source, error)));
        for (index, document) in documents.into_iter().enumerate() {
            self.document(&source, index, document.root);
        }
    }

    /// One document: an object, or a list of objects.
    fn document(&mut self, source: &Arc<SourceText>, document: usize, tree: Node) {
        let kind = tree.get("kind").and_then(Node::as_str).unwrap_or("");
        let public = ["Pod", "ConfigMap", "List"].contains(&kind);
        let secrets = if public { Vec::new() } else { secrets(&tree) };
        let origin = Origin {
            source: Arc::clone(source),
            document,
            tree,
            secrets,
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
        let secret = !origin.secrets.is_empty();
        let (mut object, form) = decode::<T>(&origin.tree, schema, origin.source.text(), secret);
        complete(&mut object);
        let mut findings = Findings::default();
        validate(&mut findings, &object);
        let (mut warnings, refusals) =
            warnings::unsupported(&origin.tree, schema, origin.source.text());
        warnings.0.extend(warn(&object).0);
        let consequences = |finding: &Finding| form.iter().any(|cause| follows(finding, cause));
        findings.0.retain(|finding| !consequences(finding));
        findings.0.extend(refusals.0);
        let errors = findings
            .0
            .iter()
            .map(|finding| origin.diagnostic(Severity::Error, finding));
        let form = form
            .iter()
            .map(|form| origin.spanned(Severity::Error, &form.finding, form.span));
        let warnings = warnings
            .0
            .iter()
            .map(|finding| origin.diagnostic(Severity::Warning, finding));
        self.messages.extend(form.chain(errors).chain(warnings));
        self.objects.push(wrap(Located { object, origin }));
    }
}

/// Whether a finding only says again what an error of form left out: the same field or one below it, or something
/// missing that was given wrongly.
fn follows(finding: &Finding, cause: &FormFinding) -> bool {
    let path = &cause.finding.path;
    match cause.unknown {
        // The path is that of the object, whose other fields are judged all the same.
        Some(meant) => {
            let given = meant.is_some_and(|meant| finding.path == path.child(meant));
            finding.missing && (given || finding.path == *path)
        }
        None => {
            let below = *path != Path::root() && finding.path.starts_with(path);
            below || finding.missing && path.starts_with(&finding.path)
        }
    }
}

fn syntax(source: &SourceText, error: &SyntaxError) -> Diagnostic {
    let related = error
        .related
        .as_ref()
        .map(|(span, label)| source.excerpt(*span, label, &[]));
    let message = match &related {
        Some(first) => format!("{} (first given on line {})", error.message, first.line),
        None => error.message.clone(),
    };
    let mut message = Diagnostic::new(Severity::Error, source, error.span, message, &[]);
    message.excerpts.extend(related);
    if source.seems_secret(error.span.start) {
        message.excerpts.clear();
    }
    message.with_hint(error.hint.clone())
}

/// All values of an object that may be secret: everything but what says which object it is.
fn secrets(tree: &Node) -> Vec<Span> {
    fn collect(node: &Node, spans: &mut Vec<Span>) {
        match &node.value {
            Value::Map(entries) => entries
                .iter()
                .for_each(|entry| collect(&entry.value, spans)),
            Value::List(items) => items.iter().for_each(|item| collect(item, spans)),
            _ => spans.push(node.span),
        }
    }
    let mut spans = Vec::new();
    let Value::Map(entries) = &tree.value else {
        return vec![tree.span];
    };
    for entry in entries {
        match (entry.key.as_str(), &entry.value.value) {
            ("apiVersion" | "kind" | "type" | "immutable", _) => {}
            ("metadata", Value::Map(fields)) => {
                let annotations = fields.iter().filter(|field| field.key == "annotations");
                annotations.for_each(|field| collect(&field.value, &mut spans));
            }
            _ => collect(&entry.value, &mut spans),
        }
    }
    spans.sort();
    spans
}

/// Names of objects by kind and namespace, for looking references up.
pub(crate) type Names<'a> = BTreeMap<(&'static str, &'a str), HashSet<&'a str>>;

#[cfg(test)]
mod tests;
