//! `kubectl events`: what happened, one event a line.

use jiff::Timestamp;
use lifecycle::Time;
use manifest::core::v1::Event;

use crate::duration::age;
use crate::escape;
use crate::tabwriter::{Layout, TabWriter};

/// Prints events one after the other, as a watch brings them: headings once, columns that grow.
#[derive(Debug)]
pub struct EventPrinter {
    writer: TabWriter,
    headings: bool,
    with_namespace: bool,
}

impl EventPrinter {
    /// A printer that has printed nothing yet. `with_namespace` adds a column NAMESPACE (`-A`).
    #[must_use]
    pub const fn new(no_headers: bool, with_namespace: bool) -> Self {
        Self {
            writer: TabWriter::new(Layout::TABLE),
            headings: !no_headers,
            with_namespace,
        }
    }

    /// The events in the order given.
    #[must_use]
    pub fn print<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>, now: Time) -> String {
        let mut text = String::new();
        if std::mem::take(&mut self.headings) {
            text.push_str(if self.with_namespace {
                "NAMESPACE\t"
            } else {
                ""
            });
            text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
        }
        for event in events {
            let cell = |text: &Option<String>| {
                escape::terminal(text.as_deref().unwrap_or_default().trim()).into_owned()
            };
            if self.with_namespace {
                text.push_str(&cell(&event.metadata.namespace));
                text.push('\t');
            }
            let object = &event.involved_object;
            text.push_str(&format!(
                "{}\t{}\t{}\t{}/{}\t{}\n",
                interval(event, now),
                cell(&event.type_),
                cell(&event.reason),
                cell(&object.kind),
                cell(&object.name),
                cell(&event.message),
            ));
        }
        self.writer.align(&text)
    }
}

/// Sorts events by when they happened last.
pub fn sort(events: &mut [Event]) {
    events.sort_by_key(last_seen);
}

fn last_seen(event: &Event) -> Option<Timestamp> {
    if let Some(series) = &event.series {
        return series.last_observed_time.map(|time| time.0);
    }
    let last = event.last_timestamp.map(|time| time.0);
    last.or(event.event_time.map(|time| time.0))
}

/// The age of an event that came once; of one that came again, of the last time, with the count and since
/// when: `10s (x3 over 2m)`.
pub(crate) fn interval(event: &Event, now: Time) -> String {
    let first = match event.event_time {
        Some(first) => age(Some(first), now),
        None => age(event.first_timestamp, now),
    };
    if let Some(series) = &event.series {
        let last = age(series.last_observed_time, now);
        return format!("{last} (x{} over {first})", series.count.unwrap_or(0));
    }
    match event.count {
        Some(count) if count > 1 => {
            let last = age(event.last_timestamp, now);
            format!("{last} (x{count} over {first})")
        }
        _ => first,
    }
}
