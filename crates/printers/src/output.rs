//! `-o`: objects as JSON, YAML, names, by a template, or as columns of one's own choice.

use serde_json::{Value, json};

use crate::go;
use crate::jsonpath::{self, EvalError, SyntaxError, Template};

mod columns;
mod yaml;

pub use columns::{ColumnsError, CustomColumns};
pub use yaml::yaml;

/// The argument of `-o`.
#[derive(Clone, Debug)]
pub enum Format {
    /// `wide`: the table, with all columns.
    Wide,
    /// `json`.
    Json,
    /// `yaml`.
    Yaml,
    /// `name`.
    Name,
    /// `jsonpath=TEMPLATE`, with the template as it was written.
    JsonPath(Template, String),
    /// `jsonpath-as-json=TEMPLATE`, with the template as it was written.
    JsonPathAsJson(Template, String),
    /// `custom-columns=SPEC`.
    CustomColumns(CustomColumns),
}

/// Why an argument of `-o` cannot be used; in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// There is no such format.
    #[error(
        "unable to match a printer suitable for the output format {0:?}, allowed formats are: custom-columns,json,jsonpath,jsonpath-as-json,name,wide,yaml"
    )]
    Unknown(String),
    /// A template is none.
    #[error("error parsing jsonpath {template}, {source}")]
    Template {
        /// The template.
        template: String,
        /// What is wrong with it.
        source: SyntaxError,
    },
    /// Nothing follows `jsonpath=`.
    #[error("template format specified but no template given")]
    NoTemplate,
    /// The columns are none.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
}

/// Why an object cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// The template does not fit the object.
    #[error("error executing jsonpath {template:?}: {source}")]
    JsonPath {
        /// The template.
        template: String,
        /// What does not fit.
        source: EvalError,
    },
    /// The path of a column does not fit the object.
    #[error(transparent)]
    Column(#[from] EvalError),
}

impl Format {
    /// Reads the argument of `-o`.
    ///
    /// # Errors
    ///
    /// When there is no such format, or what it needs is missing or wrong.
    pub fn parse(argument: &str) -> Result<Self, FormatError> {
        match argument.to_lowercase().as_str() {
            "json" => return Ok(Self::Json),
            "yaml" => return Ok(Self::Yaml),
            "name" => return Ok(Self::Name),
            _ => {}
        }
        let (format, rest) = argument.split_once('=').unwrap_or((argument, ""));
        match format {
            "wide" if rest.is_empty() => Ok(Self::Wide),
            "custom-columns" => Ok(Self::CustomColumns(CustomColumns::parse(rest)?)),
            "jsonpath" | "jsonpath-as-json" => {
                if rest.is_empty() {
                    return Err(FormatError::NoTemplate);
                }
                let written = rest.to_owned();
                let template = Template::parse(rest).map_err(|source| FormatError::Template {
                    template: rest.to_owned(),
                    source,
                })?;
                Ok(match format {
                    "jsonpath" => Self::JsonPath(template, written),
                    _ => Self::JsonPathAsJson(template, written),
                })
            }
            _ => Err(FormatError::Unknown(argument.to_owned())),
        }
    }
}

/// Prints objects one after the other, as a watch brings them.
#[derive(Debug)]
pub struct Printer {
    format: Format,
    columns: columns::Printer,
    printed: bool,
}

impl Printer {
    /// A printer that has printed nothing yet; `no_headers` leaves out the headings of custom columns.
    #[must_use]
    pub const fn new(format: Format, no_headers: bool) -> Self {
        Self {
            format,
            columns: columns::Printer::new(no_headers),
            printed: false,
        }
    }

    /// One object, or a [`list`], as text. Nothing for [`Format::Wide`], which is a matter of tables.
    ///
    /// # Errors
    ///
    /// When a path does not fit the object.
    pub fn print(&mut self, object: &Value) -> Result<String, PrintError> {
        let again = std::mem::replace(&mut self.printed, true);
        let explain = |template: &String, source| PrintError::JsonPath {
            template: template.clone(),
            source,
        };
        Ok(match &self.format {
            Format::Wide => String::new(),
            Format::Json => json_text(object),
            Format::Yaml if again => format!("---\n{}", yaml(object)),
            Format::Yaml => yaml(object),
            Format::Name => items(object)
                .iter()
                .map(|object| name(object) + "\n")
                .collect(),
            Format::JsonPath(template, text) => template
                .print(object)
                .map_err(|source| explain(text, source))?,
            Format::JsonPathAsJson(template, text) => {
                let found = template
                    .find(object)
                    .map_err(|source| explain(text, source))?;
                found.into_iter().map(found_as_json).collect()
            }
            Format::CustomColumns(columns) => self.columns.print(columns, &items(object))?,
        })
    }
}

fn found_as_json(values: Vec<jsonpath::Found<'_>>) -> String {
    let values = values.into_iter();
    let values = values.map(|value| value.map_or(Value::Null, std::borrow::Cow::into_owned));
    json_text(&Value::Array(values.collect()))
}

/// Several objects as one, as kubectl puts them together.
#[must_use]
pub fn list(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// The objects in a list; of an object that is no list, itself.
fn items(object: &Value) -> Vec<&Value> {
    let is_list = object["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match object["items"].as_array() {
        Some(items) if is_list => items.iter().collect(),
        _ => vec![object],
    }
}

/// `pod/web`; with a group, `deployment.apps/web`.
#[must_use]
pub fn name(object: &Value) -> String {
    let kind = object["kind"]
        .as_str()
        .unwrap_or("<unknown>")
        .to_lowercase();
    let name = object["metadata"]["name"]
        .as_str()
        .filter(|name| !name.is_empty());
    let name = crate::escape::cell(name.unwrap_or("<unknown>"));
    match object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
    {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// With four blanks a level and a line break at the end.
fn json_text(object: &Value) -> String {
    go::json_indented(object) + "\n"
}
