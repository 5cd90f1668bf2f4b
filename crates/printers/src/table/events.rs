//! Events as a table, after upstream's `printEvent`.

use lifecycle::Time;
use manifest::core::v1::Event;
use serde_json::Value;

use super::{Column, IncludeObject, Row, Table};
use crate::duration::age;

/// All events in the order given.
#[must_use]
pub fn table<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    include: IncludeObject,
    now: Time,
) -> Table {
    let rows = events.into_iter().map(|event| row(event, include, now));
    Table::new(column_definitions(), rows.collect())
}

/// LAST SEEN TYPE REASON OBJECT MESSAGE; wide: SUBOBJECT and SOURCE before MESSAGE, FIRST SEEN, COUNT and
/// NAME after it.
#[must_use]
pub fn column_definitions() -> Vec<Column> {
    vec![
        Column::text("Last Seen", "Time since it happened last."),
        Column::text("Type", "Normal or Warning."),
        Column::text("Reason", "One word for what happened."),
        Column::text("Object", "What it happened to."),
        Column::text("Subobject", "The part of the object that it happened to.").wide(),
        Column::text("Source", "Who reported it.").wide(),
        Column::text("Message", "What happened, in a sentence."),
        Column::text("First Seen", "Time since it happened first.").wide(),
        Column::text("Count", "How often it happened.").wide(),
        Column::text("Name", "Name of the event itself.")
            .named()
            .wide(),
    ]
}

/// One event.
#[must_use]
pub fn row(event: &Event, include: IncludeObject, now: Time) -> Row {
    let first_seen = match event.first_timestamp {
        Some(first) => age(Some(first), now),
        None => age(event.event_time, now),
    };
    let (last_seen, count) = match &event.series {
        Some(series) => {
            let last = age(series.last_observed_time, now);
            (last, series.count.unwrap_or(0))
        }
        None => {
            let last = event.last_timestamp;
            let last = last.map_or_else(|| first_seen.clone(), |last| age(Some(last), now));
            // An event of the newer API that happened once has no count.
            (last, event.count.filter(|count| *count != 0).unwrap_or(1))
        }
    };
    let object = &event.involved_object;
    let kind = object.kind.as_deref().unwrap_or_default().to_lowercase();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let target = match text(&object.name) {
        name if name.is_empty() => kind,
        name => format!("{kind}/{name}"),
    };
    let cells = [
        Value::from(last_seen),
        text(&event.type_).into(),
        text(&event.reason).into(),
        target.into(),
        text(&object.field_path).into(),
        source(event).into(),
        text(&event.message).trim().into(),
        first_seen.into(),
        count.into(),
        text(&event.metadata.name).into(),
    ];
    Row {
        cells: cells.into(),
        conditions: Vec::new(),
        object: include.of(&event.metadata, event),
    }
}

/// Program and machine; what the newer API calls them when the older names are empty.
pub(crate) fn source(event: &Event) -> String {
    let source = event.source.clone().unwrap_or_default();
    let or = |first: Option<String>, second: &str| match first {
        Some(first) if !first.is_empty() => first,
        _ => second.to_owned(),
    };
    let component = or(source.component, &event.reporting_component);
    let host = or(source.host, &event.reporting_instance);
    if host.is_empty() {
        component
    } else {
        format!("{component}, {host}")
    }
}
