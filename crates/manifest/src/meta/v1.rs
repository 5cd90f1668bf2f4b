//! Version 1 of the meta group: metadata, label selectors, moments.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::schema::{Kind, field_types, object};

/// A moment, written in RFC 3339 with whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

/// A moment, written in RFC 3339 with microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(pub Timestamp);

field_types! { Time => Kind::Time, MicroTime => Kind::Time }

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S.%6fZ"))
    }
}

/// Text in both directions through `Display` and RFC 3339.
macro_rules! moments {
    ($($name:ident),*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map($name).map_err(D::Error::custom)
                }
            }

            impl From<Timestamp> for $name {
                fn from(moment: Timestamp) -> Self {
                    $name(moment)
                }
            }
        )*
    };
}

moments!(Time, MicroTime);

object! {
    /// What every object has: name, labels, and what the system keeps about it.
    pub struct ObjectMeta {
        /// Name, unique for its kind in its namespace.
        name: Option<String> = "name".zero_is_unset();
        /// Beginning of a name to be made up when `name` is not given.
        generate_name: Option<String> = "generateName".zero_is_unset();
        /// Namespace; default `default`.
        namespace: Option<String> = "namespace".zero_is_unset();
        /// Not used any more.
        self_link: Option<String> = "selfLink".zero_is_unset();
        /// Unique id, given by the system.
        uid: Option<String> = "uid".zero_is_unset();
        /// Version of the object, given by the system.
        resource_version: Option<String> = "resourceVersion".zero_is_unset();
        /// Counts changes of the spec.
        generation: Option<i64> = "generation".zero_is_unset();
        /// When it was created.
        creation_timestamp: Option<Time> = "creationTimestamp";
        /// When it is to be gone; set once its deletion was asked for.
        deletion_timestamp: Option<Time> = "deletionTimestamp";
        /// Seconds it was given to end.
        deletion_grace_period_seconds: Option<i64> = "deletionGracePeriodSeconds";
        /// Keys and values by which objects are selected.
        labels: BTreeMap<String, String> = "labels";
        /// Keys and values for tools.
        annotations: BTreeMap<String, String> = "annotations";
        /// Objects it belongs to.
        owner_references: Vec<OwnerReference> = "ownerReferences".unhonoured("delete this object along with its owners");
        /// What must be done before it is gone.
        finalizers: Vec<String> = "finalizers".unhonoured("hold the deletion back until each is removed");
        /// Which tool set which field.
        managed_fields: Vec<ManagedFieldsEntry> = "managedFields";
    }
}

object! {
    /// An object that this one belongs to.
    pub struct OwnerReference {
        /// Its API version.
        api_version: String = "apiVersion";
        /// Its kind.
        kind: String = "kind";
        /// Its name.
        name: String = "name";
        /// Its unique id.
        uid: String = "uid";
        /// Whether it is the one that manages this object.
        controller: Option<bool> = "controller";
        /// Whether it stays until this object is gone.
        block_owner_deletion: Option<bool> = "blockOwnerDeletion";
    }
}

object! {
    /// Which fields one tool set.
    pub struct ManagedFieldsEntry {
        /// The tool.
        manager: Option<String> = "manager".zero_is_unset();
        /// Apply or Update.
        operation: Option<String> = "operation".zero_is_unset();
        /// Version of the API it used.
        api_version: Option<String> = "apiVersion".zero_is_unset();
        /// When.
        time: Option<Time> = "time";
        /// Format of `fieldsV1`.
        fields_type: Option<String> = "fieldsType".zero_is_unset();
        /// The fields.
        fields_v1: Option<serde_json::Value> = "fieldsV1";
        /// Subresource through which it set them.
        subresource: Option<String> = "subresource".zero_is_unset();
    }
}

object! {
    /// Selects objects by their labels; all requirements must hold.
    pub struct LabelSelector {
        /// Labels and the values they must have.
        match_labels: BTreeMap<String, String> = "matchLabels";
        /// Further requirements.
        match_expressions: Vec<LabelSelectorRequirement> = "matchExpressions";
    }
}

object! {
    /// One requirement on labels.
    pub struct LabelSelectorRequirement {
        /// The label.
        key: String = "key";
        /// In, NotIn, Exists or DoesNotExist.
        operator: String = "operator";
        /// What to compare with.
        values: Vec<String> = "values";
    }
}
