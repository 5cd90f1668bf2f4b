//! What holds for every Pod, whatever its processes, probes and hooks do and whenever it is deleted.
//!
//! `PROPTEST_CASES` says how many Pods are tried. A failure prints the shrunken Pod and its timeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lifecycle::sim::TraceEvent;
use lifecycle::{Action, Exit, Input, ProbeKind, ProbeOutcome, Role, StartFailure, Time};
use proptest::prelude::*;

use crate::story::{Story, a_story};
use crate::support::*;

/// Watches a simulation and holds the properties against it.
struct Monitor {
    seen: usize,
    roles: Vec<(String, Role)>,
    has_startup: BTreeSet<String>,
    live: BTreeMap<String, u32>,
    dead: BTreeSet<(String, u32)>,
    next: BTreeMap<String, u32>,
    outstanding: Option<(String, u32)>,
    done: BTreeSet<String>,
    up: BTreeSet<String>,
    counts: BTreeMap<String, i32>,
    /// Message and time of the newest `Killing` event.
    killing: BTreeMap<String, (String, Time)>,
    /// The shortest grace with which the whole Pod may stop.
    least_grace: Duration,
    starts_after_delete: BTreeMap<String, u32>,
    deleted: bool,
    idle_wakes: u32,
    restarts_all: bool,
    sandbox_stopped_by_end: bool,
    terminal: bool,
}

impl Monitor {
    fn new(story: &Story) -> Self {
        let spec = story.builder().spec;
        let entries = spec
            .init_containers
            .iter()
            .map(|c| (c.name.clone(), Role::of_init_entry(c)));
        let apps = spec.containers.iter().map(|c| (c.name.clone(), Role::App));
        let all = spec.init_containers.iter().chain(&spec.containers);
        Self {
            seen: 0,
            roles: entries.chain(apps).collect(),
            has_startup: all
                .filter(|c| c.startup_probe.is_some())
                .map(|c| c.name.clone())
                .collect(),
            live: BTreeMap::new(),
            dead: BTreeSet::new(),
            next: BTreeMap::new(),
            outstanding: None,
            done: BTreeSet::new(),
            up: BTreeSet::new(),
            counts: BTreeMap::new(),
            killing: BTreeMap::new(),
            least_grace: secs(story.delete.1.map_or(story.grace, |g| g.min(story.grace)) as u64),
            starts_after_delete: BTreeMap::new(),
            deleted: false,
            idle_wakes: 0,
            restarts_all: story.restarts_all(),
            sandbox_stopped_by_end: false,
            terminal: false,
        }
    }

    fn look(&mut self, sim: &Sim) {
        let _timeline = Timeline(sim);
        let new = sim.trace()[self.seen..].to_vec();
        self.seen = sim.trace().len();
        // Waking that leads to nothing must not go on.
        self.idle_wakes = if new.is_empty() {
            self.idle_wakes + 1
        } else {
            0
        };
        assert!(self.idle_wakes < 50, "wakes for nothing");
        for (at, event) in new {
            match event {
                TraceEvent::Input(input) => self.input(input),
                TraceEvent::Action(action) => self.action(action, at),
                TraceEvent::Phase(phase) => {
                    assert!(!self.terminal, "the phase left a terminal one for {phase}");
                    self.terminal = matches!(phase.as_str(), "Succeeded" | "Failed");
                }
            }
        }
        self.check_status(sim);
    }

    fn check_status(&mut self, sim: &Sim) {
        let status = sim.status();
        let all = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses);
        let waits = sim.machine().waits(sim.now());
        let active = !sim.machine().is_terminating() && !self.deleted;
        let sandbox_waits = waits.iter().any(|wait| wait.container.is_none());
        for status in all {
            let count = self.counts.entry(status.name.clone()).or_default();
            assert!(
                status.restart_count >= *count,
                "restartCount of {} fell",
                status.name
            );
            *count = status.restart_count;
            let state = status.state.as_ref().expect("a state");
            let told = waits
                .iter()
                .any(|w| w.container.as_deref() == Some(&status.name));
            let waiting = state.waiting.is_some() && active && phase(sim) == "Running";
            assert!(
                !waiting || told || sandbox_waits,
                "{} waits for nothing",
                status.name
            );
        }
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Started {
                container,
                instance,
                ..
            } => {
                self.outstanding = None;
                self.live.insert(container.clone(), instance);
                self.next.insert(container.clone(), instance + 1);
                if !self.has_startup.contains(&container) {
                    self.up.insert(container);
                }
            }
            Input::StartFailed {
                container,
                instance,
                failure,
                ..
            } => {
                self.outstanding = None;
                if failure == StartFailure::RunContainerError {
                    self.next.insert(container, instance + 1);
                }
            }
            Input::Exited {
                container,
                instance,
                exit,
                ..
            } => {
                self.live.remove(&container);
                self.dead.insert((container.clone(), instance));
                if exit.code == 0 && !exit.oom_killed {
                    self.done.insert(container);
                }
            }
            Input::ProbeDone {
                container,
                probe: ProbeKind::Startup,
                outcome,
                ..
            } => {
                if matches!(outcome, ProbeOutcome::Success | ProbeOutcome::Warning) {
                    self.up.insert(container);
                }
            }
            Input::Delete { .. } => self.deleted = true,
            _ => {}
        }
    }

    fn action(&mut self, action: Action, at: Time) {
        match action {
            Action::Start {
                container,
                instance,
            } => self.start(container, instance),
            Action::Stop {
                container,
                instance,
                ..
            } => {
                assert_eq!(
                    self.live.get(&container),
                    Some(&instance),
                    "stop of what does not run"
                );
                self.check_order(&container, at);
            }
            Action::Kill {
                container,
                instance,
            } => {
                assert_eq!(
                    self.live.get(&container),
                    Some(&instance),
                    "kill of what does not run"
                );
            }
            Action::RunProbe {
                container,
                instance,
                ..
            }
            | Action::RunHook {
                container,
                instance,
                ..
            } => {
                assert_eq!(
                    self.live.get(&container),
                    Some(&instance),
                    "not running: {container}"
                );
            }
            Action::Remove {
                container,
                instance,
            } => {
                assert!(
                    self.dead.contains(&(container, instance)),
                    "removes what is not dead"
                );
            }
            Action::Emit(event) if event.reason == "Killing" => {
                let container = event.container.expect("a container");
                self.killing.insert(container, (event.message, at));
            }
            Action::StopSandbox => {
                assert!(
                    self.live.is_empty(),
                    "sandbox stopped under {:?}",
                    self.live
                );
                self.sandbox_stopped_by_end = true;
            }
            Action::CreateSandbox => self.sandbox_stopped_by_end = false,
            Action::CancelStart { .. } | Action::CancelHook { .. } | Action::Emit(_) => {}
        }
    }

    fn start(&mut self, container: String, instance: u32) {
        assert!(!self.sandbox_stopped_by_end, "start without sandbox");
        assert_eq!(self.outstanding, None, "two starts at once");
        assert!(
            !self.live.contains_key(&container),
            "{container} runs already"
        );
        let expected = self.next.get(&container).copied().unwrap_or(0);
        assert_eq!(instance, expected, "number of the run of {container}");
        self.outstanding = Some((container.clone(), instance));
        if self.deleted {
            // The pass under way at the deletion goes on, and no other begins (R8.10).
            let count = self
                .starts_after_delete
                .entry(container.clone())
                .or_default();
            *count += 1;
            assert_eq!(*count, 1, "{container} started again during termination");
        }
        for (name, role) in &self.roles {
            if *name == container {
                break;
            }
            match role {
                Role::Init => assert!(
                    self.done.contains(name),
                    "{container} before {name} is done"
                ),
                Role::Sidecar => assert!(self.up.contains(name), "{container} before {name} is up"),
                Role::App => {}
            }
        }
    }

    /// R8.6: a sidecar's signal comes after the end of all apps and of the sidecar after it, or after
    /// the end of the grace.
    fn check_order(&self, container: &str, at: Time) {
        let Some((message, begun)) = self.killing.get(container) else {
            return;
        };
        let ordered = message.starts_with("Stopping");
        if !ordered || self.restarts_all {
            return;
        }
        let position = self
            .roles
            .iter()
            .position(|(name, _)| name == container)
            .expect("known");
        if self.roles[position].1 != Role::Sidecar {
            return;
        }
        let after = &self.roles[position + 1..];
        let next = after
            .iter()
            .find(|(_, role)| *role == Role::Sidecar)
            .map(|(name, _)| name);
        let apps = after
            .iter()
            .filter(|(_, role)| *role == Role::App)
            .map(|(name, _)| name);
        for other in apps.chain(next) {
            let over = at.since(*begun) >= self.least_grace;
            assert!(
                !self.live.contains_key(other) || over,
                "{container} before {other}"
            );
        }
    }
}

/// Prints the timeline when a property does not hold.
struct Timeline<'a>(&'a Sim);

impl Drop for Timeline<'_> {
    #[expect(
        clippy::print_stdout,
        reason = "shown by the test harness when a property fails"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (at, event) in self.0.trace() {
                println!("{:>8.3} {event:?}", at.0 as f64 / 1000.0);
            }
        }
    }
}

/// Lets a story happen under the eyes of a monitor.
fn play(story: &Story) {
    let mut sim = story.builder().sim();
    let mut monitor = Monitor::new(story);
    let advance = |sim: &mut Sim, monitor: &mut Monitor, until: Time| {
        let mut steps = 0;
        while sim.advance(until) {
            monitor.look(sim);
            steps += 1;
            assert!(steps < 20_000, "never comes to rest");
        }
        sim.run_until(until);
    };
    let (delete_at, grace) = (Time(story.delete.0 as i64), story.delete.1);
    for (at, container) in story.changes.iter().filter(|(at, _)| *at < story.delete.0) {
        advance(&mut sim, &mut monitor, Time(*at as i64));
        let mut pod = sim.machine().pod().as_ref().clone();
        let specs = pod
            .spec
            .init_containers
            .iter_mut()
            .chain(&mut pod.spec.containers);
        for spec in specs.skip(*container).take(1) {
            spec.image = Some(format!("changed:{at}"));
        }
        sim.inject(Input::SpecChanged { pod: pod.into() });
        sim.inject(Input::ObjectsChanged);
        monitor.look(&sim);
    }
    advance(&mut sim, &mut monitor, delete_at);
    delete(&mut sim, Some(grace.unwrap_or(story.grace)));
    monitor.look(&sim);
    if let Some(kill) = story.kill {
        advance(&mut sim, &mut monitor, delete_at + ms(kill));
        sim.inject(Input::KillNow);
        monitor.look(&sim);
    }
    // The pass under way may start every container, each with its hooks, and may stop some with a grace
    // of their own; then the Pod's own end takes its grace and 2 s.
    let members = story.entries.len() + story.apps.len();
    let pass = Duration::from_secs(members as u64 * (3 + 8 + 14) + 14);
    let limit = delete_at + pass + secs(14);
    advance(&mut sim, &mut monitor, limit);
    assert!(
        sim.machine().is_finished(),
        "not finished {limit:?} after a deletion"
    );
    assert!(matches!(phase(&sim), "Succeeded" | "Failed"));
    assert_eq!(sim.machine().next_wakeup(), None);
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 2000;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_pod_keeps_the_rules(story in a_story()) {
        play(&story);
    }

    /// Inputs that make no sense are ignored, whatever they say.
    #[test]
    fn inputs_out_of_place_do_no_harm(
        story in a_story(),
        noise in prop::collection::vec((0..60_000u64, 0..7usize, 0..4u32, 0..8u8), 0..20),
    ) {
        let mut noise = noise;
        noise.sort_unstable();
        let mut sim = story.builder().sim();
        for (at, container, instance, kind) in noise {
            let mut steps = 0;
            while sim.advance(Time(at as i64)) && steps < 20_000 {
                steps += 1;
            }
            sim.inject(out_of_place(&format!("a{container}"), instance, kind));
            let _ = (sim.status(), sim.machine().waits(sim.now()));
        }
    }
}

fn out_of_place(container: &str, instance: u32, kind: u8) -> Input {
    let container = container.to_owned();
    match kind {
        0 => Input::SandboxReady { ips: Vec::new() },
        1 => Input::SandboxStopped,
        2 => Input::Started {
            container,
            instance,
            container_id: String::new(),
            image_id: String::new(),
            image: String::new(),
        },
        3 => Input::Exited {
            container,
            instance,
            exit: Exit::default(),
            message: None,
        },
        4 => Input::ProbeDone {
            container,
            instance,
            probe: ProbeKind::Liveness,
            outcome: ProbeOutcome::Failure,
            output: String::new(),
        },
        5 => Input::HookDone {
            container,
            instance,
            hook: lifecycle::HookKind::PreStop,
            result: Ok(()),
        },
        6 => Input::Delete {
            grace_seconds: Some(i64::MAX),
        },
        _ => Input::KillNow,
    }
}
