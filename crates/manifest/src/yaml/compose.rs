//! From parser events to the value tree: anchors, aliases, merge keys, duplicate keys, limits.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::node::{Entry, Node, Span, Value};
use super::scalar::{self, Scalar};
use super::{Document, Errors, MAX_DEPTH, SyntaxError};

/// What all anchors and aliases of a source together may copy, about in bytes. An alias bomb is at its end within
/// milliseconds; a manifest that shares a few settings by anchors uses some kilobytes.
const COPY_BUDGET: usize = 8 << 20;

/// Reads all documents. `offset` is where `text` begins in its source.
pub(super) fn parse(text: &str, offset: usize) -> (Vec<Document>, Vec<SyntaxError>) {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        // kubectl cuts its input at `---` before it parses, so a directive never has the document it speaks of.
        disallow_directives: true,
    };
    options.set_emit_comments(false);
    let mut composer = Composer {
        parser: Parser::new_from_str_with_options(text, options),
        offset,
        text,
        anchors: HashMap::new(),
        budget: COPY_BUDGET,
        errors: Errors::default(),
    };
    let documents = composer.documents();
    (documents, composer.errors.list)
}

struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    offset: usize,
    text: &'a str,
    anchors: HashMap<usize, (Node, usize)>,
    budget: usize,
    errors: Errors,
}

/// The document cannot be read on; the error has been noted.
#[derive(Debug, PartialEq)]
enum Stop {
    /// Later documents can.
    Document,
    /// Nothing of the source can.
    Source,
}

/// What stands before the colon.
enum Key {
    Named(String, Span),
    Merge,
    /// It was refused and noted; its value is dropped.
    Bad,
}

/// A map in the making.
#[derive(Default)]
struct Map {
    entries: Vec<Entry>,
    /// Which entry has this key.
    index: HashMap<String, usize>,
    /// Where keys that do not come from a merge are written.
    written: HashMap<String, Span>,
}

impl Map {
    fn set(&mut self, entry: Entry) {
        match self.index.get(&entry.key) {
            Some(index) => self.entries[*index] = entry,
            None => {
                self.index.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

type EventAt<'a> = (Event<'a>, Span);

impl<'a> Composer<'a> {
    fn documents(&mut self) -> Vec<Document> {
        let mut documents = Vec::new();
        loop {
            match self.document() {
                Ok(Some(root)) if root.value == Value::Null => {}
                Ok(Some(root)) => documents.push(Document { root }),
                Ok(None) | Err(Stop::Source) => return documents,
                Err(Stop::Document) => {
                    if self.errors.full()
                        || !matches!(self.parser.proceed_next_document(), Ok(true))
                    {
                        return documents;
                    }
                }
            }
        }
    }

    /// The next document, or nothing at the end.
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        self.anchors.clear();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(None),
                (event, span) if event.is_node() || matches!(event, Event::Alias(_)) => {
                    return self.node(event, span).map(Some);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<EventAt<'a>, Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.span(span.start.byte_offset(), span.end.byte_offset());
                Ok((event, span))
            }
            Some(Err(error)) => {
                let error = self.syntax_error(&error);
                self.errors.push(error);
                Err(Stop::Document)
            }
            None => Ok((Event::StreamEnd, self.span(None, None))),
        }
    }

    fn span(&self, start: Option<usize>, end: Option<usize>) -> Span {
        let start = start.unwrap_or(self.text.len());
        let end = end.unwrap_or(start).max(start);
        Span::new(self.offset + start, self.offset + end)
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Stop> {
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), span);
                let value = scalar.and_then(|scalar| {
                    scalar
                        .into_value()
                        .map_err(|why| self.errors.push(SyntaxError::new(span, why)))
                        .ok()
                });
                (Node::new(span, value.unwrap_or(Value::Null)), anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(span)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(span)?, anchor),
            Event::Alias(id) => return self.alias(id, span),
            // The parser gives no other event where a node is due.
            _ => return Err(Stop::Source),
        };
        if anchor != 0 {
            let cost = node.cost();
            self.spend(cost, span)?;
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        Ok(node)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Option<Scalar> {
        let read = match tag {
            Some(tag) => scalar::resolve_tagged(text, &format!("{}{}", tag.handle(), tag.suffix())),
            None if style == ScalarStyle::Plain => Ok(scalar::resolve(text)),
            None => Ok(Scalar::Value(Value::String(text.to_owned()))),
        };
        read.map_err(|why| self.errors.push(SyntaxError::new(span, why)))
            .ok()
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Stop> {
        let Some((node, cost)) = self.anchors.get(&id) else {
            self.errors.push(SyntaxError::new(
                span,
                "the value of this anchor contains itself",
            ));
            return Ok(Node::new(span, Value::Null));
        };
        let (node, cost) = (node.clone(), *cost);
        self.spend(cost, span)?;
        Ok(node)
    }

    /// Takes the cost of a copy off the budget.
    fn spend(&mut self, cost: usize, span: Span) -> Result<(), Stop> {
        let Some(left) = self.budget.checked_sub(cost) else {
            self.errors.push(
                SyntaxError::new(span, "document contains excessive aliasing")
                    .with_hint("anchors within anchors grow without bound; write the values out"),
            );
            return Err(Stop::Source);
        };
        self.budget = left;
        Ok(())
    }

    fn list(&mut self, start: Span) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Ok(Node::new(
                        collection(start, end, items.last()),
                        Value::List(items),
                    ));
                }
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self, start: Span) -> Result<Node, Stop> {
        let mut map = Map::default();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, end) => {
                    let last = map.entries.last().map(|entry| &entry.value);
                    let span = collection(start, end, last);
                    return Ok(Node::new(span, Value::Map(map.entries)));
                }
                (event, span) => self.key(event, span)?,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            match key {
                Key::Bad => {}
                Key::Merge => self.merge(&mut map, value),
                Key::Named(key, key_span) => {
                    if let Some(first) = map.written.get(&key) {
                        self.errors.push(duplicate(&key, key_span, *first));
                    } else {
                        map.written.insert(key.clone(), key_span);
                        map.set(Entry {
                            key,
                            key_span,
                            value,
                        });
                    }
                }
            }
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<Key, Stop> {
        let scalar = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let untagged = tag.is_none() && style == ScalarStyle::Plain;
                let merge_tag = tag
                    .as_ref()
                    .is_some_and(|tag| tag.core_suffix().is_none() && tag.suffix() == "merge");
                if text == "<<" && (untagged || merge_tag) {
                    return Ok(Key::Merge);
                }
                if anchor != 0 {
                    let node = Node::new(span, Value::String(text.to_string()));
                    self.anchors.insert(anchor, (node, text.len()));
                }
                self.scalar(&text, style, tag.as_deref(), span)
            }
            other => match self.node(other, span)?.value {
                Value::List(_) | Value::Map(_) => {
                    let error = SyntaxError::new(span, "the key of a map must be a scalar")
                        .with_hint("text that begins with `{` or `[` needs quotes");
                    self.errors.push(error);
                    None
                }
                value => Some(Scalar::Value(value)),
            },
        };
        let Some(scalar) = scalar else {
            return Ok(Key::Bad);
        };
        Ok(match scalar.into_key() {
            Ok(key) => Key::Named(key, span),
            Err(why) => {
                self.errors.push(SyntaxError::new(span, why));
                Key::Bad
            }
        })
    }

    /// Sets what a merge key brings. Of several sources the earlier wins; against keys written out, the later in the
    /// text wins, which is not what YAML says and is what kubectl does.
    fn merge(&mut self, map: &mut Map, node: Node) {
        let span = node.span;
        let sources = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for source in sources.into_iter().rev() {
            match source.value {
                Value::Map(found) => found.into_iter().for_each(|entry| map.set(entry)),
                _ => {
                    let why = "map merge requires map or sequence of maps as the value";
                    self.errors.push(SyntaxError::new(span, why));
                    return;
                }
            }
        }
    }

    fn indented_by_tab(&self, at: usize) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        self.text[start..].bytes().find(|byte| *byte != b' ') == Some(b'\t')
    }

    /// The tab that the parser complains about: its mark is behind it in the line, or at the value above it.
    fn tab_near(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        if self.indented_by_tab(at) {
            let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
            return start + self.text[start..].find('\t').unwrap_or(0);
        }
        let end = (at + 1).min(bytes.len());
        let before = bytes[..end]
            .iter()
            .rposition(|byte| matches!(byte, b'\t' | b'\n'));
        if let Some(found) = before.filter(|found| bytes[*found] == b'\t') {
            return found;
        }
        let mut line_start = at;
        while let Some(length) = bytes[line_start..].iter().position(|byte| *byte == b'\n') {
            line_start += length + 1;
            let indent = bytes[line_start..]
                .iter()
                .position(|byte| *byte != b' ')
                .unwrap_or(0);
            match bytes.get(line_start + indent) {
                Some(b'\t') => return line_start + indent,
                Some(b'\n') => {}
                _ => break,
            }
        }
        at
    }

    fn syntax_error(&self, error: &ScanError) -> SyntaxError {
        let at = error
            .marker()
            .byte_offset()
            .unwrap_or(self.text.len())
            .min(self.text.len());
        let mut info = error.info();
        if !info.contains("tab") && self.indented_by_tab(at) {
            info = format!("a tab in the indentation: {info}");
        }
        let tab = info.contains("tab");
        let at = if tab { self.tab_near(at) } else { at };
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let span = self.span(Some(at), Some(at + length));
        let hint = match error.kind() {
            _ if tab => "indent with spaces; YAML takes no tabs there",
            ErrorKind::UnexpectedCharacter { .. } => {
                "text that begins with this character needs quotes"
            }
            ErrorKind::MappingValueNotAllowed => {
                "text that contains `: ` needs quotes; or is this line indented too far?"
            }
            ErrorKind::RecursionLimitExceeded => {
                return SyntaxError::new(span, format!("nested deeper than {MAX_DEPTH} levels"));
            }
            ErrorKind::ExpectedBlockMappingKey => "compare the indentation with the lines above",
            _ => return SyntaxError::new(span, info),
        };
        SyntaxError::new(span, info).with_hint(hint)
    }
}

/// From the first token to the end of the last value; the parser ends a block collection only at the token after it.
fn collection(start: Span, end: Span, last: Option<&Node>) -> Span {
    let last = last.map_or(start.end, |node| node.span.end);
    let end = if end.end > end.start { end.end } else { last };
    Span::new(start.start, end.max(start.start))
}

pub(super) fn duplicate(key: &str, span: Span, first: Span) -> SyntaxError {
    let mut error = SyntaxError::new(span, format!("duplicate key {key:?}"))
        .with_hint("kubectl would drop the first one in silence; keep one of the two");
    error.related = Some((first, "first given here".to_owned()));
    error
}
