//! How a run ended: the exit code, and for what failed which container, why, and its last lines.

use std::fmt::Write;
use std::sync::Arc;

use manifest::core::v1::{ContainerStateTerminated, Pod, PodPhase, RestartPolicy};

use crate::exit::{self, Exit};
use crate::printer::Tails;

/// The exit code of a run whose Pods have all ended by themselves.
pub(crate) fn exit_code(pods: &[Arc<Pod>]) -> Exit {
    let failed = |pod: &&Pod| phase(pod) != Some(PodPhase::Succeeded);
    let Some(first) = pods
        .iter()
        .map(|pod| &**pod)
        .filter(failed)
        .flat_map(failed_apps)
        .min_by_key(|end| end.1.finished_at)
    else {
        let all_well = pods
            .iter()
            .all(|pod| phase(pod) == Some(PodPhase::Succeeded));
        return if all_well {
            exit::SUCCESS
        } else {
            exit::FAILURE
        };
    };
    Exit::of_container(first.1.exit_code)
}

/// The exit code of one container, whatever became of the others.
pub(crate) fn exit_code_from(pods: &[Arc<Pod>], container: &str) -> Option<Exit> {
    pods.iter().find_map(|pod| {
        let status = pod.status.as_ref()?;
        let found = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses)
            .find(|status| status.name == container)?;
        let end = |state: &Option<manifest::core::v1::ContainerState>| {
            state.as_ref().and_then(|state| state.terminated.clone())
        };
        let end = end(&found.state).or_else(|| end(&found.last_state))?;
        Some(Exit::of_container(end.exit_code))
    })
}

/// What to say of the Pods that did not succeed; empty when there is nothing to say.
pub(crate) fn failures(pods: &[Arc<Pod>], tails: &Tails) -> String {
    let mut text = String::new();
    for pod in pods
        .iter()
        .filter(|pod| phase(pod) == Some(PodPhase::Failed))
    {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let status = pod.status.as_ref();
        let reason = status.and_then(|status| status.reason.as_deref());
        let _ = match reason {
            Some(reason) => writeln!(text, "Pod {name} failed: {reason}"),
            None => writeln!(text, "Pod {name} failed"),
        };
        for (container, end) in failed_containers(pod) {
            if end.reason.as_deref() == Some("ContainerStatusUnknown") {
                let why = tails.last_wait(name, &container);
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                let _ = writeln!(text, "  container {container}: never started{why}");
                continue;
            }
            let reason = end.reason.as_deref().unwrap_or("Error");
            let _ = writeln!(
                text,
                "  container {container}: exit code {} ({reason})",
                end.exit_code
            );
            if let Some(message) = end.message.as_deref().filter(|message| !message.is_empty()) {
                for line in message.lines() {
                    let _ = writeln!(text, "    message: {line}");
                }
            }
            let lines = tails.last_lines(name, &container);
            if !lines.is_empty() {
                let _ = writeln!(text, "    last lines:");
            }
            for line in lines {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
    text
}

fn phase(pod: &Pod) -> Option<PodPhase> {
    pod.status.as_ref()?.phase
}

fn failed_apps(pod: &Pod) -> Vec<(String, ContainerStateTerminated)> {
    let Some(status) = &pod.status else {
        return Vec::new();
    };
    ends(&status.container_statuses)
}

/// Apps, and those init containers that made the Pod fail; a sidecar's code never does (R4.5).
fn failed_containers(pod: &Pod) -> Vec<(String, ContainerStateTerminated)> {
    let Some(status) = &pod.status else {
        return Vec::new();
    };
    let is_sidecar = |name: &str| {
        pod.spec.init_containers.iter().any(|container| {
            container.name == name && container.restart_policy == Some(RestartPolicy::Always)
        })
    };
    let mut failed = ends(&status.init_container_statuses);
    failed.retain(|(name, _)| !is_sidecar(name));
    failed.extend(ends(&status.container_statuses));
    failed
}

fn ends(
    statuses: &[manifest::core::v1::ContainerStatus],
) -> Vec<(String, ContainerStateTerminated)> {
    statuses
        .iter()
        .filter_map(|status| {
            let end = status.state.as_ref()?.terminated.clone()?;
            (end.exit_code != 0).then(|| (status.name.clone(), end))
        })
        .collect()
}

#[cfg(test)]
mod tests;
