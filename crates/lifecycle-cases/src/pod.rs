//! The Pod of a scenario: defaults, validation, and what is asserted about these alone.

use manifest::core::v1::Pod;
use manifest::{Diagnostic, Object, Severity, Source, load};
use serde_json::Value;

use crate::case::{Case, Check};
use crate::outcome::Outcome;

/// What stands for the events directory.
const PLACEHOLDER: &str = "@EVENTS@";

/// The Pod as JSON, with the events directory put in.
pub(crate) fn with_events(pod: &Value, events: &str) -> String {
    pod.to_string().replace(PLACEHOLDER, events)
}

fn read(pod: &Value, events: &str) -> Result<Pod, Vec<Diagnostic>> {
    let source = Source {
        name: "pod".to_owned(),
        bytes: with_events(pod, events).into_bytes(),
    };
    let loaded = load(&[source])?;
    let pods = loaded
        .objects
        .into_iter()
        .filter_map(|object| match object {
            Object::Pod(pod) => Some(pod.object),
            _ => None,
        });
    Ok(pods.into_iter().next().unwrap_or_default())
}

/// The Pod with its defaults and a UID, or why it is refused.
pub(crate) fn accepted(case: &Case, events: &str) -> Result<Pod, String> {
    changed(&case.pod, events)
}

/// As [`accepted`], for a Pod that replaces another.
pub(crate) fn changed(pod: &Value, events: &str) -> Result<Pod, String> {
    let mut pod = read(pod, events).map_err(|errors| {
        let errors = errors.iter().filter(|e| e.severity == Severity::Error);
        let messages: Vec<&str> = errors.map(|error| error.message.as_str()).collect();
        format!("the Pod is refused: {}", messages.join("; "))
    })?;
    let metadata = &mut pod.metadata;
    metadata
        .namespace
        .get_or_insert_with(|| "default".to_owned());
    metadata
        .uid
        .get_or_insert_with(|| "00000000-0000-4000-8000-000000000000".to_owned());
    Ok(pod)
}

/// What comes of a scenario that asserts a refusal; nothing runs then.
pub(crate) fn judge_admission(case: &Case, events: &str) -> Option<Outcome> {
    let refused = |check: &Check| matches!(check, Check::Rejected { .. });
    if !case.expect.iter().any(|a| refused(&a.check)) {
        return None;
    }
    let Err(errors) = read(&case.pod, events) else {
        return Some(Outcome::Failed("the Pod was accepted".to_owned()));
    };
    for assertion in &case.expect {
        let line = assertion.line;
        let Check::Rejected { field, contains } = &assertion.check else {
            let why = format!("line {line}: of a refused Pod nothing else can be asserted");
            return Some(Outcome::Failed(why));
        };
        let text = contains.as_deref().unwrap_or_default();
        let fits = |error: &Diagnostic| {
            let about = error.message.strip_prefix(field.as_str());
            let about = about.and_then(|rest| rest.strip_prefix(':'));
            error.severity == Severity::Error && about.is_some_and(|rest| rest.contains(text))
        };
        if !errors.iter().any(fits) {
            let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
            return Some(Outcome::Failed(format!(
                "line {line}: no error on {field} with {text:?}; there are {messages:?}"
            )));
        }
    }
    Some(Outcome::Passed)
}
