//! Messages for people: what is wrong, where, how it looks there, and what to do.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::source::SourceText;
use crate::yaml::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is started.
    Error,
    /// It works otherwise than in Kubernetes, or hardly as meant.
    Warning,
}

/// One message about a place in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Name of the source.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, on one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Lines to show: the place, then places that matter too. Empty where a secret could show.
    pub excerpts: Vec<Excerpt>,
}

/// A line of a manifest with a part of it marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Name of the source.
    pub file: String,
    /// Its number, from 1.
    pub line: usize,
    /// Column of the mark, in characters from 1.
    pub column: usize,
    /// The line, shortened, with secrets replaced.
    pub text: String,
    /// First byte of the mark in `text`.
    pub start: usize,
    /// Byte after the mark.
    pub end: usize,
    /// Whether the beginning of the line is left out.
    pub cut: bool,
    /// What is to be said about the mark; may be empty.
    pub label: String,
}

impl Diagnostic {
    pub(crate) fn new(
        severity: Severity,
        source: &SourceText,
        span: Span,
        message: String,
        secrets: &[Span],
    ) -> Self {
        let excerpt = source.excerpt(span, "", secrets);
        Diagnostic {
            severity,
            file: source.name.clone(),
            line: excerpt.line,
            column: excerpt.column,
            message,
            hint: None,
            excerpts: vec![excerpt],
        }
    }

    /// A message about a source as a whole.
    pub(crate) fn whole(source: &str, message: String) -> Self {
        Diagnostic {
            severity: Severity::Error,
            file: source.to_owned(),
            line: 1,
            column: 1,
            message,
            hint: None,
            excerpts: Vec::new(),
        }
    }

    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// `file:line:column: error: message`.
    #[must_use]
    pub fn one_line(&self) -> String {
        format!(
            "{}:{}:{}: {}: {}",
            self.file,
            self.line,
            self.column,
            self.level(),
            self.message
        )
    }

    fn level(&self) -> &'static str {
        match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }

    /// Several lines with the place in the manifest and the hint, as compilers show it; without a line break at the end.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = level
            .primary_title(self.message.as_str())
            .elements(self.place());
        for (position, excerpt) in self.excerpts.iter().enumerate() {
            let kind = if position == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let mut mark = kind.span(excerpt.start..excerpt.end);
            if !excerpt.label.is_empty() {
                mark = mark.label(excerpt.label.as_str());
            }
            let mut snippet = Snippet::source(excerpt.text.as_str())
                .line_start(excerpt.line)
                .annotation(mark);
            if position > 0 || !excerpt.cut {
                snippet = snippet.path(excerpt.file.as_str());
            }
            group = group.element(snippet);
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }

    /// The place in a line of its own, where the first excerpt cannot tell it: there is none, or its line is cut, so that
    /// columns are others in it.
    fn place(&self) -> Option<Origin<'_>> {
        let cut = self.excerpts.first().is_none_or(|excerpt| excerpt.cut);
        cut.then(|| {
            Origin::path(self.file.as_str())
                .line(self.line)
                .char_column(self.column)
        })
    }
}
