//! Any table as kubectl prints it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Column, Row, Table};
use crate::escape;
use crate::go;
use crate::tabwriter::{Layout, TabWriter};

/// What is printed of a table besides its ordinary columns.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-o wide`: all columns.
    pub wide: bool,
    /// `--no-headers`.
    pub no_headers: bool,
    /// `-A`: a column NAMESPACE comes first.
    pub with_namespace: bool,
    /// `--show-labels`: a column LABELS comes last.
    pub show_labels: bool,
    /// `-L`: a column for each of these labels.
    pub label_columns: Vec<String>,
    /// What stands before the name, as `pod` in `pod/web`, when several kinds are listed.
    pub kind: Option<String>,
}

/// Prints tables one after the other, as the events of a watch bring them: headings once, columns that grow.
#[derive(Debug)]
pub struct TablePrinter {
    options: Options,
    writer: TabWriter,
    columns: Vec<Column>,
    printed_headers: bool,
}

impl TablePrinter {
    /// A printer that has printed nothing yet.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            writer: TabWriter::new(Layout::TABLE),
            columns: Vec::new(),
            printed_headers: false,
        }
    }

    /// The table as text. `event` is the type of the watch event that brought it, as `ADDED`, when a column
    /// EVENT is to say so (`--output-watch-events`).
    #[must_use]
    pub fn print(&mut self, table: &Table, event: Option<&str>) -> String {
        let definitions = &table.column_definitions;
        if !definitions.is_empty() && *definitions != self.columns {
            self.columns.clone_from(definitions);
            self.printed_headers = false;
        }
        let headers = !self.options.no_headers && !self.printed_headers && !table.rows.is_empty();
        let mut text = String::new();
        if headers {
            self.printed_headers = true;
            line(&mut text, self.headings(event.is_some()));
        }
        for row in &table.rows {
            line(&mut text, self.cells(row, event));
        }
        self.writer.align(&text)
    }

    /// The columns that are shown, with their place among all.
    fn shown(&self) -> impl Iterator<Item = (usize, &Column)> {
        let wide = self.options.wide;
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, column)| wide || column.priority == 0)
    }

    fn headings(&self, event: bool) -> Vec<String> {
        let options = &self.options;
        let mut headings = Vec::new();
        headings.extend(event.then(|| "EVENT".to_owned()));
        headings.extend(options.with_namespace.then(|| "NAMESPACE".to_owned()));
        headings.extend(
            self.shown()
                .map(|(_, column)| cell(&column.name.to_uppercase())),
        );
        let last_part =
            |label: &String| label.rsplit('/').next().unwrap_or_default().to_uppercase();
        headings.extend(options.label_columns.iter().map(last_part));
        headings.extend(options.show_labels.then(|| "LABELS".to_owned()));
        headings
    }

    fn cells(&self, row: &Row, event: Option<&str>) -> Vec<String> {
        let options = &self.options;
        let metadata = row
            .object
            .as_ref()
            .and_then(|object| object.get("metadata"));
        let mut cells = Vec::new();
        cells.extend(event.map(event_cell));
        if options.with_namespace {
            let namespace = metadata.and_then(|metadata| metadata.get("namespace")?.as_str());
            cells.push(cell(namespace.unwrap_or_default()));
        }
        let named = |column: &Column| column.format == "name" && column.r#type == "string";
        let name_column = self.columns.iter().position(named);
        for (position, _) in self.shown() {
            let text = match row.cells.get(position) {
                None => break,
                Some(Value::Null) => String::new(),
                Some(Value::String(text)) => cell(text),
                Some(value) => cell(&go::format(value)),
            };
            match &options.kind {
                Some(kind) if name_column == Some(position) => cells.push(format!("{kind}/{text}")),
                _ => cells.push(text),
            }
        }
        if !options.label_columns.is_empty() || options.show_labels {
            let labels = metadata.map(labels);
            for label in &options.label_columns {
                let value = labels
                    .as_ref()
                    .and_then(|labels| labels.get(label.as_str()));
                cells.push(cell(value.copied().unwrap_or_default()));
            }
            if options.show_labels {
                cells.push(labels.map(format_labels).unwrap_or_default());
            }
        }
        cells
    }
}

fn labels(metadata: &Value) -> BTreeMap<&str, &str> {
    let labels = metadata.get("labels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    labels
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect()
}

/// `a=b,c=d`, or `<none>`.
fn format_labels(labels: BTreeMap<&str, &str>) -> String {
    if labels.is_empty() {
        return "<none>".to_owned();
    }
    let pairs = labels.iter().map(|(key, value)| format!("{key}={value}"));
    cell(&pairs.collect::<Vec<_>>().join(","))
}

/// All of one width, so that the columns to the right stand still.
fn event_cell(event: &str) -> String {
    format!("{event:<8}")
}

fn cell(text: &str) -> String {
    escape::cell(text).into_owned()
}

fn line(text: &mut String, cells: Vec<String>) {
    text.push_str(&cells.join("\t"));
    text.push('\n');
}
