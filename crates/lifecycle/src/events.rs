//! Reasons and wording of the events that the kubelet writes about a Pod.
//!
//! All of them are made here, also those that only the node can emit (what it pulls and creates), so
//! that the words stand in one place.

use std::time::Duration;

use crate::protocol::{EventKind, PodEvent, ProbeKind, StartFailure};

impl PodEvent {
    /// An event about the Pod, or about one of its containers.
    #[must_use]
    pub fn new(
        kind: EventKind,
        reason: impl Into<String>,
        message: impl Into<String>,
        container: Option<&str>,
    ) -> Self {
        Self {
            kind,
            reason: reason.into(),
            message: message.into(),
            container: container.map(str::to_owned),
        }
    }
}

fn normal(reason: &str, message: String, container: &str) -> PodEvent {
    PodEvent::new(EventKind::Normal, reason, message, Some(container))
}

fn warning(reason: &str, message: String, container: &str) -> PodEvent {
    PodEvent::new(EventKind::Warning, reason, message, Some(container))
}

/// An image pull begins; for the node.
#[must_use]
pub fn pulling(container: &str, image: &str) -> PodEvent {
    normal("Pulling", format!("Pulling image \"{image}\""), container)
}

/// An image was pulled; for the node. `waited` includes the time in the queue before `took`.
#[must_use]
pub fn pulled(
    container: &str,
    image: &str,
    took: Duration,
    waited: Duration,
    size: u64,
) -> PodEvent {
    let (took, waited) = (go_duration(took), go_duration(waited));
    let message = format!(
        "Successfully pulled image \"{image}\" in {took} ({waited} including waiting). Image size: {size} bytes."
    );
    normal("Pulled", message, container)
}

/// The image was there already; for the node.
#[must_use]
pub fn already_present(container: &str, image: &str) -> PodEvent {
    let message = format!("Container image \"{image}\" already present on machine");
    normal("Pulled", message, container)
}

/// A container was created; for the node.
#[must_use]
pub fn created(container: &str) -> PodEvent {
    normal(
        "Created",
        format!("Created container: {container}"),
        container,
    )
}

/// A container was started; the machine emits it at [`Input::Started`](crate::Input::Started).
#[must_use]
pub fn started(container: &str) -> PodEvent {
    normal(
        "Started",
        format!("Started container {container}"),
        container,
    )
}

/// Why a container could not be started: the step's own event, if it has one, then the general one.
pub(crate) fn start_failed(
    container: &str,
    image: &str,
    failure: StartFailure,
    message: &str,
) -> Vec<PodEvent> {
    use StartFailure as F;
    let own = match failure {
        F::ErrImagePull => Some((
            "Failed",
            format!("Failed to pull image \"{image}\": {message}"),
        )),
        F::ErrImageNeverPull => Some(("ErrImageNeverPull", message.to_owned())),
        F::InvalidImageName => Some((
            "InspectFailed",
            format!("Failed to apply default image tag \"{image}\": {message}"),
        )),
        F::ImageInspectError => Some((
            "InspectFailed",
            format!("Failed to inspect image \"{image}\": {message}"),
        )),
        F::CreateContainerConfigError | F::CreateContainerError | F::RunContainerError => None,
        F::Cancelled => return Vec::new(),
    };
    let general = match failure {
        F::CreateContainerConfigError | F::CreateContainerError | F::RunContainerError => message,
        _ => failure.reason(),
    };
    let general = warning("Failed", format!("Error: {general}"), container);
    let own = own.map(|(reason, message)| warning(reason, message, container));
    own.into_iter().chain([general]).collect()
}

pub(crate) fn image_back_off(container: &str, image: &str) -> PodEvent {
    let message = format!("Back-off pulling image \"{image}\"");
    PodEvent::new(EventKind::Normal, "BackOff", message, Some(container))
}

pub(crate) fn start_held_back(container: &str, reason: &str) -> PodEvent {
    warning("Failed", format!("Error: {reason}"), container)
}

pub(crate) fn restart_back_off(container: &str, pod: &str) -> PodEvent {
    let message = format!("Back-off restarting failed container {container} in pod {pod}");
    warning("BackOff", message, container)
}

pub(crate) fn killing(container: &str, message: &str) -> PodEvent {
    normal("Killing", message.to_owned(), container)
}

pub(crate) fn post_start_failed(container: &str) -> PodEvent {
    warning(
        "FailedPostStartHook",
        "PostStartHook failed".to_owned(),
        container,
    )
}

pub(crate) fn pre_stop_failed(container: &str) -> PodEvent {
    warning(
        "FailedPreStopHook",
        "PreStopHook failed".to_owned(),
        container,
    )
}

/// R7.10, upstream's `runHTTPHandler`.
pub(crate) fn hook_fell_back(container: &str, server: &str) -> PodEvent {
    let message = format!(
        "request to HTTPS lifecycle hook {server} got HTTP response, retry with HTTP succeeded"
    );
    warning("LifecycleHTTPFallback", message, container)
}

pub(crate) fn probe_failed(container: &str, probe: ProbeKind, output: &str) -> PodEvent {
    warning(
        "Unhealthy",
        format!("{probe} probe failed: {output}"),
        container,
    )
}

pub(crate) fn probe_warning(container: &str, probe: ProbeKind, output: &str) -> PodEvent {
    warning(
        "ProbeWarning",
        format!("{probe} probe warning: {output}"),
        container,
    )
}

pub(crate) fn probe_errored(container: &str, probe: ProbeKind, output: &str) -> PodEvent {
    let message = format!("{probe} probe errored and resulted in unknown state: {output}");
    warning("Unhealthy", message, container)
}

/// A new sandbox takes the place of one that is gone (R1.11).
pub(crate) fn sandbox_changed() -> PodEvent {
    let message = "Pod sandbox changed, it will be killed and re-created.";
    PodEvent::new(EventKind::Normal, "SandboxChanged", message, None)
}

pub(crate) fn deadline_exceeded() -> PodEvent {
    PodEvent::new(EventKind::Normal, DEADLINE_EXCEEDED, DEADLINE_MESSAGE, None)
}

/// `status.reason` of a Pod whose `activeDeadlineSeconds` passed (R16.1).
pub(crate) const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
/// Its `status.message`.
pub(crate) const DEADLINE_MESSAGE: &str =
    "Pod was active on the node longer than the specified deadline";

/// A duration as Go writes it, as far as delays and pulls need it: `1.5s`, `2m40s`, `250ms`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 {
            "0s".to_owned()
        } else {
            format!("{millis}ms")
        };
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let fraction = millis % 1000;
    let mut seconds = format!("{}", millis / 1000 % 60);
    if fraction > 0 {
        seconds.push('.');
        seconds.push_str(format!("{fraction:03}").trim_end_matches('0'));
    }
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (10_000, "10s"),
            (1_500, "1.5s"),
            (160_000, "2m40s"),
            (300_000, "5m0s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
