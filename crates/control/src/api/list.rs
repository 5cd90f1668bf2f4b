//! Lists and single objects: as JSON, or as a Table where the client asks for one.

use std::sync::Arc;

use hyper::header::ACCEPT;
use hyper::{Request, Response};
use manifest::meta::status::Status;
use printers::table::{IncludeObject, Row, Table};
use serde_json::json;
use tokio::sync::watch::Receiver;

use super::answer::{self, Body, Rejected};
use super::query::Query;
use super::watch;
use crate::selector::{FieldSelector, LabelSelector};
use crate::store::{Collection, Resource};

/// What the API needs to know of a kind beyond that it can be stored.
pub(crate) trait Listed: Resource {
    /// Fields that can be selected by.
    const FIELDS: &'static [&'static str];
    /// The text of one of [`Listed::FIELDS`].
    fn field(&self, name: &str) -> String;
    /// Its row in a Table.
    fn row(&self, include: IncludeObject) -> Row;
    /// A Table without rows.
    fn table() -> Table;
}

/// Which objects a request is about.
#[derive(Debug)]
pub(crate) struct Selection {
    namespace: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    pub(crate) fn of<T: Listed>(namespace: Option<&str>, query: &Query) -> Result<Self, Rejected> {
        let wrong = |error: crate::selector::SelectorError| {
            Rejected::from(Status::bad_request(error.to_string()))
        };
        let labels = query.get("labelSelector").unwrap_or_default();
        let fields = query.get("fieldSelector").unwrap_or_default();
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: LabelSelector::parse(labels).map_err(wrong)?,
            fields: FieldSelector::parse(fields, T::FIELDS).map_err(wrong)?,
        })
    }

    pub(crate) fn has<T: Listed>(&self, object: &T) -> bool {
        let metadata = object.metadata();
        let namespace = metadata.namespace.as_deref().unwrap_or("default");
        self.namespace.as_deref().is_none_or(|own| own == namespace)
            && self.labels.matches(&metadata.labels)
            && self.fields.matches(|name| object.field(name))
    }
}

/// How a client wants to see objects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Json,
    Table(IncludeObject),
}

impl Shape {
    /// The `Accept` header decides; the first form that we know counts.
    pub(crate) fn of<B>(request: &Request<B>, query: &Query) -> Result<Self, Rejected> {
        let accepted = request.headers().get(ACCEPT);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        for form in accepted.unwrap_or_default().split(',').map(str::trim) {
            let (media, parts) = form.split_once(';').unwrap_or((form, ""));
            let parts: Vec<&str> = parts.split(';').map(str::trim).collect();
            // An earlier form of Tables, v1beta1, is gone.
            let old = parts
                .iter()
                .any(|part| part.starts_with("v=") && *part != "v=v1");
            match media.trim() {
                "application/json" if parts.contains(&"as=Table") && !old => {
                    let word = query.get("includeObject").unwrap_or_default();
                    return IncludeObject::from_query(word)
                        .map(Self::Table)
                        .ok_or_else(|| {
                            Status::bad_request(format!("invalid includeObject {word:?}")).into()
                        });
                }
                "application/json" | "*/*" | "application/*" if !parts.contains(&"as=Table") => {
                    return Ok(Self::Json);
                }
                _ => {}
            }
        }
        Ok(Self::Json)
    }
}

/// A list of objects, or a watch on them until it is `over`.
pub(crate) fn list<T: Listed, B>(
    collection: &Arc<Collection<T>>,
    over: Receiver<bool>,
    namespace: Option<&str>,
    query: &Query,
    request: &Request<B>,
) -> Result<Response<Body>, Rejected> {
    let selection = Selection::of::<T>(namespace, query)?;
    let shape = Shape::of(request, query)?;
    if query.is("watch") {
        return watch::start(collection, over, selection, shape, query);
    }
    let (objects, version) = collection.list();
    let objects = objects
        .into_iter()
        .filter(|object| selection.has(&**object));
    Ok(match shape {
        Shape::Json => answer::json(&json!({
            "apiVersion": "v1",
            "kind": format!("{}List", T::KIND),
            "metadata": { "resourceVersion": version.to_string() },
            "items": objects.collect::<Vec<_>>(),
        })),
        Shape::Table(include) => {
            let mut table = T::table();
            table.metadata.resource_version = version.to_string();
            table.rows = objects.map(|object| object.row(include)).collect();
            answer::json(&table)
        }
    })
}

/// One object.
pub(crate) fn one<T: Listed, B>(
    object: &T,
    query: &Query,
    request: &Request<B>,
) -> Result<Response<Body>, Rejected> {
    Ok(match Shape::of(request, query)? {
        Shape::Json => answer::json(object),
        Shape::Table(include) => {
            let mut table = T::table();
            table.metadata.resource_version = object
                .metadata()
                .resource_version
                .clone()
                .unwrap_or_default();
            table.rows = vec![object.row(include)];
            answer::json(&table)
        }
    })
}
