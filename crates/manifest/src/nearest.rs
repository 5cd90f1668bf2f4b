//! "Did you mean": the nearest known name, and where a misplaced field belongs.

use std::collections::{HashSet, VecDeque};

use crate::schema::{Kind, ObjectSchema};

/// The known name that a typing error most likely stands for.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The distance of long texts costs and says nothing.
    if name.is_empty() || name.len() > 64 {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    known
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether two names differ in case, and besides that in one letter at most.
pub(crate) fn is_slip(name: &str, near: &str) -> bool {
    strsim::osa_distance(&name.to_lowercase(), &near.to_lowercase()) <= 1
}

/// The path of objects in which a field of this name exists, the shallowest first: `spec.containers[]`.
pub(crate) fn home(root: &'static ObjectSchema, name: &str) -> Option<String> {
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([(String::new(), root)]);
    while let Some((path, schema)) = queue.pop_front() {
        // What the runner writes is no place for a field of a manifest.
        if path == "status" || !seen.insert(schema.name) {
            continue;
        }
        if schema.field(name).is_some() {
            return Some(path);
        }
        // Of the fields that hold the same type the one that people mean comes first.
        let (first, rest): (Vec<_>, Vec<_>) = schema
            .fields
            .iter()
            .partition(|field| field.name == "containers");
        for field in first.into_iter().chain(rest) {
            let (kind, suffix) = match &field.kind {
                Kind::List(item) => (*item, "[]"),
                kind => (kind, ""),
            };
            if let Kind::Object(below) = kind {
                let dot = if path.is_empty() { "" } else { "." };
                queue.push_back((format!("{path}{dot}{}{suffix}", field.name), *below));
            }
        }
    }
    None
}
