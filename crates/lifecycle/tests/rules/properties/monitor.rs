//! Watches a simulation and holds the laws against what goes in and out of the machine.
//!
//! The laws are written down from the rules, not from the machine; what they need to know they keep by themselves.

use std::time::Duration;

use lifecycle::sim::TraceEvent;
use lifecycle::{Action, Exit, Input, PodEvent, Role, StartFailure, Time};
use manifest::core::v1::{Pod, PodPhase, RestartPolicy};

use super::statuses::Statuses;
use super::track::{Ended, Track};
use crate::story::Story;
use crate::support::*;

/// The laws, and what they know so far.
pub(super) struct Monitor {
    seen: usize,
    pub(super) tracks: Vec<Track>,
    /// A start that was asked for and not answered.
    pub(super) outstanding: Option<(usize, u32)>,
    policy: RestartPolicy,
    pub(super) graces: Graces,
    pub(super) deleted: bool,
    pub(super) killed: bool,
    /// The end had begun before the newest step.
    pub(super) terminating: bool,
    pub(super) restarts_all: bool,
    pub(super) sandbox: bool,
    pub(super) terminal: bool,
    pub(super) restored: bool,
    /// A Pod that is not started again after its runner was killed.
    pub(super) over: bool,
    idle_wakes: u32,
    /// By when the Pod must be over, once nothing of it is to be started again.
    must_end: Option<Time>,
    statuses: Statuses,
    broken: Option<String>,
}

/// The graces of a story.
pub(super) struct Graces {
    pub(super) least: Duration,
    pub(super) most: Duration,
    /// The longest that a pass under way and the Pod's end after it may take together.
    end: Duration,
}

impl Monitor {
    pub(super) fn new(story: &Story) -> Self {
        let spec = story.builder().spec;
        let inits = spec.init_containers.iter();
        let inits = inits.map(|c| Track::new(c, Role::of_init_entry(c), story.policy));
        let apps = spec.containers.iter();
        let apps = apps.map(|c| Track::new(c, Role::App, story.policy));
        let tracks: Vec<_> = inits.chain(apps).collect();
        let asked = story.delete.1.unwrap_or(story.grace);
        let seconds = |grace: i64| secs(grace.max(1).unsigned_abs());
        Self {
            seen: 0,
            outstanding: None,
            policy: story.policy,
            graces: Graces {
                least: secs(asked.min(story.grace).unsigned_abs()),
                most: seconds(asked.max(story.grace)),
                end: end_takes(story),
            },
            deleted: false,
            killed: false,
            terminating: false,
            restarts_all: story.restarts_all(),
            sandbox: false,
            terminal: false,
            restored: false,
            over: false,
            idle_wakes: 0,
            must_end: None,
            statuses: Statuses::new(tracks.len()),
            tracks,
            broken: None,
        }
    }

    /// Notes that a law is broken, unless one was before.
    pub(super) fn must(&mut self, holds: bool, law: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(law());
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// What was found: nothing, or the first law that was broken.
    pub(super) fn verdict(self) -> Result<(), String> {
        self.broken.map_or(Ok(()), Err)
    }

    /// Takes in what happened since the last look.
    pub(super) fn look(&mut self, sim: &Sim) {
        self.look_at_trace(sim);
        let mut statuses = std::mem::take(&mut self.statuses);
        statuses.look(self, sim);
        self.statuses = statuses;
        self.look_at_end(sim);
        self.terminating = sim.machine().is_terminating();
    }

    fn look_at_trace(&mut self, sim: &Sim) {
        let new = &sim.trace()[self.seen..];
        self.seen += new.len();
        // Waking that leads to nothing must not go on.
        let idle = new.is_empty();
        self.idle_wakes = if idle { self.idle_wakes + 1 } else { 0 };
        self.must(self.idle_wakes < 50, || "it wakes for nothing".to_owned());
        let mut stopping = None;
        for (at, event) in new {
            match event {
                TraceEvent::Input(input) => self.input(input, *at),
                TraceEvent::Action(action) => {
                    self.action(action, *at);
                    stopping = stopping.or(stops_the_pod(action).then_some(*at));
                }
                TraceEvent::Restored => {}
                TraceEvent::Phase(phase) => {
                    let was = self.terminal;
                    self.must(!was, || {
                        format!("R9.8: the phase left a terminal one for {}", phase.as_str())
                    });
                    self.terminal = matches!(phase, PodPhase::Succeeded | PodPhase::Failed);
                }
            }
        }
        if let Some(at) = stopping.filter(|_| !self.restarts_all) {
            self.look_at_stop(at);
        }
    }

    /// R7.12, R8.5: the end of the Pod begins for all its containers at the same moment.
    fn look_at_stop(&mut self, at: Time) {
        let mut late = None;
        for track in &self.tracks {
            let Some(live) = &track.live else { continue };
            let hooked = track.spec.lifecycle.as_ref();
            let hooked = hooked.is_some_and(|lifecycle| lifecycle.pre_stop.is_some());
            if live.killing.is_none() {
                late = Some(format!("R7.12: the end began without {}", track.name()));
            } else if track.role != Role::Sidecar
                && !hooked
                && live.stopping() == Some(at)
                && live.signalled.is_none()
                && !self.killed
            {
                late = Some(format!("R8.5: {} waits for its signal", track.name()));
            }
        }
        self.must(late.is_none(), || late.clone().unwrap_or_default());
    }

    /// A Pod of which nothing is to be started again ends (R4.2, R8.12, R9.4).
    fn look_at_end(&mut self, sim: &Sim) {
        let now = sim.now();
        let apps = || self.tracks.iter().filter(|t| t.role == Role::App);
        let failed = |t: &Track| t.role == Role::Init && t.is_over() && !t.done;
        // R1.2: an init that ran out of memory and gave 0 leaves its Pod Pending.
        let failed = |t: &Track| failed(t) && t.end.as_ref().is_some_and(|e| e.exit.code != 0);
        let idle = self.outstanding.is_none() && !self.restarts_all;
        let over = idle && (apps().all(Track::is_over) || self.tracks.iter().any(failed));
        if sim.machine().is_finished() || !(over || self.deleted) {
            self.must_end = None;
            return;
        }
        let by = *self.must_end.get_or_insert(now + self.graces.end);
        self.must(now <= by, || {
            "R8.12: nothing of it is to be started again, and it does not end".to_owned()
        });
    }

    /// The runner was killed: all processes are gone, and what the record says holds.
    pub(super) fn look_at_crash(&mut self, sim: &Sim, record: &Pod) {
        self.look_at_trace(sim);
        self.restored = true;
        self.sandbox = false;
        self.terminating = false;
        self.must_end = None;
        // A start under way is one that the record cannot know of: it may have come to a process.
        let asked = self.outstanding.take().map(|(i, _)| i);
        let status = record.status.clone().unwrap_or_default();
        self.deleted = record.metadata.deletion_timestamp.is_some();
        self.terminal = matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed));
        let began = self.tracks.iter().any(|t| t.began.is_some());
        // R21.2.
        let never = self.policy == RestartPolicy::Never && !self.restarts_all;
        self.over = self.terminal || self.deleted || (never && began);
        let all = status.init_container_statuses.iter();
        let all: Vec<_> = all.chain(&status.container_statuses).collect();
        for (i, track) in self.tracks.iter_mut().enumerate() {
            if let Some(live) = track.live.take() {
                track.dead.insert(live.instance);
            }
            track.done = false;
            track.up = false;
            track.end = None;
            track.ladder = Default::default();
            track.starts_after_delete = 0;
            track.unsure = true;
            let Some(status) = all.iter().find(|s| s.name == track.name()) else {
                continue;
            };
            track.count = status.restart_count;
            let state = status.state.as_ref();
            let code = state.and_then(|s| s.terminated.as_ref()?.exit_code.into());
            let ended = code.is_some_and(|code| {
                let oom_killed = false;
                !track.restarts_after(Exit {
                    code,
                    signal: None,
                    oom_killed,
                })
            });
            // An old record may not know of a run that a changed image asked for.
            let newest = track.began.is_none_or(|n| n as i32 <= status.restart_count);
            let app = track.role == Role::App && track.spec.restart_policy_rules.is_empty();
            track.stays = app && ended && newest && asked != Some(i) && !self.restarts_all;
        }
        if self.terminal {
            let same = sim.machine().is_finished() && sim.status() == status;
            self.must(same, || "R9.8: an ended Pod came back otherwise".to_owned());
        }
        self.statuses.restored(&status);
    }

    fn index(&self, name: &str) -> usize {
        let found = self.tracks.iter().position(|track| track.name() == name);
        found.unwrap_or(usize::MAX)
    }

    fn input(&mut self, input: &Input, at: Time) {
        match input {
            Input::SandboxReady { .. } => self.sandbox = true,
            Input::Started {
                container,
                instance,
                ..
            } => {
                let (i, deleted) = (self.index(container), self.deleted);
                if self.outstanding.take() != Some((i, *instance)) {
                    return;
                }
                let track = &mut self.tracks[i];
                let probed = track.spec.startup_probe.is_some() && !deleted;
                track.begin(*instance, at, !probed);
            }
            Input::StartFailed {
                container,
                instance,
                failure,
                ..
            } => {
                let i = self.index(container);
                self.outstanding = None;
                if *failure == StartFailure::RunContainerError {
                    let code = 128;
                    let exit = Exit {
                        code,
                        ..Exit::default()
                    };
                    let track = &mut self.tracks[i];
                    track.next = instance + 1;
                    track.end = Some(Ended {
                        at,
                        exit,
                        replaced: false,
                        stopped: true,
                    });
                }
            }
            Input::Exited {
                container,
                instance,
                exit,
                ..
            } => {
                let i = self.index(container);
                self.tracks[i].ended(*instance, *exit, at);
            }
            Input::ProbeDone {
                container,
                instance,
                probe,
                outcome,
                ..
            } => {
                let i = self.index(container);
                self.tracks[i].probed(*instance, *probe, *outcome);
            }
            Input::HookDone {
                container,
                instance,
                hook,
                ..
            } => {
                let i = self.index(container);
                let live = self.tracks[i].live.as_mut();
                if let Some(live) = live.filter(|live| live.instance == *instance) {
                    live.hooks.remove(hook);
                }
            }
            Input::Delete { .. } => self.delete(),
            Input::KillNow => {
                self.delete();
                self.killed = true;
            }
            Input::SpecChanged { pod } => {
                let specs = pod.spec.init_containers.iter().chain(&pod.spec.containers);
                for (track, spec) in self.tracks.iter_mut().zip(specs) {
                    // R3.5.
                    if track.spec.image != spec.image {
                        track.ladder = Default::default();
                    }
                    track.spec = spec.clone();
                }
            }
            Input::Wake
            | Input::SandboxFailed { .. }
            | Input::SandboxStopped
            | Input::ObjectsChanged
            | Input::HookFellBack { .. } => {}
        }
    }

    fn action(&mut self, action: &Action, at: Time) {
        match action {
            Action::CreateSandbox => {
                let down = !self.sandbox;
                self.must(down, || "a second sandbox".to_owned());
            }
            Action::StopSandbox => {
                self.sandbox = false;
                let live = self.tracks.iter().find(|t| t.live.is_some());
                let live = live.map(|t| t.name().to_owned());
                self.must(live.is_none(), || format!("no sandbox under {live:?}"));
            }
            Action::Start {
                container,
                instance,
            } => {
                let i = self.index(container);
                self.start(i, *instance, at);
            }
            Action::Stop {
                container,
                instance,
                ..
            } => {
                let i = self.index(container);
                self.running(i, *instance, "stop");
                self.stop(i, at);
            }
            Action::Kill {
                container,
                instance,
            } => {
                let i = self.index(container);
                self.running(i, *instance, "kill");
                self.kill(i, at);
            }
            Action::RunProbe {
                container,
                instance,
                probe,
                ..
            } => {
                let i = self.index(container);
                self.running(i, *instance, "probe");
                self.probe(i, *probe, at);
            }
            Action::RunHook {
                container,
                instance,
                hook,
                ..
            } => {
                let i = self.index(container);
                self.running(i, *instance, "hook");
                self.hook(i, *hook);
            }
            Action::CancelHook {
                container, hook, ..
            } => {
                let i = self.index(container);
                if let Some(live) = &mut self.tracks[i].live {
                    live.hooks.remove(hook);
                }
            }
            Action::Remove {
                container,
                instance,
            } => {
                let track = &self.tracks[self.index(container)];
                let dead = track.dead.contains(instance);
                let lost = self.restored && !track.lives(*instance);
                self.must(dead || lost, || "removes what is not dead".to_owned());
            }
            Action::Emit(event) => self.event(event, at),
            Action::CancelStart { .. } => {}
        }
    }

    /// R5.16: what is not started yet counts as started from now on.
    fn delete(&mut self) {
        self.deleted = true;
        for live in self.tracks.iter_mut().filter_map(|t| t.live.as_mut()) {
            live.started = true;
        }
    }

    fn running(&mut self, i: usize, instance: u32, what: &str) {
        let track = &self.tracks[i];
        let (lives, name) = (track.lives(instance), track.name().to_owned());
        self.must(lives, || format!("{what} of {name}, which does not run"));
    }

    fn event(&mut self, event: &PodEvent, at: Time) {
        if event.reason != "Killing" {
            return;
        }
        let i = self.index(event.container.as_deref().unwrap_or_default());
        if let Some(live) = self.tracks.get_mut(i).and_then(|t| t.live.as_mut()) {
            live.killing = Some((event.message.clone(), at));
        }
    }
}

/// Whether this is a container's part in the end of the whole Pod.
fn stops_the_pod(action: &Action) -> bool {
    matches!(action, Action::Emit(event)
        if event.reason == "Killing" && event.message.starts_with("Stopping"))
}

/// The pass under way may start every container, each with its hooks, and may stop some with a grace of their own;
/// then the Pod's own end takes its grace and 2 s.
pub(super) fn end_takes(story: &Story) -> Duration {
    let members = story.entries.len() + story.apps.len();
    secs(members as u64 * (3 + 8 + 14) + 14 + 14)
}
