//! What happens in a simulation, in sentences: who does what, and by which rule.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use manifest::core::v1::{Pod, PodPhase, PodStatus, RestartPolicy};
use serde::Serialize;

use super::{distance, is_ready};
use crate::container::{Role, probe_of};
use crate::plan::{self, Plan};
use crate::probe::Settings;
use crate::protocol::{Action, Exit, Input, Instance, ProbeKind, ProbeOutcome};
use crate::sim::{Scripted, Simulator, TraceEvent};
use crate::waits::WaitKind;
use crate::{Time, events, restart};

mod hooks;
mod told;

use hooks::Hooks;
pub(super) use told::told;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// Milliseconds from the beginning.
    pub at_ms: i64,
    /// The container, or `pod`.
    pub who: String,
    /// What happens to it.
    pub what: String,
    /// Why, with the rule.
    pub why: String,
    /// Whether something goes wrong.
    pub bad: bool,
}

/// A story in the making.
pub(super) struct Story {
    pod: Pod,
    plan: Plan,
    begin: Time,
    pub(super) moments: Vec<Moment>,
    /// Runs that were asked to stop, or killed.
    stopped: HashSet<(String, Instance)>,
    /// Why a container was last stopped, as its event says.
    killing: BTreeMap<String, String>,
    ended: BTreeMap<String, Time>,
    /// Failures in a row.
    failing: BTreeMap<(String, ProbeKind), u32>,
    hooks: Hooks,
    /// Whether `activeDeadlineSeconds` passed.
    too_late: bool,
}

type Sim = Simulator<Scripted>;

impl Story {
    pub(super) fn new(pod: &Pod, begin: Time) -> Self {
        Self {
            pod: pod.clone(),
            plan: plan::plan(&pod.spec),
            begin,
            moments: Vec::new(),
            stopped: HashSet::new(),
            killing: BTreeMap::new(),
            ended: BTreeMap::new(),
            failing: BTreeMap::new(),
            hooks: Hooks::default(),
            too_late: false,
        }
    }

    fn tell(
        &mut self,
        at: Time,
        who: &str,
        what: impl Into<String>,
        why: impl Into<String>,
        bad: bool,
    ) {
        self.moments.push(Moment {
            at_ms: at.0 - self.begin.0,
            who: who.to_owned(),
            what: what.into(),
            why: why.into(),
            bad,
        });
    }

    /// Goes on with what happened since it was last asked.
    pub(super) fn take_in(
        &mut self,
        news: &[(Time, TraceEvent)],
        sim: &Sim,
        before: &PodStatus,
        after: &PodStatus,
    ) {
        let begun = self.hooks_ended(news, sim);
        for (at, event) in news {
            match event {
                TraceEvent::Input(input) => self.input(*at, input, sim),
                TraceEvent::Action(action) => self.action(*at, action, sim),
                TraceEvent::Phase(phase) => self.phase(*at, *phase, after),
                TraceEvent::Restored => {}
            }
        }
        let now = sim.now();
        self.hooks_begun(now, begun);
        self.readiness(now, before, after);
        if is_ready(before) != is_ready(after) {
            let why = if is_ready(after) {
                "all sidecars and containers are ready (R10.7)".to_owned()
            } else {
                let message = after
                    .conditions
                    .iter()
                    .find(|condition| condition.type_ == "Ready");
                message
                    .and_then(|condition| condition.message.clone())
                    .unwrap_or_default()
            };
            let (what, bad) = if is_ready(after) {
                ("is Ready", false)
            } else {
                ("is not Ready", !super::has_ended(after))
            };
            self.tell(now, "pod", what, why, bad);
        }
    }

    fn input(&mut self, at: Time, input: &Input, sim: &Sim) {
        match input {
            Input::Started {
                container,
                instance,
                ..
            } => self.started(at, container, *instance),
            Input::StartFailed {
                container, failure, ..
            } => {
                let why = self.next_attempt(container, sim, at).unwrap_or_default();
                self.tell(
                    at,
                    container,
                    format!("cannot start: {}", failure.reason()),
                    why,
                    true,
                );
            }
            Input::Exited {
                container,
                instance,
                exit,
                ..
            } => self.exited(at, container, *instance, *exit, sim),
            Input::ProbeDone {
                container,
                probe,
                outcome,
                ..
            } => self.probed(at, container, *probe, *outcome),
            Input::HookDone {
                container,
                hook,
                result: Err(_),
                ..
            } => {
                let name = hooks::name(*hook);
                self.tell(at, container, format!("{name} fails"), "", true);
            }
            Input::Delete { .. } => {
                let grace = plan::span(self.plan.stops.grace_seconds.unsigned_abs());
                self.tell(
                    at,
                    "pod",
                    "is deleted",
                    format!("the grace of {grace} begins (R8.1)"),
                    false,
                );
            }
            _ => {}
        }
    }

    fn started(&mut self, at: Time, container: &str, instance: Instance) {
        self.failing.retain(|(name, _), _| name != container);
        let start = self
            .plan
            .starts
            .iter()
            .find(|start| start.container == container);
        let role = start.map_or(Role::App, |start| start.role);
        if instance == 0 {
            let gate = start.and_then(|start| start.after.last());
            let rule = match (role, gate.map(|gate| gate.milestone)) {
                (Role::App, Some(plan::Milestone::Started)) => " (R1.6)",
                (_, Some(plan::Milestone::Done)) => " (R1.2)",
                (_, Some(plan::Milestone::PostStartEnded)) => " (R1.4)",
                (_, Some(_)) => " (R1.3)",
                (_, None) => "",
            };
            let why = gate.map_or_else(
                || "it is the first".to_owned(),
                |gate| format!("{gate}{rule}"),
            );
            self.tell(at, container, "starts", why, false);
            return;
        }
        let waited = self
            .ended
            .get(container)
            .map_or(Duration::ZERO, |ended| at - *ended);
        let why = if waited < Duration::from_secs(1) {
            let by_probe = self
                .killing
                .remove(container)
                .is_some_and(|why| why.contains("probe"));
            if by_probe {
                "at once: after a probe the back-off counts from the run before (R3.8)"
            } else {
                "at once, as each first restart (R3.2)"
            }
            .to_owned()
        } else {
            self.killing.remove(container);
            format!("{} after its end (R3.2)", distance(waited))
        };
        self.tell(
            at,
            container,
            format!("starts again, restart {instance}"),
            why,
            false,
        );
    }

    fn exited(&mut self, at: Time, container: &str, instance: Instance, exit: Exit, sim: &Sim) {
        self.ended.insert(container.to_owned(), at);
        let asked = self.stopped.contains(&(container.to_owned(), instance));
        let what = match (exit.oom_killed, asked, exit.code) {
            (true, ..) => "is OOM-killed (137)".to_owned(),
            (_, true, 137) => "is dead (137)".to_owned(),
            (_, true, code) => format!("has stopped with {code}"),
            (_, false, code) => format!("ends with {code}"),
        };
        let bad = exit.code != 0 && !(asked && self.is_stopping(sim)) || exit.oom_killed;
        let why = self.consequence(container, exit, asked, sim, at);
        self.tell(at, container, what, why, bad);
    }

    /// Whether it was stopped with all others, not by a probe or a hook.
    fn ends_with_the_pod(&self, container: &str) -> bool {
        let why = self.killing.get(container);
        why.is_some_and(|why| why.starts_with("Stopping container"))
    }

    fn is_stopping(&self, sim: &Sim) -> bool {
        sim.machine().is_deleting() || super::has_ended(&sim.status())
    }

    /// What follows from an end.
    fn consequence(&self, container: &str, exit: Exit, asked: bool, sim: &Sim, at: Time) -> String {
        let spec = &self.pod.spec;
        let Some(entry) = plan::entries(spec).find(|entry| entry.name() == container) else {
            return String::new();
        };
        let failed = exit.code != 0 || exit.oom_killed;
        let policy = restart::policy(entry.container, spec);
        if sim.machine().is_deleting() {
            return "nothing is restarted in a Pod that ends (R8.10)".to_owned();
        }
        if self.too_late {
            return "nothing is restarted in a Pod past its deadline (R8.10, R16.1)".to_owned();
        }
        if asked && self.ends_with_the_pod(container) {
            return "it is not restarted: no app is left (R4.2)".to_owned();
        }
        if let Some(next) = self.next_attempt(container, sim, at) {
            return next;
        }
        let again = match entry.role {
            Role::Init if !failed => return "it has done its work (R1.2)".to_owned(),
            Role::Init => restart::init_retries_after(entry.container, spec, exit.code),
            Role::Sidecar => {
                return "a sidecar is restarted while an app runs or will run again (R4.1)"
                    .to_owned();
            }
            Role::App => restart::restarts_after(entry.container, spec, exit.code),
        };
        match (again, entry.role, policy) {
            (true, ..) => "it is started again at once".to_owned(),
            (false, Role::Init, _) => "an init container that fails ends the Pod (R2.1)".to_owned(),
            (false, _, RestartPolicy::OnFailure) => {
                "restartPolicy OnFailure: 0 is the end (R3.1)".to_owned()
            }
            (false, _, policy) => format!("restartPolicy {policy}: this is the end (R3.1)"),
        }
    }

    /// When the next attempt comes, if that is known.
    fn next_attempt(&self, container: &str, sim: &Sim, at: Time) -> Option<String> {
        let waits = sim.machine().waits(at);
        let wait = waits
            .iter()
            .find(|wait| wait.container.as_deref() == Some(container))?;
        let left = distance(wait.until()? - at);
        match wait.kind {
            WaitKind::RestartBackOff => Some(format!(
                "CrashLoopBackOff: the next start comes in {left} (R3.2)"
            )),
            WaitKind::ImageBackOff => Some(format!(
                "ImagePullBackOff: the next pull comes in {left} (R11.6)"
            )),
            WaitKind::StartRetry => Some(format!("the next attempt comes in {left}")),
            _ => None,
        }
    }

    fn probed(&mut self, at: Time, container: &str, probe: ProbeKind, outcome: ProbeOutcome) {
        let key = (container.to_owned(), probe);
        let name = probe.to_string().to_lowercase();
        if !matches!(outcome, ProbeOutcome::Failure) {
            let failed = self.failing.remove(&key).unwrap_or(0);
            if probe == ProbeKind::Startup {
                let why = "it counts as started; liveness and readiness begin (R5.7)";
                self.tell(at, container, "startup probe succeeds", why, false);
            } else if failed > 0 {
                let why = format!(
                    "after {failed} failure{} in a row",
                    if failed == 1 { "" } else { "s" }
                );
                self.tell(
                    at,
                    container,
                    format!("{name} probe succeeds again"),
                    why,
                    false,
                );
            }
            return;
        }
        let failed = self.failing.entry(key).or_insert(0);
        *failed += 1;
        let failed = *failed;
        let entry = plan::entries(&self.pod.spec).find(|entry| entry.name() == container);
        let threshold = entry.and_then(|entry| probe_of(entry.container, probe).map(Settings::of));
        let threshold = threshold.map_or(3, |settings| settings.failure_threshold);
        if failed == 1 && threshold > 1 {
            let why =
                format!("1 of {threshold} in a row that have an effect (failureThreshold, R5.6)");
            self.tell(at, container, format!("{name} probe fails"), why, true);
        }
        if failed == threshold {
            let why = match probe {
                ProbeKind::Readiness => "it is not ready, and is not restarted for that (R5.15)",
                ProbeKind::Liveness => "it is killed; then its restart policy decides (R5.14)",
                ProbeKind::Startup => "it is killed; then its restart policy decides (R5.14, R2.6)",
            };
            let times = if threshold == 1 {
                "once".to_owned()
            } else {
                format!("{threshold} times")
            };
            self.tell(at, container, format!("{name} failed {times}"), why, true);
        }
    }

    fn action(&mut self, at: Time, action: &Action, sim: &Sim) {
        match action {
            Action::Emit(event) if event.reason == "Killing" => {
                if let Some(container) = &event.container {
                    self.killing
                        .insert(container.clone(), event.message.clone());
                }
            }
            Action::Emit(event) if event.reason == events::DEADLINE_EXCEEDED => {
                self.too_late = true;
                let seconds = self.pod.spec.active_deadline_seconds.unwrap_or_default();
                let why = format!(
                    "{} after its begin, initialization included (R16.1)",
                    plan::span(seconds.unsigned_abs())
                );
                self.tell(at, "pod", "exceeds its deadline", why, true);
            }
            Action::Stop {
                container,
                instance,
                ..
            } => {
                self.stopped.insert((container.clone(), *instance));
                let why = self.why_stopped(container, sim);
                self.tell(at, container, "gets SIGTERM", why, false);
            }
            Action::Kill {
                container,
                instance,
            } => {
                self.stopped.insert((container.clone(), *instance));
                self.tell(
                    at,
                    container,
                    "gets SIGKILL",
                    "its share of the grace is used up (R8.3)",
                    true,
                );
            }
            _ => {}
        }
    }

    fn why_stopped(&self, container: &str, sim: &Sim) -> String {
        let by_itself = self
            .killing
            .get(container)
            .filter(|why| !why.starts_with("Stopping container"));
        if let Some(why) = by_itself {
            let why = why.trim_start_matches(&format!("Container {container} "));
            return format!("{why} (R8.13)");
        }
        let stop = self
            .plan
            .stops
            .order
            .iter()
            .find(|stop| stop.container == container);
        let ends = sim.machine().is_deleting() || self.too_late;
        match stop.map(|stop| stop.role) {
            Some(Role::Sidecar) if ends => {
                "its turn, or the end of the grace (R8.6, R8.8)".to_owned()
            }
            Some(Role::Sidecar) => {
                "no app runs or will run again: its turn (R4.2, R8.6)".to_owned()
            }
            _ if self.hooks.is_over(container) => "its preStop is over (R8.3)".to_owned(),
            _ if self.too_late => "past the deadline: all containers at once (R8.5)".to_owned(),
            _ => "the Pod ends: all containers at once (R8.5)".to_owned(),
        }
    }

    fn phase(&mut self, at: Time, phase: PodPhase, status: &PodStatus) {
        let why = match phase {
            PodPhase::Pending => {
                "an entry of initContainers is not done, or a container never ran (R9.1)".to_owned()
            }
            PodPhase::Running => "initialized, and a container runs (R9.2)".to_owned(),
            PodPhase::Succeeded => {
                "all containers ended with 0, sidecars do not count (R9.3, R4.5)".to_owned()
            }
            PodPhase::Failed => match &status.reason {
                Some(reason) => reason.clone(),
                None => "a container ended with another code than 0 (R9.3, R9.4)".to_owned(),
            },
            _ => String::new(),
        };
        self.tell(at, "pod", phase.to_string(), why, phase == PodPhase::Failed);
    }

    /// Containers with a readiness probe that changed their mind.
    fn readiness(&mut self, at: Time, before: &PodStatus, after: &PodStatus) {
        let ready = |status: &PodStatus, name: &str| {
            let mut all = status
                .init_container_statuses
                .iter()
                .chain(&status.container_statuses);
            all.find(|status| status.name == name)
                .is_some_and(|status| status.ready)
        };
        let names: Vec<String> = plan::entries(&self.pod.spec)
            .filter(|entry| entry.role != Role::Init && entry.container.readiness_probe.is_some())
            .map(|entry| entry.name().to_owned())
            .collect();
        for name in names {
            if !ready(before, &name) && ready(after, &name) {
                self.tell(
                    at,
                    &name,
                    "is ready",
                    "its readiness probe succeeded (R5.10)",
                    false,
                );
            }
        }
    }
}
