//! ConfigMap and Secret.

use std::collections::BTreeMap;

use super::enums::{ApiVersionV1, ConfigMapKind, SecretKind};
use crate::bytes::ByteString;
use crate::meta::v1::ObjectMeta;
use crate::schema::object;

object! {
    /// Configuration as keys and values.
    pub struct ConfigMap {
        /// Always `v1`.
        api_version: ApiVersionV1 = "apiVersion";
        /// Always `ConfigMap`.
        kind: ConfigMapKind = "kind";
        /// Name, labels and the like.
        metadata: ObjectMeta = "metadata";
        /// The contents never change.
        immutable: Option<bool> = "immutable";
        /// Text by key.
        data: BTreeMap<String, String> = "data";
        /// Bytes by key, base64 in manifests.
        binary_data: BTreeMap<String, ByteString> = "binaryData";
    }
}

object! {
    /// Passwords, keys and the like as keys and values.
    pub struct Secret {
        /// Always `v1`.
        api_version: ApiVersionV1 = "apiVersion";
        /// Always `Secret`.
        kind: SecretKind = "kind";
        /// Name, labels and the like.
        metadata: ObjectMeta = "metadata";
        /// The contents never change.
        immutable: Option<bool> = "immutable";
        /// Bytes by key, base64 in manifests.
        data: BTreeMap<String, ByteString> = "data";
        /// Text by key; on input only, it is put into `data` and wins there.
        string_data: BTreeMap<String, String> = "stringData";
        /// What it holds, as `kubernetes.io/tls`; default Opaque.
        type_: Option<String> = "type".zero_is_unset();
    }
}
