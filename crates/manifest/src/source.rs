//! A manifest as text: lines and columns for byte positions, and lines to show.

use crate::diagnostic::Excerpt;
use crate::yaml::Span;

/// A manifest to be read: what it is called in messages, and its bytes.
#[derive(Clone, Debug)]
pub struct Source {
    /// File name as the user wrote it, or `-`.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// A source that has proved to be text.
#[derive(Debug)]
pub struct SourceText {
    /// File name as the user wrote it.
    pub name: String,
    text: String,
    line_starts: Vec<usize>,
}

/// Longest part of a line that is shown, in bytes.
const MAX_SHOWN: usize = 160;

impl SourceText {
    /// Takes a text over.
    #[must_use]
    pub fn new(name: String, text: String) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        SourceText {
            name,
            text,
            line_starts,
        }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1; columns count characters.
    #[must_use]
    pub fn position(&self, at: usize) -> (usize, usize) {
        let at = self.floor(at.min(self.text.len()));
        let line = self.line_starts.partition_point(|start| *start <= at) - 1;
        let start = self.line_starts[line];
        let before = self.text[start..at].trim_start_matches('\u{feff}');
        (line + 1, before.chars().count() + 1)
    }

    fn floor(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The line in which a span begins, to be shown with the span marked. From the first of the `secrets` on, the line
    /// is replaced.
    pub(crate) fn excerpt(&self, span: Span, label: &str, secrets: &[Span]) -> Excerpt {
        let (line, column) = self.position(span.start);
        let start = self.line_starts[line - 1];
        let next = self
            .line_starts
            .get(line)
            .map_or(self.text.len(), |next| next - 1);
        let mut end = next;
        let mut masked = false;
        for secret in secrets {
            if secret.start < end && secret.end > start {
                end = self.floor(secret.start.max(start));
                masked = true;
            }
        }
        // A long line, as JSON has, is shown from a little before the span.
        let mark = self.floor(span.start.min(end)).max(start);
        let from = if mark - start > MAX_SHOWN / 2 {
            self.floor(mark - MAX_SHOWN / 2)
        } else {
            start
        };
        let to = self.floor(end.min(from + MAX_SHOWN)).max(mark);
        let mut shown = if from > start {
            "...".to_owned()
        } else {
            String::new()
        };
        let lead = shown.len();
        shown.push_str(&clean(&self.text[from..to]));
        let length = shown.len();
        if masked && to == end {
            shown.push_str("***");
        } else if to < next {
            shown.push_str("...");
        }
        let mark_start = lead + clean(&self.text[from..mark]).len();
        let mark_end = lead + clean(&self.text[from..self.floor(span.end.clamp(mark, to))]).len();
        // A masked value is marked as a whole, an empty place by one column.
        let mark_end = if mark_start >= length {
            shown.len()
        } else {
            mark_end.max(mark_start + 1)
        };
        let mark_end = ceil(&shown, mark_end);
        Excerpt {
            file: self.name.clone(),
            line,
            column,
            text: shown,
            start: mark_start,
            end: mark_end,
            cut: from > start || mark != span.start,
            label: label.to_owned(),
        }
    }

    /// Whether the document around a byte seems to be a Secret: asked when it cannot be parsed.
    pub(crate) fn seems_secret(&self, at: usize) -> bool {
        let at = self.floor(at.min(self.text.len()));
        let start = self.text[..at].rfind("\n---").unwrap_or(0);
        let end = self.text[at..]
            .find("\n---")
            .map_or(self.text.len(), |end| at + end);
        let document = &self.text[start..end];
        document.match_indices("kind").any(|(found, word)| {
            let value = &document[found + word.len()..];
            let value = value.trim_start_matches([' ', '\t', ':', '"', '\'', '\r', '\n']);
            value
                .get(..6)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("secret"))
        })
    }
}

fn ceil(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Without what could act on a terminal.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\r' && *c != '\u{feff}')
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
