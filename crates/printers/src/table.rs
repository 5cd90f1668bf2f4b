//! Tables: how an API server says what a list looks like (`meta.k8s.io/v1`), and what a client makes of it.
//!
//! A server fills a [`Table`] from objects ([`pods`], [`events`]) and sends it; a client prints whatever table it
//! gets with a [`TablePrinter`]. Columns of a priority above 0 are shown with `-o wide` only.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use manifest::meta::v1::ObjectMeta;

pub mod events;
pub mod pods;
mod print;

pub use print::{Options, TablePrinter};

/// A list as rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Always `Table`.
    #[serde(default)]
    pub kind: String,
    /// Always `meta.k8s.io/v1`.
    #[serde(default)]
    pub api_version: String,
    /// Version of the list.
    #[serde(default)]
    pub metadata: ListMeta,
    /// The columns; empty in later events of a watch, where the first event's hold.
    #[serde(default, deserialize_with = "null_as_default")]
    pub column_definitions: Vec<Column>,
    /// The rows.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rows: Vec<Row>,
}

/// What every list has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// The version at which the list was read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// Where the next part of the list begins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub r#continue: String,
    /// How many objects follow in later parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_item_count: Option<i64>,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Its heading, which clients write in capitals.
    pub name: String,
    /// OpenAPI type of its cells, as `string`.
    pub r#type: String,
    /// OpenAPI format; `name` for the column that holds the object's name.
    pub format: String,
    /// What it says, in one sentence.
    pub description: String,
    /// 0 for columns that are always shown, 1 for those of `-o wide`.
    pub priority: i32,
}

/// One object as cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Text, numbers or nothing, as many as there are columns.
    #[serde(default, deserialize_with = "null_as_default")]
    pub cells: Vec<Value>,
    /// What a client should know of the row, as `Completed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<RowCondition>,
    /// The object or its metadata, as the client asked ([`IncludeObject`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
}

/// Something a client should know of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCondition {
    /// Only `Completed`: the object has run its course.
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// For programs: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What of each object goes into its row: the query parameter `includeObject`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// A `PartialObjectMetadata`.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl IncludeObject {
    /// From the query parameter; nothing when it is no word of the API. Empty means the default.
    #[must_use]
    pub fn from_query(word: &str) -> Option<Self> {
        match word {
            "None" => Some(Self::None),
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }

    fn of(self, metadata: &ObjectMeta, object: &impl Serialize) -> Option<Value> {
        let value = match self {
            Self::None => return None,
            Self::Metadata => serde_json::to_value(metadata).map(|metadata| {
                serde_json::json!({
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": metadata,
                })
            }),
            Self::Object => serde_json::to_value(object),
        };
        value.ok()
    }
}

impl Table {
    /// A table with these columns and rows.
    #[must_use]
    pub fn new(column_definitions: Vec<Column>, rows: Vec<Row>) -> Self {
        Self {
            kind: "Table".to_owned(),
            api_version: "meta.k8s.io/v1".to_owned(),
            metadata: ListMeta::default(),
            column_definitions,
            rows,
        }
    }
}

impl Column {
    fn text(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            r#type: "string".to_owned(),
            description: description.to_owned(),
            ..Self::default()
        }
    }

    /// The column of the object's name.
    fn named(self) -> Self {
        Self {
            format: "name".to_owned(),
            ..self
        }
    }

    /// Shown with `-o wide` only.
    fn wide(self) -> Self {
        Self {
            priority: 1,
            ..self
        }
    }
}

/// Go writes an empty list as `null`.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
