//! `-o custom-columns=NAME:.metadata.name,...`.

use serde_json::Value;

use crate::escape;
use crate::go;
use crate::jsonpath::{EvalError, SyntaxError, Template};
use crate::tabwriter::{Layout, TabWriter};

/// Columns with headings and paths.
#[derive(Clone, Debug)]
pub struct CustomColumns {
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    heading: String,
    path: Template,
}

/// Why a text does not describe columns; in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// It is empty.
    #[error("custom-columns format specified but no custom columns given")]
    None,
    /// A column has no path.
    #[error("unexpected custom-columns spec: {0}, expected <header>:<json-path-expr>")]
    NoPath(String),
    /// A path is none.
    #[error(transparent)]
    Path(#[from] SyntaxError),
}

impl CustomColumns {
    /// Reads `HEADING:PATH,...`; braces and the first point of a path may be left out.
    ///
    /// # Errors
    ///
    /// When there is none, or one has no path or one that is wrong.
    pub fn parse(spec: &str) -> Result<Self, ColumnsError> {
        if spec.is_empty() {
            return Err(ColumnsError::None);
        }
        let column = |part: &str| {
            let split = part.split_once(':');
            let (heading, path) = split.ok_or_else(|| ColumnsError::NoPath(part.to_owned()))?;
            Ok(Column {
                heading: heading.to_owned(),
                path: Template::parse_relaxed(path)?,
            })
        };
        let columns = spec
            .split(',')
            .map(column)
            .collect::<Result<_, ColumnsError>>()?;
        Ok(Self { columns })
    }
}

/// Prints objects one after the other: headings once, columns that grow.
#[derive(Debug)]
pub(super) struct Printer {
    writer: TabWriter,
    headings: bool,
}

impl Printer {
    pub(super) const fn new(no_headers: bool) -> Self {
        Self {
            writer: TabWriter::new(Layout::TABLE),
            headings: !no_headers,
        }
    }

    pub(super) fn print(
        &mut self,
        columns: &CustomColumns,
        objects: &[&Value],
    ) -> Result<String, EvalError> {
        let mut lines = Vec::with_capacity(objects.len() + 1);
        let columns = &columns.columns;
        if std::mem::take(&mut self.headings) {
            lines.push(
                columns
                    .iter()
                    .map(|column| column.heading.clone())
                    .collect(),
            );
        }
        for object in objects {
            let cells = columns.iter().map(|column| cell(&column.path, object));
            lines.push(cells.collect::<Result<Vec<_>, _>>()?);
        }
        let text = lines
            .iter()
            .map(|cells| cells.join("\t") + "\n")
            .collect::<String>();
        Ok(self.writer.align(&text))
    }
}

fn cell(path: &Template, object: &Value) -> Result<String, EvalError> {
    let found = path.find(object)?;
    let is_none = found.first().is_none_or(Vec::is_empty);
    let values = found.into_iter().flatten().map(|value| match value {
        Some(value) => escape::terminal(&go::format(&value)).into_owned(),
        None => "<nil>".to_owned(),
    });
    let none = is_none.then(|| "<none>".to_owned());
    Ok(none.into_iter().chain(values).collect::<Vec<_>>().join(","))
}
