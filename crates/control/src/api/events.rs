//! Events.

use std::sync::Arc;

use hyper::{Request, Response};
use manifest::core::v1::Event;
use printers::table::{self, IncludeObject, Row, Table};

use super::answer::{Body, Rejected};
use super::list::{self, Listed};
use super::query::Query;
use crate::server::Server;

impl Listed for Event {
    const FIELDS: &'static [&'static str] = &[
        "metadata.name",
        "metadata.namespace",
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.fieldPath",
        "reason",
        "source",
        "reportingComponent",
        "type",
    ];

    fn field(&self, name: &str) -> String {
        let object = &self.involved_object;
        let found = match name {
            "metadata.name" => &self.metadata.name,
            "metadata.namespace" => &self.metadata.namespace,
            "involvedObject.kind" => &object.kind,
            "involvedObject.namespace" => &object.namespace,
            "involvedObject.name" => &object.name,
            "involvedObject.uid" => &object.uid,
            "involvedObject.fieldPath" => &object.field_path,
            "reason" => &self.reason,
            "type" => &self.type_,
            _ => return self.reporting_component.clone(),
        };
        found.clone().unwrap_or_default()
    }

    fn row(&self, include: IncludeObject) -> Row {
        table::events::row(self, include, super::now())
    }

    fn table() -> Table {
        Table::new(table::events::column_definitions(), Vec::new())
    }
}

/// GET on events.
pub(crate) fn list<B>(
    server: &Arc<Server>,
    namespace: Option<&str>,
    query: &Query,
    request: &Request<B>,
) -> Result<Response<Body>, Rejected> {
    list::list(
        &server.registry().events,
        server.over(),
        namespace,
        query,
        request,
    )
}
