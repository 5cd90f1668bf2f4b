//! Environment variables: values, or where they come from.

use manifest::core::v1::{Container, EnvVar, Pod, ResourceFieldSelector};

use super::Page;

pub(super) fn variables(page: &mut Page<'_>, pod: &Pod, container: &Container) {
    let is_none = container.env.is_empty();
    page.line(
        2,
        if is_none {
            "Environment:\t<none>"
        } else {
            "Environment:"
        },
    );
    for variable in &container.env {
        one(page, pod, container, variable);
    }
}

fn one(page: &mut Page<'_>, pod: &Pod, container: &Container, variable: &EnvVar) {
    let name = &variable.name;
    let Some(from) = &variable.value_from else {
        let value = variable.value.as_deref().unwrap_or_default();
        for (position, line) in value.split('\n').enumerate() {
            match position {
                0 => page.line(3, &format!("{name}:\t{line}")),
                _ => page.line(3, &format!("\t{line}")),
            }
        }
        return;
    };
    if let Some(field) = &from.field_ref {
        let version = field.api_version.as_deref().unwrap_or_default();
        let path = &field.field_path;
        let value = field_value(pod, path);
        page.line(3, &format!("{name}:\t{value} ({version}:{path})"));
    } else if let Some(field) = &from.resource_field_ref {
        let value = resource_value(container, field);
        page.line(3, &format!("{name}:\t{value} ({})", field.resource));
    } else if let Some(secret) = &from.secret_key_ref {
        let optional = secret.optional == Some(true);
        let from = format!("key '{}' in secret '{}'", secret.key, secret.name);
        page.line(
            3,
            &format!("{name}:\t<set to the {from}>\tOptional: {optional}"),
        );
    } else if let Some(map) = &from.config_map_key_ref {
        let optional = map.optional == Some(true);
        let from = format!("key '{}' of config map '{}'", map.key, map.name);
        page.line(
            3,
            &format!("{name}:\t<set to the {from}>\tOptional: {optional}"),
        );
    }
}

/// kubectl knows of these two only.
fn field_value(pod: &Pod, path: &str) -> String {
    let value = match path {
        "metadata.name" => pod.metadata.name.clone(),
        "metadata.namespace" => pod.metadata.namespace.clone(),
        _ => None,
    };
    value.unwrap_or_default()
}

/// Of the container itself, whichever the reference names, as kubectl does.
fn resource_value(container: &Container, field: &ResourceFieldSelector) -> String {
    let resources = container.resources.clone().unwrap_or_default();
    let resource = field.resource.as_str();
    let amount = match resource.split_once('.') {
        Some(("limits", name)) => resources.limits.get(name),
        Some(("requests", name)) => resources.requests.get(name),
        _ => return String::new(),
    };
    let divisor = field.divisor.unwrap_or_default();
    let value = amount.copied().unwrap_or_default().divided_by(divisor);
    if value == 0 && matches!(resource, "limits.cpu" | "limits.memory") {
        return "node allocatable".to_owned();
    }
    value.to_string()
}

/// Whole ConfigMaps and Secrets; nothing when there are none.
pub(super) fn sources(page: &mut Page<'_>, container: &Container) {
    if container.env_from.is_empty() {
        return;
    }
    page.line(2, "Environment Variables from:");
    for source in &container.env_from {
        let (name, kind, optional) = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), _) => (map.name.as_str(), "ConfigMap", map.optional),
            (None, Some(secret)) => (secret.name.as_str(), "Secret", secret.optional),
            (None, None) => ("", "", None),
        };
        let prefix = match source.prefix.as_deref() {
            None | Some("") => String::new(),
            Some(prefix) => format!(" with prefix '{prefix}'"),
        };
        let optional = optional == Some(true);
        page.line(3, &format!("{name}\t{kind}{prefix}\tOptional: {optional}"));
    }
}
