//! STATUS, READY and RESTARTS of `kubectl get pod` (section 12), after upstream's `printPod`.

use std::time::Duration;

use manifest::core::v1::{
    ConditionStatus, ContainerState, ContainerStateTerminated, ContainerStatus, PodSpec, PodStatus,
};

use crate::Time;
use crate::container::Role;

/// What `kubectl get pod` prints about a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// `READY`, as `1/2`.
    pub ready: String,
    /// `STATUS`, as `Init:0/1`.
    pub status: String,
    /// `RESTARTS`, as `2 (10s ago)`.
    pub restarts: String,
}

/// What the walk over the containers found.
#[derive(Default)]
struct Walk {
    ready: usize,
    restarts: i64,
    /// The newest end of any container that was restarted.
    last_restart: Option<Time>,
}

impl Walk {
    fn count_restarts(&mut self, status: &ContainerStatus) {
        self.restarts += i64::from(status.restart_count);
        let last = status
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        let finished = last.and_then(|terminated| terminated.finished_at);
        self.last_restart = self
            .last_restart
            .max(finished.map(|time| Time::from(time.0)));
    }
}

/// The columns of a Pod; `deleting` is whether its deletion was asked for.
#[must_use]
pub fn columns(spec: &PodSpec, status: &PodStatus, deleting: bool, now: Time) -> Columns {
    let entries = spec
        .init_containers
        .iter()
        .map(Role::of_init_entry)
        .collect::<Vec<_>>();
    let sidecars = entries
        .iter()
        .filter(|role| **role == Role::Sidecar)
        .count();
    let total = spec.containers.len() + sidecars;
    let phase = status.phase.unwrap_or_default();
    // R12.1.
    let own = status.reason.clone().filter(|reason| !reason.is_empty());
    let mut shown = own.unwrap_or_else(|| phase.to_string());

    // Restarts of all entries while initializing, of sidecars only afterwards (R12.7); what comes after
    // the entry that decides is not looked at.
    let mut walk = Walk::default();
    let mut of_sidecars = Walk::default();
    let mut stopped = false;
    for (position, entry) in status.init_container_statuses.iter().enumerate() {
        let declared = spec
            .init_containers
            .iter()
            .position(|c| c.name == entry.name);
        let sidecar = declared.is_some_and(|i| entries[i] == Role::Sidecar);
        walk.count_restarts(entry);
        if sidecar {
            of_sidecars.count_restarts(entry);
        }
        if sidecar && entry.started == Some(true) {
            walk.ready += usize::from(entry.ready);
        } else if let Some(text) = init_state(entry) {
            shown = text.unwrap_or_else(|| format!("Init:{position}/{}", entries.len()));
            stopped = true;
            break;
        }
    }

    if !stopped || is_initialized(status) {
        let ready = walk.ready;
        walk = Walk {
            ready,
            ..of_sidecars
        };
        let mut running = false;
        // R12.3: from last to first, so that the first listed wins.
        for app in spec.containers.iter().rev() {
            let Some(app) = status
                .container_statuses
                .iter()
                .find(|s| s.name == app.name)
            else {
                continue;
            };
            walk.count_restarts(app);
            let state = app.state.as_ref();
            if let Some(text) = waiting_reason(state) {
                shown = text.to_owned();
            } else if let Some(terminated) = state.and_then(|state| state.terminated.as_ref()) {
                shown = ending(terminated);
            } else if app.ready && state.is_some_and(|state| state.running.is_some()) {
                running = true;
                walk.ready += 1;
            }
        }
        // R12.4.
        if shown == "Completed" && running {
            shown = if is_ready(status) {
                "Running"
            } else {
                "NotReady"
            }
            .to_owned();
        }
    }
    // R12.5.
    if deleting && !matches!(phase.as_str(), "Succeeded" | "Failed") {
        shown = "Terminating".to_owned();
    }
    let restarts = match walk.last_restart.filter(|_| walk.restarts != 0) {
        Some(at) => format!("{} ({} ago)", walk.restarts, human_duration(now - at)),
        None => walk.restarts.to_string(),
    };
    Columns {
        ready: format!("{}/{total}", walk.ready),
        status: shown,
        restarts,
    }
}

/// What an entry of `initContainers` contributes to STATUS (R12.2): nothing when it is done, otherwise a
/// text or its position.
fn init_state(entry: &ContainerStatus) -> Option<Option<String>> {
    let state = entry.state.as_ref();
    if let Some(terminated) = state.and_then(|state| state.terminated.as_ref()) {
        return (terminated.exit_code != 0).then(|| Some(format!("Init:{}", ending(terminated))));
    }
    let reason = waiting_reason(state).filter(|reason| *reason != "PodInitializing");
    Some(reason.map(|reason| format!("Init:{reason}")))
}

fn waiting_reason(state: Option<&ContainerState>) -> Option<&str> {
    let reason = state?.waiting.as_ref()?.reason.as_deref()?;
    Some(reason).filter(|reason| !reason.is_empty())
}

fn ending(terminated: &ContainerStateTerminated) -> String {
    match (terminated.reason.as_deref(), terminated.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", terminated.exit_code),
    }
}

fn is_initialized(status: &PodStatus) -> bool {
    holds(status, "Initialized")
}

fn is_ready(status: &PodStatus) -> bool {
    holds(status, "Ready")
}

fn holds(status: &PodStatus, kind: &str) -> bool {
    status
        .conditions
        .iter()
        .any(|c| c.type_ == kind && c.status == ConditionStatus::True)
}

/// A duration as kubectl writes ages: two units at most, and fewer the longer it is (apimachinery's
/// `HumanDuration`).
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{part}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 192 => two(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => two(years, "y", days % 365, "d"),
        () => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream;
