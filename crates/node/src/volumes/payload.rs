//! The files of configMap, secret, downwardAPI and projected volumes.

use std::collections::BTreeMap;

use manifest::core::v1::{Container, DownwardApiVolumeFile, KeyToPath, Volume};

use super::Context;
use super::projection::{Payload, ProjectedFile};
use crate::env;

const DEFAULT_MODE: i32 = 0o644;

/// The files of a volume; nothing for a volume of another kind.
pub(super) fn of(context: &Context<'_>, volume: &Volume) -> Result<Option<Payload>, String> {
    if let Some(source) = &volume.config_map {
        let files = config_map(
            context,
            &source.name,
            source.optional,
            &source.items,
            source.default_mode,
        )?;
        return Ok(Some(files));
    }
    if let Some(source) = &volume.secret {
        let files = secret(
            context,
            &source.secret_name,
            source.optional,
            &source.items,
            source.default_mode,
        )?;
        return Ok(Some(files));
    }
    if let Some(source) = &volume.downward_api {
        return downward(context, &source.items, source.default_mode).map(Some);
    }
    let Some(source) = &volume.projected else {
        return Ok(None);
    };
    let mut files = Payload::new();
    for part in &source.sources {
        if let Some(part) = &part.config_map {
            files.extend(config_map(
                context,
                &part.name,
                part.optional,
                &part.items,
                source.default_mode,
            )?);
        }
        if let Some(part) = &part.secret {
            files.extend(secret(
                context,
                &part.name,
                part.optional,
                &part.items,
                source.default_mode,
            )?);
        }
        if let Some(part) = &part.downward_api {
            files.extend(downward(context, &part.items, source.default_mode)?);
        }
    }
    Ok(Some(files))
}

fn namespace<'a>(context: &'a Context<'_>) -> &'a str {
    context
        .pod
        .metadata
        .namespace
        .as_deref()
        .unwrap_or("default")
}

fn config_map(
    context: &Context<'_>,
    name: &str,
    optional: Option<bool>,
    items: &[KeyToPath],
    default_mode: Option<i32>,
) -> Result<Payload, String> {
    let optional = optional == Some(true);
    let object = context.objects.config_map(namespace(context), name);
    if object.is_none() && !optional {
        return Err(format!("configmap \"{name}\" not found"));
    }
    let mut data: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    if let Some(object) = object {
        data.extend(
            object
                .data
                .iter()
                .map(|(key, text)| (key.clone(), text.clone().into_bytes())),
        );
        data.extend(
            object
                .binary_data
                .iter()
                .map(|(key, bytes)| (key.clone(), bytes.0.clone())),
        );
    }
    chosen("configmap", &data, items, default_mode, optional)
}

fn secret(
    context: &Context<'_>,
    name: &str,
    optional: Option<bool>,
    items: &[KeyToPath],
    default_mode: Option<i32>,
) -> Result<Payload, String> {
    let optional = optional == Some(true);
    let object = context.objects.secret(namespace(context), name);
    if object.is_none() && !optional {
        return Err(format!("secret \"{name}\" not found"));
    }
    let data = object.map(|object| {
        object
            .data
            .iter()
            .map(|(key, bytes)| (key.clone(), bytes.0.clone()))
            .collect()
    });
    chosen(
        "secret",
        &data.unwrap_or_default(),
        items,
        default_mode,
        optional,
    )
}

/// R19.3: all keys, or those that `items` names.
fn chosen(
    kind: &str,
    data: &BTreeMap<String, Vec<u8>>,
    items: &[KeyToPath],
    default_mode: Option<i32>,
    optional: bool,
) -> Result<Payload, String> {
    if items.is_empty() {
        return Ok(data
            .iter()
            .map(|(key, bytes)| (key.clone(), file(bytes.clone(), None, default_mode)))
            .collect());
    }
    let mut files = Payload::new();
    for item in items {
        match data.get(&item.key) {
            Some(bytes) => {
                files.insert(
                    item.path.clone(),
                    file(bytes.clone(), item.mode, default_mode),
                );
            }
            None if optional => {}
            None => {
                return Err(format!(
                    "{kind} references non-existent {}key: {}",
                    key_word(kind),
                    item.key
                ));
            }
        }
    }
    Ok(files)
}

fn key_word(kind: &str) -> &'static str {
    if kind == "configmap" {
        "config "
    } else {
        "secret "
    }
}

fn file(bytes: Vec<u8>, mode: Option<i32>, default_mode: Option<i32>) -> ProjectedFile {
    let mode = mode.or(default_mode).unwrap_or(DEFAULT_MODE);
    ProjectedFile {
        bytes,
        mode: u32::try_from(mode).unwrap_or(0o644) & 0o7777,
    }
}

fn downward(
    context: &Context<'_>,
    items: &[DownwardApiVolumeFile],
    default_mode: Option<i32>,
) -> Result<Payload, String> {
    let mut files = Payload::new();
    // A resource reference in a volume names its container.
    let nobody = Container::default();
    for item in items {
        let value = if let Some(reference) = &item.field_ref {
            env::field(context.pod, context.facts, &reference.field_path)
        } else if let Some(reference) = &item.resource_field_ref {
            env::resource(context.pod, &nobody, context.facts, reference)
        } else {
            Ok(String::new())
        };
        let value = value.map_err(|error| error.to_string())?;
        files.insert(
            item.path.clone(),
            file(value.into_bytes(), item.mode, default_mode),
        );
    }
    Ok(files)
}
