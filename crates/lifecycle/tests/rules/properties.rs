//! What holds for every Pod, whatever its processes, probes and hooks do and whenever it is deleted.
//!
//! `PROPTEST_CASES` says how many Pods are tried. A failure prints the shrunken Pod and its timeline.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use lifecycle::sim::TraceEvent;
use lifecycle::{Action, Exit, Input, ProbeKind, ProbeOutcome, Role, StartFailure, Time};
use manifest::core::v1::{Pod, PodPhase, RestartPolicy};
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
    /// The newest run whose process began.
    began: BTreeMap<String, u32>,
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
    restored: bool,
    policy: RestartPolicy,
    /// The Pod with its status after each of the newest steps, the newest last.
    records: VecDeque<Pod>,
    /// A Pod that is not started again after its runner was killed.
    over: bool,
    /// Apps that had ended for good when the runner was killed.
    stay: BTreeSet<String>,
    /// Containers whose next run may leave numbers out, since the runner was killed.
    unsure: BTreeSet<String>,
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
            began: BTreeMap::new(),
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
            restored: false,
            policy: story.policy,
            records: VecDeque::new(),
            over: false,
            stay: BTreeSet::new(),
            unsure: BTreeSet::new(),
        }
    }

    /// Lets everything happen up to this time.
    fn follow(&mut self, sim: &mut Sim, until: Time) {
        let mut steps = 0;
        while sim.advance(until) {
            self.look(sim);
            self.records.push_back(sim.record());
            if self.records.len() > 4 {
                self.records.pop_front();
            }
            steps += 1;
            assert!(steps < 20_000, "never comes to rest");
        }
        sim.run_until(until);
    }

    /// What is on disk when the newest `stale` steps were not written down.
    fn recorded(&mut self, sim: &Sim, stale: usize) -> Pod {
        let older = self.records.iter().rev().nth(stale);
        let record = older
            .filter(|_| stale > 0)
            .cloned()
            .unwrap_or_else(|| sim.record());
        self.records.clear();
        let text = serde_json::to_string(&record).expect("a Pod can be written");
        serde_json::from_str(&text).expect("and read")
    }

    /// The runner was killed: all processes are gone, and what the record says holds.
    fn look_at_crash(&mut self, sim: &Sim, record: &Pod) {
        let _timeline = Timeline(sim);
        self.look_at_trace(sim);
        self.restored = true;
        self.dead.extend(std::mem::take(&mut self.live));
        // A start under way is one that the record cannot know of: it may have come to a process.
        let asked = self.outstanding.take().map(|(container, _)| container);
        self.sandbox_stopped_by_end = false;
        self.done.clear();
        self.up.clear();
        self.killing.clear();
        self.starts_after_delete.clear();
        self.unsure = self.roles.iter().map(|(name, _)| name.clone()).collect();
        let status = record.status.as_ref().expect("a status");
        self.deleted = record.metadata.deletion_timestamp.is_some();
        self.terminal = matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed));
        // R21.2.
        let never = self.policy == RestartPolicy::Never && !self.restarts_all;
        self.over = self.terminal || self.deleted || (never && !self.began.is_empty());
        self.stay.clear();
        let specs = &sim.machine().pod().spec.containers;
        for (spec, status) in specs.iter().filter_map(|spec| {
            let status = status
                .container_statuses
                .iter()
                .find(|s| s.name == spec.name)?;
            Some((spec, status))
        }) {
            let end = status
                .state
                .as_ref()
                .and_then(|state| state.terminated.as_ref());
            let policy = spec.restart_policy.unwrap_or(self.policy);
            let for_good = end.is_some_and(|end| match policy {
                RestartPolicy::Always => false,
                RestartPolicy::OnFailure => end.exit_code == 0,
                RestartPolicy::Never => true,
            });
            // An old record may not know of a run that a changed image asked for.
            let newest = self
                .began
                .get(&spec.name)
                .is_none_or(|&n| n as i32 <= status.restart_count);
            let newest = newest && asked.as_ref() != Some(&spec.name);
            if newest && for_good && !self.restarts_all && spec.restart_policy_rules.is_empty() {
                self.stay.insert(spec.name.clone());
            }
        }
        let all = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses);
        self.counts = all.map(|s| (s.name.clone(), s.restart_count)).collect();
        if self.terminal {
            assert!(sim.machine().is_finished());
            assert_eq!(sim.status(), *status);
        }
    }

    fn look(&mut self, sim: &Sim) {
        let _timeline = Timeline(sim);
        self.look_at_trace(sim);
        self.check_status(sim);
    }

    fn look_at_trace(&mut self, sim: &Sim) {
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
                TraceEvent::Restored => {}
                TraceEvent::Phase(phase) => {
                    assert!(!self.terminal, "the phase left a terminal one for {phase}");
                    self.terminal = matches!(phase.as_str(), "Succeeded" | "Failed");
                }
            }
        }
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
                self.began.insert(container.clone(), instance);
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
                let dead = self.dead.contains(&(container.clone(), instance));
                let lost = self.restored && self.live.get(&container) != Some(&instance);
                assert!(dead || lost, "removes what is not dead");
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
        assert!(
            !self.over,
            "{container} started again after the runner's end"
        );
        assert!(
            !self.stay.contains(&container),
            "{container} had ended for good"
        );
        let expected = self.next.get(&container).copied().unwrap_or(0);
        if self.unsure.remove(&container) {
            let used = self.began.get(&container).is_some_and(|&n| instance <= n);
            assert!(!used, "number of the run of {container} is used again");
            self.next.insert(container.clone(), instance);
        } else {
            assert_eq!(instance, expected, "number of the run of {container}");
        }
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

/// What is done to a Pod.
#[derive(Clone, Debug)]
enum Deed {
    /// The image of a container changes.
    Change(usize),
    /// The runner is killed; another comes after so many milliseconds. Its record is that of so many steps ago.
    Crash(u64, usize),
    Delete,
    Kill,
}

/// Lets a story happen under the eyes of a monitor.
fn play(story: &Story, crashes: &[(u64, u64, usize)]) {
    let (delete_at, grace) = (story.delete.0, story.delete.1.unwrap_or(story.grace));
    let changes = story.changes.iter().filter(|(at, _)| *at < delete_at);
    let changes = changes.map(|(at, container)| (*at, Deed::Change(*container)));
    let crashes = crashes
        .iter()
        .map(|(at, away, stale)| (*at, Deed::Crash(*away, *stale)));
    let kill = story.kill.map(|after| (delete_at + after, Deed::Kill));
    let mut deeds: Vec<_> = changes.chain(crashes).chain(kill).collect();
    deeds.push((delete_at, Deed::Delete));
    deeds.sort_by_key(|(at, _)| *at);

    let mut sim = story.builder().sim();
    let mut monitor = Monitor::new(story);
    for (at, deed) in deeds {
        monitor.follow(&mut sim, Time(at as i64));
        match deed {
            Deed::Change(container) => {
                sim.inject(changed(&sim, container, at));
                sim.inject(Input::ObjectsChanged);
            }
            Deed::Crash(away, stale) => {
                let record = monitor.recorded(&sim, stale);
                sim.crash(record.clone(), ms(away));
                monitor.look_at_crash(&sim, &record);
                sim.advance(sim.now());
            }
            Deed::Delete => delete(&mut sim, Some(grace)),
            Deed::Kill => sim.inject(Input::KillNow),
        }
        monitor.look(&sim);
    }
    if !sim.machine().is_deleting() {
        // An old record did not know of it.
        delete(&mut sim, Some(grace));
        monitor.look(&sim);
    }
    // The pass under way may start every container, each with its hooks, and may stop some with a grace
    // of their own; then the Pod's own end takes its grace and 2 s.
    let members = story.entries.len() + story.apps.len();
    let pass = Duration::from_secs(members as u64 * (3 + 8 + 14) + 14);
    let limit = sim.now() + pass + secs(14);
    monitor.follow(&mut sim, limit);
    assert!(
        sim.machine().is_finished(),
        "not finished {limit:?} after a deletion"
    );
    assert!(matches!(phase(&sim), "Succeeded" | "Failed"));
    assert_eq!(sim.machine().next_wakeup(), None);
}

fn changed(sim: &Sim, container: usize, at: u64) -> Input {
    let mut pod = sim.machine().pod().as_ref().clone();
    let inits = pod.spec.init_containers.iter_mut();
    let mut specs = inits.chain(&mut pod.spec.containers);
    if let Some(spec) = specs.nth(container) {
        spec.image = Some(format!("changed:{at}"));
    }
    Input::SpecChanged { pod: pod.into() }
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
        play(&story, &[]);
    }

    /// R1.11, R21.2: whenever its runner is killed, and however old the record is.
    #[test]
    fn every_pod_keeps_the_rules_when_its_runner_is_killed(
        story in a_story(),
        crashes in prop::collection::vec((0..100_000u64, 0..20_000u64, 0..4usize), 1..4),
    ) {
        play(&story, &crashes);
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
