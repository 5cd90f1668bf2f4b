//! One declaration per API type yields the Rust struct and its row in the support table.
//!
//! The table is what strict decoding, "did you mean", warnings and `explain --support` read, so that a field cannot
//! exist in one of them and be missing in another. It says nothing about values: defaults and validation are code.

use std::collections::BTreeMap;

/// An API type: its name, what it is, and its fields.
#[derive(Debug)]
pub struct ObjectSchema {
    /// Name of the Rust type, as `PodSpec`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// Its fields, in the order of the API.
    pub fields: &'static [Field],
}

/// One field of an API type.
#[derive(Debug)]
pub struct Field {
    /// Name in manifests, as `hostIP`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Whether the API requires it.
    pub required: bool,
    /// Whether the zero value (`""`, 0, false) means the same as leaving the field out.
    pub zero_is_unset: bool,
    /// Whether this runner honours it.
    pub support: Support,
}

/// What happens to a field that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It works as in Kubernetes.
    Honoured,
    /// It is read and checked, and a warning says what it would have done (completes "it would ...").
    Warn(&'static str),
    /// It cannot work here: an error, with this hint.
    Refused(&'static str),
    /// It is planned and does nothing yet: an error, with this hint.
    Later(&'static str),
}

/// The values that a field takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    String,
    /// True or false.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// Bytes, written in base64.
    Bytes,
    /// An amount, as `500m` or `1Gi`.
    Quantity,
    /// A port by number or by name.
    IntOrString,
    /// A moment, RFC 3339.
    Time,
    /// A length of time, as `1m30s` (GEP-2257).
    Duration,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// An object with its own fields.
    Object(&'static ObjectSchema),
    /// A list.
    List(&'static Kind),
    /// Values by key.
    Map(&'static Kind),
    /// Anything; not looked into.
    Any,
}

impl Field {
    /// A field that is honoured, with what its type says about it.
    pub const fn new<T: FieldType>(name: &'static str, doc: &'static str) -> Field {
        Field {
            name,
            doc,
            kind: T::KIND,
            required: T::REQUIRED,
            zero_is_unset: false,
            support: Support::Honoured,
        }
    }

    /// A list or map that the API requires.
    #[must_use]
    pub const fn required(self) -> Field {
        Field {
            required: true,
            ..self
        }
    }

    /// The zero value counts as absent, as it does for fields that are no pointers in the API's Go types.
    #[must_use]
    pub const fn zero_is_unset(self) -> Field {
        Field {
            zero_is_unset: true,
            ..self
        }
    }

    /// Not honoured: it would do this on Kubernetes.
    #[must_use]
    pub const fn unhonoured(self, would: &'static str) -> Field {
        Field {
            support: Support::Warn(would),
            ..self
        }
    }

    /// Cannot work on one machine, for this reason.
    #[must_use]
    pub const fn refused(self, hint: &'static str) -> Field {
        Field {
            support: Support::Refused(hint),
            ..self
        }
    }

    /// Planned, and refused until it does something; the hint says what to do meanwhile.
    #[must_use]
    pub const fn later(self, hint: &'static str) -> Field {
        Field {
            support: Support::Later(hint),
            ..self
        }
    }
}

impl ObjectSchema {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A Rust type that can be the type of a field.
pub trait FieldType {
    /// What values it takes.
    const KIND: Kind;
    /// Whether a field of this type must be given.
    const REQUIRED: bool = true;
    /// Whether the value is not there, and so is left out when writing.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = false;
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: FieldType + 'static> FieldType for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    const REQUIRED: bool = false;
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: FieldType + 'static> FieldType for BTreeMap<String, T> {
    const KIND: Kind = Kind::Map(&T::KIND);
    const REQUIRED: bool = false;
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Says which kind a plain type is.
#[macro_export]
macro_rules! field_types {
    ($($ty:ty => $kind:expr),* $(,)?) => {
        $(impl $crate::schema::FieldType for $ty {
            const KIND: $crate::schema::Kind = $kind;
        })*
    };
}
pub use field_types;

field_types! {
    String => Kind::String,
    bool => Kind::Bool,
    i32 => Kind::Int32,
    i64 => Kind::Int64,
    serde_json::Value => Kind::Any,
}

/// Declares an API type: the struct with its serde behaviour, and its schema.
///
/// `name: Type = "jsonName";` for a field that is honoured; what differs follows as calls of [`Field`]'s builder
/// methods: `affinity: Option<Affinity> = "affinity".unhonoured("choose the node ...");`.
#[macro_export]
macro_rules! object {
    (
        $(#[doc = $object_doc:literal])*
        pub struct $object:ident {
            $(
                $(#[doc = $doc:literal])*
                $name:ident : $ty:ty = $json:literal $(. $with:ident ( $($argument:expr)? ))*;
            )*
        }
    ) => {
        $(#[doc = $object_doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $object {
            $(
                $(#[doc = $doc])*
                #[serde(rename = $json, skip_serializing_if = "manifest::schema::FieldType::is_absent")]
                pub $name: $ty,
            )*
        }

        impl $object {
            /// This type's part of the support table.
            pub const SCHEMA: &'static $crate::schema::ObjectSchema = &$crate::schema::ObjectSchema {
                name: stringify!($object),
                doc: concat!($($object_doc),*).trim_ascii(),
                fields: &[
                    $(
                        $crate::schema::Field::new::<$ty>($json, concat!($($doc),*).trim_ascii())
                            $(. $with ( $($argument)? ))*,
                    )*
                ],
            };
        }

        impl $crate::schema::FieldType for $object {
            const KIND: $crate::schema::Kind = $crate::schema::Kind::Object(Self::SCHEMA);
        }
    };
}
pub use object;

/// Declares a set of words: the enum, its text in both directions, and its schema.
#[macro_export]
macro_rules! enumeration {
    (
        $(#[doc = $enum_doc:literal])*
        pub enum $name:ident {
            $($(#[$meta:meta])* $variant:ident = $word:literal,)*
        }
    ) => {
        $(#[doc = $enum_doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$meta])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All words, in the order in which error messages list them.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word in manifests.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::schema::FieldType for $name {
            const KIND: $crate::schema::Kind = $crate::schema::Kind::Enum(Self::WORDS);
        }
    };
}
pub use enumeration;

/// The fields of a Pod: the root of the support table.
#[must_use]
pub fn pod_fields() -> &'static ObjectSchema {
    crate::core::v1::Pod::SCHEMA
}
