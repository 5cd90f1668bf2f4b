//! The objects that Pods refer to: ConfigMaps and Secrets.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use manifest::core::v1::{ConfigMap, Secret};

type Key = (String, String);

/// ConfigMaps and Secrets by namespace and name. Later commands may change them while Pods run.
#[derive(Debug, Default)]
pub struct Objects {
    config_maps: RwLock<HashMap<Key, Arc<ConfigMap>>>,
    secrets: RwLock<HashMap<Key, Arc<Secret>>>,
}

impl Objects {
    /// Adds or replaces a ConfigMap.
    pub fn put_config_map(&self, object: ConfigMap) {
        let key = key(
            object.metadata.namespace.as_deref(),
            object.metadata.name.as_deref(),
        );
        let mut map = self
            .config_maps
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        map.insert(key, Arc::new(object));
    }

    /// Adds or replaces a Secret.
    pub fn put_secret(&self, object: Secret) {
        let key = key(
            object.metadata.namespace.as_deref(),
            object.metadata.name.as_deref(),
        );
        let mut map = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        map.insert(key, Arc::new(object));
    }

    /// The ConfigMap of this name, if there is one.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<Arc<ConfigMap>> {
        let map = self
            .config_maps
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        map.get(&key(Some(namespace), Some(name))).cloned()
    }

    /// The Secret of this name, if there is one.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<Arc<Secret>> {
        let map = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&key(Some(namespace), Some(name))).cloned()
    }
}

fn key(namespace: Option<&str>, name: Option<&str>) -> Key {
    (
        namespace.unwrap_or("default").to_owned(),
        name.unwrap_or_default().to_owned(),
    )
}
