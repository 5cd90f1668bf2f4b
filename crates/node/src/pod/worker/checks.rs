//! Probes and hooks: tasks that ask a running container something, and report.

use std::sync::Arc;

use lifecycle::{HookKind, Input, ProbeKind, ProbeOutcome};
use manifest::core::v1::{Container, Pod};

use super::{Report, Run, Task, Worker};
use crate::pod::start::StartedContainer;
use crate::probe::Answer;
use crate::probe::http::Reached;
use crate::{hook, probe};

impl Worker {
    pub(super) fn probe(&mut self, run: Run, kind: ProbeKind, timeout: std::time::Duration) {
        let Some((container, started)) = self.target(&run) else {
            return;
        };
        let wanted = match kind {
            ProbeKind::Startup => container.startup_probe.clone(),
            ProbeKind::Liveness => container.liveness_probe.clone(),
            ProbeKind::Readiness => container.readiness_probe.clone(),
        };
        let Some(wanted) = wanted else { return };
        let (node, reporter) = (Arc::clone(&self.node), self.reporter.clone());
        let pod_ip = self.pod_ip();
        let spec = Arc::clone(&self.pod);
        let (name, instance) = run.clone();
        let task = tokio::spawn(async move {
            let answer = match &wanted.exec {
                Some(action) => {
                    let command = exec_command(&spec, &name, &action.command);
                    let (target, process) = (started.running(), started.process());
                    probe::exec::probe(node.launcher(), target, process, &command, timeout).await
                }
                None => probe::run(&wanted, &container, pod_ip, timeout).await,
            };
            let Answer {
                mut outcome,
                output,
            } = answer;
            // What failed because the container was ending is no failure of it: its end tells all.
            let failed = matches!(outcome, ProbeOutcome::Failure | ProbeOutcome::Error);
            if failed && started.running().is_ending() {
                outcome = ProbeOutcome::Ended;
            }
            let input = Input::ProbeDone {
                container: name,
                instance,
                probe: kind,
                outcome,
                output,
            };
            let _ = reporter.send(Report::Input(input));
        });
        self.tasks
            .insert((run, Task::Probe(kind)), task.abort_handle());
    }

    pub(super) fn hook(&mut self, run: Run, kind: HookKind, timeout: Option<std::time::Duration>) {
        let Some((container, started)) = self.target(&run) else {
            return;
        };
        let handler = container
            .lifecycle
            .as_ref()
            .and_then(|lifecycle| match kind {
                HookKind::PostStart => lifecycle.post_start.clone(),
                HookKind::PreStop => lifecycle.pre_stop.clone(),
            });
        let Some(handler) = handler else { return };
        let (node, reporter) = (Arc::clone(&self.node), self.reporter.clone());
        let pod_ip = self.pod_ip();
        let (name, instance) = run.clone();
        let task = tokio::spawn(async move {
            let (target, process) = (started.running(), started.process());
            let running = hook::run(
                node.launcher(),
                target,
                process,
                &handler,
                &container,
                pod_ip,
            );
            let result = match timeout {
                None => running.await,
                Some(limit) => match tokio::time::timeout(limit, running).await {
                    Ok(result) => result,
                    Err(_) => Err(format!("no end after {} s", limit.as_secs())),
                },
            };
            if let Ok(Reached::WithoutTls(server)) = &result {
                let _ = reporter.send(Report::Input(Input::HookFellBack {
                    container: name.clone(),
                    server: server.clone(),
                }));
            }
            let result = result.map(drop);
            let input = Input::HookDone {
                container: name,
                instance,
                hook: kind,
                result,
            };
            let _ = reporter.send(Report::Input(input));
        });
        self.tasks
            .insert((run, Task::Hook(kind)), task.abort_handle());
    }

    fn target(&self, run: &Run) -> Option<(Container, Arc<StartedContainer>)> {
        Some((
            self.container(&run.0)?.clone(),
            Arc::clone(self.containers.get(run)?),
        ))
    }

    fn pod_ip(&self) -> Option<std::net::IpAddr> {
        self.sandbox.as_ref()?.facts().pod_ips.first().copied()
    }
}

/// `$(NAME)` in a probe's command comes from literal variables of the container (R6.2).
fn exec_command(pod: &Pod, name: &str, command: &[String]) -> Vec<String> {
    let spec = &pod.spec;
    let container = spec
        .init_containers
        .iter()
        .chain(&spec.containers)
        .find(|c| c.name == name);
    let lookup = |name: &str| {
        let variables = &container?.env;
        let found = variables
            .iter()
            .rev()
            .find(|var| var.name == name && var.value_from.is_none())?;
        Some(found.value.clone().unwrap_or_default())
    };
    command
        .iter()
        .map(|text| crate::env::expand::expand(text, lookup))
        .collect()
}
