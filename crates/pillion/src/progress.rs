//! What a person is told while Pods run: the changes of a Pod's status, in words.
//!
//! Lines come from comparing statuses rather than from events, so that what is said is what holds.
//! Events add what a status does not show: failed probes, hooks and mounts, and kills.

use std::collections::HashMap;

use manifest::core::v1::{Container, ContainerState, ContainerStatus, Event, Pod, PodPhase};

use crate::printer::container_of;

/// How a line is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Note,
    Good,
    Bad,
}

/// A line about a container, or about the Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) container: Option<String>,
    pub(crate) mark: Mark,
    pub(crate) text: String,
    /// Whether it says why the container does not run.
    pub(crate) is_wait: bool,
}

impl Line {
    fn of_pod(mark: Mark, text: String) -> Self {
        Self {
            container: None,
            mark,
            text,
            is_wait: false,
        }
    }

    /// Of who has been waiting for long.
    pub(crate) fn waiting(container: Option<String>, text: String) -> Self {
        Self::of(container, Mark::Note, text)
    }

    fn of(container: Option<String>, mark: Mark, text: String) -> Self {
        Self {
            container,
            mark,
            text,
            is_wait: false,
        }
    }
}

/// What has been said of one Pod.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    said: HashMap<String, Said>,
    phase: Option<PodPhase>,
    warned: HashMap<(String, String), String>,
    failed_probes: HashMap<(String, String), u32>,
}

/// What has been said of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    state: String,
    ready: bool,
    /// The run whose end has been told.
    ended: Option<i32>,
    /// The run whose start has been told.
    started: Option<i32>,
    /// The run that comes next, of a container with a postStart hook, and whether it has a startup probe: its process runs
    /// before a status says so (R7.2).
    hooked: Option<(i32, bool)>,
}

impl Said {
    /// Whether it was seen running.
    fn has_run(&self) -> bool {
        self.started.is_some()
    }

    /// What its process' start is worth where no status tells of it for a while.
    fn start(&mut self) -> Option<String> {
        let (run, probed) = self.hooked?;
        self.started = Some(run);
        Some(started(run, probed))
    }
}

impl Progress {
    /// The lines that this status is worth after those before it.
    pub(crate) fn status(&mut self, pod: &Pod) -> Vec<Line> {
        let Some(status) = &pod.status else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        for container in status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
        {
            lines.extend(self.container(pod, container));
        }
        if status.phase != self.phase {
            self.phase = status.phase;
            let mark = match status.phase {
                Some(PodPhase::Succeeded) => Some((Mark::Good, "Pod Succeeded")),
                Some(PodPhase::Failed) => Some((Mark::Bad, "Pod Failed")),
                _ => None,
            };
            if let Some((mark, text)) = mark {
                let reason = match (status.reason.as_deref(), status.message.as_deref()) {
                    (Some(reason), Some(message)) => format!(": {reason}: {message}"),
                    (Some(reason), None) => format!(": {reason}"),
                    _ => String::new(),
                };
                lines.push(Line::of_pod(mark, format!("{text}{reason}")));
            }
        }
        lines
    }

    fn container(&mut self, pod: &Pod, status: &ContainerStatus) -> Vec<Line> {
        let said = self.said.entry(status.name.clone()).or_default();
        let mut lines = Vec::new();
        let mut say = |mark, text| {
            lines.push(Line::of(Some(status.name.clone()), mark, text));
        };
        let spec = spec_of(pod, &status.name);
        let (state, line) = describe(status, spec);
        let is_wait = status
            .state
            .as_ref()
            .is_some_and(|state| state.waiting.is_some());
        if state != said.state {
            // A restart may show the end of the run before only as its last state.
            if let Some((run, ended)) = missed_end(said, status) {
                say(Mark::Bad, ended);
                said.ended = Some(run);
            }
            let end = status
                .state
                .as_ref()
                .is_some_and(|state| state.terminated.is_some());
            let told = end && said.ended == Some(status.restart_count);
            if end {
                said.ended = Some(status.restart_count);
            }
            let running = status
                .state
                .as_ref()
                .is_some_and(|state| state.running.is_some());
            let told = told || (running && said.started == Some(status.restart_count));
            // Of one that has only waited the summary says that it never started.
            let unknown = end && !said.has_run();
            let untold = |text: &str| unknown && text == END_NOT_SEEN;
            if let Some((mark, text)) = line.filter(|(_, text)| !told && !untold(text)) {
                say(mark, text);
            }
            if running {
                said.started = Some(status.restart_count);
            }
            said.state = state;
        }
        let running = status
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some());
        said.hooked = hooked_run(status, spec);
        let ready = status.ready && running;
        if ready != said.ready {
            said.ready = ready;
            self.failed_probes.retain(|(of, _), _| *of != status.name);
            // A Pod that is going has its startup probes succeed (R5.16), which says nothing of the container.
            let going = pod.metadata.deletion_timestamp.is_some();
            let probes =
                spec.map(|spec| (spec.readiness_probe.is_some(), spec.startup_probe.is_some()));
            match (probes, ready) {
                _ if !running || going => {}
                (Some((true, _)), true) => say(Mark::Good, "ready".to_owned()),
                (Some((true, _)), false) => say(Mark::Bad, "not ready".to_owned()),
                (Some((false, true)), true) => {
                    say(Mark::Good, "startup probe succeeded".to_owned());
                }
                _ => {}
            }
        }
        if is_wait {
            lines.iter_mut().for_each(|line| line.is_wait = true);
        }
        lines
    }

    fn is_worth_saying(&mut self, container: Option<&str>, message: &str) -> bool {
        let probe = message.split(' ').next().unwrap_or_default();
        if probe == "Liveness" {
            return true;
        }
        let key = (container.unwrap_or_default().to_owned(), probe.to_owned());
        let failures = self.failed_probes.entry(key).or_default();
        *failures += 1;
        *failures >= PATIENCE
    }

    /// The lines that an event is worth.
    pub(crate) fn event(&mut self, event: &Event) -> Vec<Line> {
        let reason = event.reason.clone().unwrap_or_default();
        let message = event.message.clone().unwrap_or_default();
        let container = container_of(event).map(str::to_owned);
        if reason == "Started" {
            let said = container
                .as_ref()
                .and_then(|name| self.said.get_mut(name.as_str()));
            return said
                .and_then(Said::start)
                .map(|text| Line::of(container, Mark::Note, text))
                .into_iter()
                .collect();
        }
        let warning = event.type_.as_deref() == Some("Warning");
        // A status says these better.
        let told = matches!(reason.as_str(), "BackOff" | "Failed" | "DeadlineExceeded");
        if reason == "Killing" {
            // That a Pod's containers are being stopped is known; a sidecar hears of it before its turn comes.
            if message.starts_with("Stopping container") || message == "killing" {
                return Vec::new();
            }
            return vec![Line::of(container, Mark::Bad, message)];
        }
        if !warning || told {
            return Vec::new();
        }
        if reason == "Unhealthy" && !self.is_worth_saying(container.as_deref(), &message) {
            return Vec::new();
        }
        let key = (container.clone().unwrap_or_default(), reason.clone());
        if self.warned.insert(key, message.clone()).as_ref() == Some(&message) {
            return Vec::new();
        }
        vec![Line::of(
            container,
            Mark::Bad,
            format!("{reason}: {}", message.trim_end()),
        )]
    }
}

/// A container that is still starting fails its probes as a matter of course: only one that goes on failing is
/// worth a line.
const PATIENCE: u32 = 3;

/// A key that changes when there is something new to say, and what there is to say.
fn describe(
    status: &ContainerStatus,
    spec: Option<&Container>,
) -> (String, Option<(Mark, String)>) {
    let restarts = status.restart_count;
    let Some(ContainerState {
        waiting,
        running,
        terminated,
        ..
    }) = &status.state
    else {
        return (String::new(), None);
    };
    if running.is_some() {
        let probed = spec.is_some_and(|spec| spec.startup_probe.is_some());
        let text = started(restarts, probed && status.started != Some(true));
        return (format!("running {restarts}"), Some((Mark::Note, text)));
    }
    if let Some(end) = terminated {
        return (format!("terminated {restarts}"), Some(ended(end)));
    }
    let Some(waiting) = waiting else {
        return (String::new(), None);
    };
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let message = waiting.message.as_deref().unwrap_or_default();
    let line = match reason {
        "" | "ContainerCreating" | "PodInitializing" => None,
        // The pause after what was told as ErrImagePull.
        "ImagePullBackOff" => None,
        "CrashLoopBackOff" => {
            // `back-off 20s restarting failed container=...`
            let delay = message.split_whitespace().nth(1).unwrap_or("a while");
            Some((
                Mark::Bad,
                format!("CrashLoopBackOff: restart {} in {delay}", restarts + 1),
            ))
        }
        _ if message.is_empty() => Some((Mark::Bad, reason.to_owned())),
        _ => Some((Mark::Bad, format!("{reason}: {message}"))),
    };
    (format!("{reason} {restarts} {message}"), line)
}

fn started(restarts: i32, probed: bool) -> String {
    let mut text = match restarts {
        0 => "started".to_owned(),
        n => format!("started again (restart {n})"),
    };
    if probed {
        text.push_str(", waiting for its startup probe");
    }
    text
}

/// The run that starts next, and whether it has a startup probe, of a container with a postStart hook that does not run.
fn hooked_run(status: &ContainerStatus, spec: Option<&Container>) -> Option<(i32, bool)> {
    let spec = spec?;
    spec.lifecycle.as_ref()?.post_start.as_ref()?;
    let state = status.state.as_ref()?;
    let again = |state: &ContainerState| state.terminated.is_some();
    let run = if again(state) || status.last_state.as_ref().is_some_and(again) {
        status.restart_count.saturating_add(1)
    } else {
        status.restart_count
    };
    let running = state.running.is_some();
    (!running).then_some((run, spec.startup_probe.is_some()))
}

/// What is said of the kubelet's words for a container of which it never saw an end.
const END_NOT_SEEN: &str = "its end was not seen";

fn ended(end: &manifest::core::v1::ContainerStateTerminated) -> (Mark, String) {
    let reason = end.reason.as_deref().unwrap_or_default();
    let code = end.exit_code;
    let mark = if code == 0 { Mark::Note } else { Mark::Bad };
    let text = match (code, reason) {
        (0, "Completed") => "exited with code 0".to_owned(),
        (_, "Error" | "") => format!("exited with code {code}{}", signal_name(code)),
        (_, "ContainerStatusUnknown") => END_NOT_SEEN.to_owned(),
        (_, _) => format!("exited with code {code}: {reason}"),
    };
    match end.message.as_deref().filter(|_| reason == "StartError") {
        Some(message) => (mark, format!("{text}: {message}")),
        None => (mark, text),
    }
}

/// The end of a run that no status showed by itself, because the next run was there at once.
fn missed_end(said: &Said, status: &ContainerStatus) -> Option<(i32, String)> {
    let last = status.last_state.as_ref()?.terminated.as_ref()?;
    let state = status.state.as_ref()?;
    // A new run has counted up already, a wait for it has not.
    let run = if state.running.is_some() {
        status.restart_count - 1
    } else {
        status.restart_count
    };
    let was_running = said.state == format!("running {run}");
    (was_running && state.terminated.is_none()).then(|| (run, ended(last).1))
}

/// What a code over 128 usually means.
fn signal_name(code: i32) -> &'static str {
    match code {
        130 => " (SIGINT)",
        134 => " (SIGABRT)",
        137 => " (SIGKILL)",
        139 => " (SIGSEGV)",
        141 => " (SIGPIPE)",
        143 => " (SIGTERM)",
        _ => "",
    }
}

fn spec_of<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    let spec = &pod.spec;
    spec.init_containers
        .iter()
        .chain(&spec.containers)
        .find(|container| container.name == name)
}

#[cfg(test)]
mod tests;
