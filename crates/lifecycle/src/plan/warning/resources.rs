//! Warnings about requests and limits.

use manifest::core::v1::{PodSpec, QosClass};

use super::{Code, Warning};
use crate::container::Role;
use crate::plan::resource::lacks;
use crate::plan::{Entry, entries};

pub(super) fn warn(spec: &PodSpec, found: &mut Vec<Warning>) {
    let apps: Vec<Entry<'_>> = entries(spec)
        .filter(|entry| entry.role == Role::App)
        .collect();
    let limits = |entry: &Entry<'_>, resource| {
        let resources = entry.container.resources.as_ref();
        resources.is_some_and(|resources| resources.limits.contains_key(resource))
    };
    if apps.is_empty() || !apps.iter().all(|app| limits(app, "memory")) {
        return;
    }
    let guaranteed = apps.iter().all(|app| lacks(app).is_none());
    for sidecar in
        entries(spec).filter(|entry| entry.role == Role::Sidecar && !limits(entry, "memory"))
    {
        let falls = if guaranteed && manifest::resources::qos_class(spec) != QosClass::Guaranteed {
            ", and the Pod is not Guaranteed although its apps ask for it"
        } else {
            ""
        };
        let message = format!(
            "{} has no memory limit while all apps have one: nothing bounds the Pod{falls}",
            sidecar.name()
        );
        found.push(
            Warning::new(Code::SidecarWithoutLimits, &sidecar, sidecar.path.clone(), message)
                .why("a Pod has a limit only if all its containers have; the QoS class counts sidecars and init containers too")
                .instead("give it `resources.limits` (and equal requests, for Guaranteed)"),
        );
    }
}
