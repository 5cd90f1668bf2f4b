//! Events: what happened to an object, for people.

use super::enums::{ApiVersionV1, EventKind};
use crate::meta::v1::{MicroTime, ObjectMeta, Time};
use crate::schema::object;

object! {
    /// Something that happened.
    pub struct Event {
        /// Always `v1`.
        api_version: ApiVersionV1 = "apiVersion";
        /// Always `Event`.
        kind: EventKind = "kind";
        /// Name of the event itself.
        metadata: ObjectMeta = "metadata";
        /// What it happened to.
        involved_object: ObjectReference = "involvedObject";
        /// One word for it, as `Started`.
        reason: Option<String> = "reason".zero_is_unset();
        /// A sentence about it.
        message: Option<String> = "message".zero_is_unset();
        /// Who saw it.
        source: Option<EventSource> = "source";
        /// When it happened first.
        first_timestamp: Option<Time> = "firstTimestamp";
        /// When it happened last.
        last_timestamp: Option<Time> = "lastTimestamp";
        /// How often.
        count: Option<i32> = "count".zero_is_unset();
        /// Normal or Warning.
        type_: Option<String> = "type".zero_is_unset();
        /// When it was first seen, exactly.
        event_time: Option<MicroTime> = "eventTime";
        /// How it repeats.
        series: Option<EventSeries> = "series";
        /// What was done about it.
        action: Option<String> = "action".zero_is_unset();
        /// A second object it concerns.
        related: Option<ObjectReference> = "related";
        /// Which program reported it.
        reporting_component: String = "reportingComponent";
        /// Which instance of that program.
        reporting_instance: String = "reportingInstance";
    }
}

object! {
    /// Who saw an event.
    pub struct EventSource {
        /// The program.
        component: Option<String> = "component".zero_is_unset();
        /// The machine.
        host: Option<String> = "host".zero_is_unset();
    }
}

object! {
    /// How an event repeats.
    pub struct EventSeries {
        /// How often.
        count: Option<i32> = "count".zero_is_unset();
        /// When it was last seen.
        last_observed_time: Option<MicroTime> = "lastObservedTime";
    }
}

object! {
    /// Points to an object, or to a part of it.
    pub struct ObjectReference {
        /// Its kind.
        kind: Option<String> = "kind".zero_is_unset();
        /// Its namespace.
        namespace: Option<String> = "namespace".zero_is_unset();
        /// Its name.
        name: Option<String> = "name".zero_is_unset();
        /// Its unique id.
        uid: Option<String> = "uid".zero_is_unset();
        /// Its API version.
        api_version: Option<String> = "apiVersion".zero_is_unset();
        /// Its version.
        resource_version: Option<String> = "resourceVersion".zero_is_unset();
        /// The part, as `spec.containers{app}`.
        field_path: Option<String> = "fieldPath".zero_is_unset();
    }
}
