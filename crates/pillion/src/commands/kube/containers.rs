//! Which container of a Pod is meant.

use manifest::core::v1::{Container, Pod};

use crate::commands::Failure;
use crate::term::Term;

/// Names the container that is meant where none was named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The container that was named, the one that the Pod declares as its default, or the first. The last is told, unless
/// `quiet`, where there are others.
pub(crate) fn choose(
    pod: &Pod,
    named: Option<&str>,
    quiet: bool,
    term: &Term,
) -> Result<String, Failure> {
    let declared = pod.metadata.annotations.get(DEFAULT_CONTAINER);
    let named = named.or(declared.map(String::as_str));
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        if names(pod).any(|known| known == name) {
            return Ok(name.to_owned());
        }
        return Err(Failure::text(format!(
            "container {name} is not valid for pod {} out of: {}",
            pod.metadata.name.as_deref().unwrap_or_default(),
            list(pod)
        )));
    }
    let first = names(pod).next().unwrap_or_default().to_owned();
    if !quiet && names(pod).count() > 1 {
        term.remark(&format!(
            "Defaulted container {first:?} out of: {}\n",
            list(pod)
        ));
    }
    Ok(first)
}

/// The container that the Pod declares as its default, if it has no such container.
pub(crate) fn unknown_default(pod: &Pod) -> Option<&str> {
    let declared = pod.metadata.annotations.get(DEFAULT_CONTAINER)?;
    let known = names(pod).any(|name| name == declared);
    (!known && !declared.is_empty()).then_some(declared)
}

/// All containers, init containers last.
pub(crate) fn all(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = &pod.spec;
    spec.containers.iter().chain(&spec.init_containers)
}

/// The names of all containers, those of init containers last.
pub(crate) fn names(pod: &Pod) -> impl Iterator<Item = &str> {
    all(pod).map(|container| container.name.as_str())
}

/// `app, side, first (init)`.
fn list(pod: &Pod) -> String {
    let apps = pod.spec.containers.iter().map(|app| app.name.clone());
    let inits = pod.spec.init_containers.iter();
    let inits = inits.map(|init| format!("{} (init)", init.name));
    apps.chain(inits).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(default: Option<&str>) -> Pod {
        let mut annotations = serde_json::Map::new();
        if let Some(name) = default {
            annotations.insert(DEFAULT_CONTAINER.into(), name.into());
        }
        serde_json::from_value(serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "annotations": annotations},
            "spec": {
                "containers": [{"name": "app"}, {"name": "side"}],
                "initContainers": [{"name": "first"}],
            },
        }))
        .expect("Pod")
    }

    #[test]
    fn the_named_the_declared_or_the_first() {
        let term = Term::new(true);
        let chosen =
            |pod: &Pod, named| choose(pod, named, true, &term).map_err(|error| error.to_string());
        assert_eq!(chosen(&pod(None), None), Ok("app".into()));
        assert_eq!(chosen(&pod(None), Some("first")), Ok("first".into()));
        assert_eq!(chosen(&pod(Some("side")), None), Ok("side".into()));
        assert_eq!(chosen(&pod(Some("side")), Some("app")), Ok("app".into()));
        assert_eq!(unknown_default(&pod(Some("side"))), None);
        assert_eq!(unknown_default(&pod(Some("gone"))), Some("gone"));
        assert_eq!(
            chosen(&pod(Some("gone")), None),
            Err("container gone is not valid for pod web out of: app, side, first (init)".into())
        );
    }
}
