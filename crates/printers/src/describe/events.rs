//! The table of events at the end.

use manifest::core::v1::Event;

use super::{Context, Page};
use crate::events::interval;

/// Nothing when there are none.
pub(super) fn table(mut events: Vec<Event>, context: &Context) -> String {
    let mut page = Page::new(context);
    if events.is_empty() {
        return String::new();
    }
    events.sort_by_key(|event| event.last_timestamp);
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    page.line(1, "----\t------\t----\t----\t-------");
    for event in &events {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let source = event.source.clone().unwrap_or_default().component;
        let source = source.filter(|source| !source.is_empty());
        let source = source.unwrap_or_else(|| event.reporting_component.clone());
        let field = text(&event.involved_object.field_path);
        let message = text(&event.message);
        let message = match field.as_str() {
            "" => message.trim().to_owned(),
            field => format!("{field}: {}", message.trim()),
        };
        let (kind, reason) = (text(&event.type_), text(&event.reason));
        let age = interval(event, context.now);
        page.line(1, &format!("{kind}\t{reason}\t{age}\t{source}\t{message}"));
    }
    page.align()
}
