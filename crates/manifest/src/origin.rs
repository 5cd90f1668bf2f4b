//! Documents of a source with their positions: what whoever reads objects of its own kinds begins with.
//!
//! [`documents`] reads the YAML, [`Origin::decode`] makes a type of [`object!`](crate::schema::object) of a document, and
//! [`Origin::diagnostics`] ties findings to lines.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::decode::{FormFinding, decode};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::{Finding, Findings};
use crate::path::Path;
use crate::schema::ObjectSchema;
use crate::source::{Source, SourceText};
use crate::warnings;
use crate::yaml::{self, Node, Span, SyntaxError, Value};

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

/// What of a document did not fit the type it was decoded into.
#[derive(Debug)]
pub struct Form {
    findings: Vec<FormFinding>,
    refusals: Findings,
    warnings: Findings,
}

/// Reads the documents of a source, and everything that is wrong with its text.
#[must_use]
pub fn documents(source: &Source) -> (Vec<Origin>, Vec<Diagnostic>) {
    let text = match std::str::from_utf8(&source.bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => return (Vec::new(), vec![not_text(source, error.valid_up_to())]),
    };
    let source = Arc::new(SourceText::new(source.name.clone(), text));
    let (documents, errors) = yaml::parse(source.text());
    let errors = errors.iter().map(|error| syntax(&source, error)).collect();
    let origins = documents.into_iter().enumerate();
    let origins = origins
        .map(|(index, document)| Origin::public(Arc::clone(&source), index, document.root))
        .collect();
    (origins, errors)
}

fn not_text(source: &Source, valid: usize) -> Diagnostic {
    let breaks = source.bytes[..valid].iter().filter(|byte| **byte == b'\n');
    let line = breaks.count() + 1;
    let message = format!("this is not UTF-8 text (byte {valid} is invalid)");
    let mut message = Diagnostic::whole(&source.name, message);
    message.line = line;
    let hint = "a manifest is text in YAML or JSON; this looks like something else";
    message.with_hint(Some(hint.to_owned()))
}

impl Origin {
    /// A document whose values may be shown.
    pub(crate) fn public(source: Arc<SourceText>, document: usize, tree: Node) -> Self {
        Origin {
            source,
            document,
            tree,
            secrets: Vec::new(),
        }
    }

    /// A document whose values may not be shown, except those that say which object it is.
    pub(crate) fn secret(source: Arc<SourceText>, document: usize, tree: Node) -> Self {
        Origin {
            secrets: secrets(&tree),
            ..Origin::public(source, document, tree)
        }
    }

    /// Makes an object of the document. `schema` is the type's own (`T::SCHEMA`).
    ///
    /// What does not fit is left out and kept in the form: with errors in it the object is good for further checks only.
    #[must_use]
    pub fn decode<T: DeserializeOwned + Default>(
        &self,
        schema: &'static ObjectSchema,
    ) -> (T, Form) {
        let secret = !self.secrets.is_empty();
        let (object, findings) = decode::<T>(&self.tree, schema, self.source.text(), secret);
        let (warnings, refusals) = warnings::unsupported(&self.tree, schema, self.source.text());
        let form = Form {
            findings,
            refusals,
            warnings,
        };
        (object, form)
    }

    /// Everything that is to be said about the object: of its form, then errors, then warnings. Errors that only follow
    /// from its form are left out.
    #[must_use]
    pub fn diagnostics(
        &self,
        form: &Form,
        errors: Findings,
        warnings: Findings,
    ) -> Vec<Diagnostic> {
        let follows = |finding: &Finding| form.findings.iter().any(|cause| follows(finding, cause));
        let errors = errors.0.into_iter().filter(|finding| !follows(finding));
        let errors: Vec<Finding> = errors.chain(form.refusals.0.iter().cloned()).collect();
        let warnings = form.warnings.0.iter().chain(&warnings.0);
        let form = form.findings.iter();
        form.map(|form| self.spanned(Severity::Error, &form.finding, form.span))
            .chain(
                errors
                    .iter()
                    .map(|finding| self.diagnostic(Severity::Error, finding)),
            )
            .chain(warnings.map(|finding| self.diagnostic(Severity::Warning, finding)))
            .collect()
    }

    /// A message about a field of the object, as for what is found out only when it is run.
    #[must_use]
    pub fn diagnostic(&self, severity: Severity, finding: &Finding) -> Diagnostic {
        self.spanned(severity, finding, finding.path.locate(&self.tree))
    }

    pub(crate) fn spanned(&self, severity: Severity, finding: &Finding, span: Span) -> Diagnostic {
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
