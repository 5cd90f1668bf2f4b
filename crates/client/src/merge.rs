//! The answers of several servers as one.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;

/// What all servers together have.
#[derive(Debug)]
pub struct Listed<T> {
    /// What was found, sorted by namespace and name.
    pub found: T,
    /// Servers that could not say what they have. What they have is missing above.
    pub failures: Vec<Error>,
}

/// One server's list: objects, or the rows of a Table.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default, rename = "columnDefinitions")]
    columns: Value,
    #[serde(default, alias = "rows")]
    pub(crate) items: Vec<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "resourceVersion")]
    resource_version: String,
}

/// What tells objects apart, and their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    namespace: String,
    name: String,
}

impl Page {
    pub(crate) fn resource_version(&self) -> &str {
        &self.metadata.resource_version
    }

    /// The columns of a Table; null in a list of objects.
    pub(crate) fn columns(&self) -> &Value {
        &self.columns
    }
}

/// All items of all pages in order.
pub(crate) fn items(pages: Vec<Page>) -> Vec<Value> {
    let mut items: Vec<Value> = pages.into_iter().flat_map(|page| page.items).collect();
    items.sort_by_cached_key(Key::of);
    items
}

/// All pages as one Table.
pub(crate) fn table(pages: Vec<Page>) -> Value {
    let columns = pages
        .iter()
        .map(Page::columns)
        .find(|columns| columns.as_array().is_some_and(|some| !some.is_empty()))
        .cloned()
        .unwrap_or_else(|| json!([]));
    as_table(&columns, items(pages))
}

/// A Table of these rows.
pub(crate) fn as_table(columns: &Value, rows: Vec<Value>) -> Value {
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": columns,
        "rows": rows,
    })
}

impl Key {
    /// The key of an object or of a row.
    pub(crate) fn of(item: &Value) -> Self {
        let text = |name| metadata(item)[name].as_str().unwrap_or_default().to_owned();
        Self {
            namespace: text("namespace"),
            name: text("name"),
        }
    }
}

/// The unique id of an object or of a row's object.
pub(crate) fn uid(item: &Value) -> &str {
    metadata(item)["uid"].as_str().unwrap_or_default()
}

/// The version of an object or of a row's object.
pub(crate) fn resource_version(item: &Value) -> &str {
    metadata(item)["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}

fn metadata(item: &Value) -> &Value {
    // A row has cells beside the object; an object has its metadata at the top.
    match item.get("cells") {
        Some(_) => &item["object"]["metadata"],
        None => &item["metadata"],
    }
}
