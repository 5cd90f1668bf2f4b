//! What each status must be in itself, and beside the one before.

use std::time::Duration;

use lifecycle::{Exit, Role, Time, WaitKind};
use manifest::core::v1::{ConditionStatus, ContainerStatus, PodCondition, PodPhase, PodStatus};

use super::monitor::Monitor;
use super::track::Track;
use crate::support::*;

/// What the statuses so far said.
#[derive(Default)]
pub(super) struct Statuses {
    conditions: Vec<PodCondition>,
    /// An app was seen to run or to have run.
    app_was_started: bool,
    containers: usize,
    /// The runner was killed since the last look.
    restored: bool,
}

impl Statuses {
    pub(super) fn new(containers: usize) -> Self {
        Self {
            containers,
            ..Self::default()
        }
    }

    /// A record was taken over; what it says of conditions holds.
    pub(super) fn restored(&mut self, record: &PodStatus) {
        self.conditions.clone_from(&record.conditions);
        self.app_was_started = false;
        self.restored = true;
    }

    pub(super) fn look(&mut self, monitor: &mut Monitor, sim: &Sim) {
        let status = sim.status();
        self.conditions(monitor, &status, sim);
        let inits = status.init_container_statuses.iter();
        let all: Vec<_> = inits.chain(&status.container_statuses).collect();
        let complete = all.len() == self.containers;
        monitor.must(complete, || "a container has no status".to_owned());
        let sorted = status
            .container_statuses
            .is_sorted_by(|a, b| a.name < b.name);
        monitor.must(sorted, || "R11.11: apps are not sorted by name".to_owned());
        for status in all {
            container(monitor, status);
        }
        outcome(monitor, &status);
        waits(monitor, sim, &status);
    }

    /// Section 10.
    fn conditions(&mut self, monitor: &mut Monitor, status: &PodStatus, sim: &Sim) {
        let now = sim.now().to_meta();
        for condition in &status.conditions {
            let kind = &condition.type_;
            let before = self.conditions.iter().find(|c| c.type_ == *kind);
            let since = match before.filter(|before| before.status == condition.status) {
                Some(before) => before.last_transition_time,
                None if before.is_some() => Some(now),
                None => condition.last_transition_time,
            };
            // What an old record did not know may have changed to and fro meanwhile.
            let unsure = self.restored && condition.last_transition_time == Some(now);
            let moved = condition.last_transition_time != since && !unsure;
            monitor.must(!moved, || {
                format!("transition time of {kind} moved without cause")
            });
        }
        let holds = |kind: &str| {
            let found = status.conditions.iter().find(|c| c.type_ == kind);
            found.is_some_and(|c| c.status == ConditionStatus::True)
        };
        let (ready, containers) = (holds("Ready"), holds("ContainersReady"));
        monitor.must(containers || !ready, || {
            "R10.7: Ready without ContainersReady".to_owned()
        });
        let unready = members(monitor, status).find(|(t, s)| t.role != Role::Init && !s.ready);
        let unready = unready.map(|(track, _)| track.name().to_owned());
        let terminal = matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed));
        monitor.must(containers == (unready.is_none() && !terminal), || {
            format!("R10.5: ContainersReady is {containers}, and {unready:?} is not ready")
        });
        monitor.must(!terminal || !ready, || "R10.6: Ready in the end".to_owned());
        let app = members(monitor, status).any(|(t, s)| {
            t.role == Role::App && s.state.as_ref().is_some_and(|s| s.running.is_some())
        });
        self.app_was_started |= app;
        let initialized = !self.app_was_started || holds("Initialized");
        monitor.must(initialized, || "R10.4: Initialized was lost".to_owned());
        let waits = status.phase == Some(PodPhase::Pending) && ready;
        monitor.must(!waits, || "a Pending Pod is Ready".to_owned());
        self.conditions.clone_from(&status.conditions);
        self.restored = false;
    }
}

fn members<'a>(
    monitor: &'a Monitor,
    status: &'a PodStatus,
) -> impl Iterator<Item = (&'a Track, &'a ContainerStatus)> {
    let inits = status.init_container_statuses.iter();
    let all = inits.chain(&status.container_statuses);
    all.filter_map(|s| Some((monitor.tracks.iter().find(|t| t.name() == s.name)?, s)))
}

/// Sections 5 and 11.
fn container(monitor: &mut Monitor, status: &ContainerStatus) {
    let (name, count) = (&status.name, status.restart_count);
    let terminal = monitor.terminal;
    let Some(i) = monitor.tracks.iter().position(|t| t.name() == name) else {
        monitor.must(false, || format!("{name} is nobody's name"));
        return;
    };
    let before = std::mem::replace(&mut monitor.tracks[i].count, count);
    monitor.must(count >= before, || {
        format!("R3.9: restartCount of {name} fell")
    });
    let state = status.state.clone().unwrap_or_default();
    let running = state.running.is_some();
    let forms = [running, state.waiting.is_some(), state.terminated.is_some()];
    let one = forms.iter().filter(|form| **form).count() == 1;
    monitor.must(one, || format!("{name} has not exactly one state"));
    let last = status.last_state.as_ref();
    let over = last.is_none_or(|last| last.terminated.is_some());
    monitor.must(over, || format!("R11.9: lastState of {name} is no end"));
    let started = status.started == Some(true);
    monitor.must(running || !started, || {
        format!("R5.9: {name} is started and does not run")
    });
    let track = &monitor.tracks[i];
    let (role, live) = (track.role, track.live.is_some());
    let ready = match role {
        Role::Init => state
            .terminated
            .as_ref()
            .is_some_and(|end| end.exit_code == 0),
        _ => started,
    };
    monitor.must(ready || !status.ready, || {
        format!("R5.10: {name} is ready and not started")
    });
    monitor.must(live || !running, || {
        format!("{name} is shown running and is not")
    });
    monitor.must(!terminal || !running, || {
        format!("R9.6: {name} runs in a terminal Pod")
    });
    let waiting = state.waiting.as_ref();
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
    monitor.must(waiting.is_none() || reason.is_some(), || {
        format!("{name} waits, no reason")
    });
    if reason == Some("CrashLoopBackOff") {
        let message = waiting
            .and_then(|w| w.message.as_deref())
            .unwrap_or_default();
        let delay = message.split(' ').nth(1).and_then(go_duration);
        let restarted = monitor.restarts_all;
        let grows = delay.is_some_and(|d| monitor.tracks[i].ladder.promise(d)) || restarted;
        monitor.must(grows, || format!("R3.2: {name} is promised {message:?}"));
        let known = last.is_some();
        monitor.must(known, || format!("R3.10: {name} backs off from no end"));
        let deleted = monitor.deleted;
        monitor.must(!deleted, || {
            format!("R11.10: {name} waits for a restart in a deleted Pod")
        });
    }
    if let Some(end) = &state.terminated {
        let order = end
            .started_at
            .zip(end.finished_at)
            .is_none_or(|(a, b)| a <= b);
        monitor.must(order, || format!("{name} ended before it started"));
    }
}

/// R9.3, R8.16: the apps' codes decide.
fn outcome(monitor: &mut Monitor, status: &PodStatus) {
    let end = |s: &ContainerStatus| Some(s.state.as_ref()?.terminated.as_ref()?.exit_code);
    let all_zero = status.container_statuses.iter().all(|s| end(s) == Some(0));
    let known = status.reason.is_none() && !monitor.restored;
    let wrong = match status.phase {
        Some(PodPhase::Succeeded) => !all_zero,
        Some(PodPhase::Failed) => known && all_zero,
        _ => false,
    };
    monitor.must(!wrong, || {
        format!("R9.3: {:?}, and all codes 0: {all_zero}", status.phase)
    });
}

/// Every wait can be explained, and what time ends is ended by a wake-up.
fn waits(monitor: &mut Monitor, sim: &Sim, status: &PodStatus) {
    let machine = sim.machine();
    if machine.is_finished() {
        let nothing = machine.next_wakeup().is_none() && machine.waits(sim.now()).is_empty();
        monitor.must(nothing, || "an ended Pod waits".to_owned());
        return;
    }
    let waits = machine.waits(sim.now());
    // R21.2: when all apps have ended for good nothing is due, be it in a Pod whose runner was killed and that ends at its
    // next pass.
    let over = members(monitor, status)
        .filter(|(track, _)| track.role == Role::App)
        .all(|(track, status)| {
            let end = status.state.as_ref().and_then(|s| s.terminated.as_ref());
            end.is_some_and(|end| {
                let exit = Exit {
                    code: end.exit_code,
                    signal: None,
                    oom_killed: false,
                };
                !track.restarts_after(exit)
            })
        });
    let active = !machine.is_terminating() && !monitor.deleted && !over;
    let whole = waits.iter().any(|wait| wait.kind == WaitKind::Sandbox);
    let mut silent = None;
    for (track, status) in members(monitor, status) {
        let told = waits
            .iter()
            .any(|w| w.container.as_deref() == Some(track.name()));
        let waiting = status.state.as_ref().is_some_and(|s| s.waiting.is_some());
        let running = status.started.is_some() && track.live.is_some();
        let unready = running && track.role != Role::Init && !status.ready && active;
        let works = running && track.role == Role::Init;
        if !told && !whole && ((active && (waiting || track.is_due())) || unready || works) {
            silent = Some(track.name().to_owned());
        }
    }
    monitor.must(silent.is_none(), || format!("{silent:?} waits for nothing"));
    let now = sim.now();
    let past = waits.iter().find(|w| w.since > now || w.text.is_empty());
    monitor.must(past.is_none(), || format!("a wait is odd: {past:?}"));
    // A pass under way ends with an input, and looks at the clock then.
    let busy = waits.iter().any(|wait| {
        use WaitKind::{PostStart, PreStop, Start, StopTurn, Termination};
        let kind = wait.kind;
        let making = kind == WaitKind::Sandbox && wait.next.is_empty();
        making || matches!(kind, PostStart | PreStop | Start | StopTurn | Termination)
    });
    let next = machine.next_wakeup();
    let asleep = waits.iter().find(|w| missed(w.until(), next, now));
    let idle = busy || monitor.deleted || asleep.is_none();
    monitor.must(idle, || format!("nobody wakes up for {asleep:?}, {next:?}"));
}

/// Whether a time that ends a wait lies ahead and no wake-up comes until then.
fn missed(until: Option<Time>, next: Option<Time>, now: Time) -> bool {
    until.is_some_and(|until| until > now && next.is_none_or(|next| next > until))
}

/// `2m40s`
fn go_duration(text: &str) -> Option<Duration> {
    let (minutes, rest) = text.split_once('m').unwrap_or(("0", text));
    let seconds: u64 = rest.strip_suffix('s')?.parse().ok()?;
    Some(secs(minutes.parse::<u64>().ok()? * 60 + seconds))
}
