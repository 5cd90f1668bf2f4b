//! Environment variables and where their values come from.

use crate::quantity::Quantity;
use crate::schema::object;

object! {
    /// One environment variable.
    pub struct EnvVar {
        /// Its name.
        name: String = "name";
        /// Its value; `$(NAME)` is replaced by variables defined earlier (R18.2).
        value: Option<String> = "value".zero_is_unset();
        /// Where to take the value from instead.
        value_from: Option<EnvVarSource> = "valueFrom";
    }
}

object! {
    /// Where a value comes from; exactly one.
    pub struct EnvVarSource {
        /// A field of the Pod.
        field_ref: Option<ObjectFieldSelector> = "fieldRef";
        /// A request or limit of a container.
        resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef";
        /// A key of a ConfigMap.
        config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef";
        /// A key of a Secret.
        secret_key_ref: Option<SecretKeySelector> = "secretKeyRef";
        /// A key of an environment file in a volume.
        file_key_ref: Option<FileKeySelector> = "fileKeyRef";
    }
}

object! {
    /// A ConfigMap or Secret whose keys become environment variables.
    pub struct EnvFromSource {
        /// Put before each key.
        prefix: Option<String> = "prefix".zero_is_unset();
        /// The ConfigMap.
        config_map_ref: Option<ConfigMapEnvSource> = "configMapRef";
        /// The Secret.
        secret_ref: Option<SecretEnvSource> = "secretRef";
    }
}

object! {
    /// A ConfigMap to take variables from.
    pub struct ConfigMapEnvSource {
        /// Its name.
        name: String = "name";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A Secret to take variables from.
    pub struct SecretEnvSource {
        /// Its name.
        name: String = "name";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A field of the Pod.
    pub struct ObjectFieldSelector {
        /// Version the path is written for; default `v1`.
        api_version: Option<String> = "apiVersion".zero_is_unset();
        /// The field, as `metadata.name` or `status.podIP` (R19.6).
        field_path: String = "fieldPath";
    }
}

object! {
    /// A request or limit of a container.
    pub struct ResourceFieldSelector {
        /// The container; needed in volumes, default this one in variables.
        container_name: Option<String> = "containerName".zero_is_unset();
        /// Which, as `limits.memory` (R19.7).
        resource: String = "resource";
        /// Unit of the result; default 1.
        divisor: Option<Quantity> = "divisor";
    }
}

object! {
    /// A key of a ConfigMap.
    pub struct ConfigMapKeySelector {
        /// The ConfigMap.
        name: String = "name";
        /// The key.
        key: String = "key";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A key of a Secret.
    pub struct SecretKeySelector {
        /// The Secret.
        name: String = "name";
        /// The key.
        key: String = "key";
        /// Go on without it when it does not exist.
        optional: Option<bool> = "optional";
    }
}

object! {
    /// A key of an environment file in a volume that a container of the Pod mounts.
    pub struct FileKeySelector {
        /// The volume.
        volume_name: String = "volumeName";
        /// The file, relative to the volume; its lines are `NAME='value'` (R19.9).
        path: String = "path";
        /// The key.
        key: String = "key";
        /// Go on without the variable when the file has no such key; default false.
        optional: Option<bool> = "optional";
    }
}
