//! Lets a story happen: time passes, images change, the runner is killed, the Pod is deleted.

use std::collections::VecDeque;

use lifecycle::timeline::PodTimeline;
use lifecycle::{Input, Time};
use manifest::core::v1::Pod;

use super::monitor::{Monitor, end_takes};
use crate::story::Story;
use crate::support::*;

/// The runner is killed at some millisecond; another comes after so many; its record is that of so many steps ago.
pub(super) type Crash = (u64, u64, usize);

/// What is done to a Pod.
#[derive(Clone, Debug)]
enum Deed {
    /// The image of a container changes.
    Change(usize),
    /// The runner is killed.
    Crash(u64, usize),
    Delete,
    Kill,
}

/// A driver with a fault of its own, to see that a broken law is found and told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Deletions never come to the machine.
    LosesDeletions,
}

/// A story that happens.
pub(super) struct Play {
    pub(super) sim: Sim,
    monitor: Monitor,
    fault: Option<Fault>,
    /// The Pod with its status after each of the newest steps, the newest last; kept where the runner is killed.
    records: Option<VecDeque<Pod>>,
    /// The history, kept only to be told: it costs.
    pub(super) timeline: Option<(PodTimeline, usize)>,
}

/// Says which law the story breaks, if it breaks one.
pub(super) fn play(story: &Story, crashes: &[Crash], fault: Option<Fault>) -> Result<(), String> {
    let mut play = Play::new(story, crashes, fault);
    play.run(story, crashes);
    play.monitor.verdict()
}

impl Play {
    pub(super) fn new(story: &Story, crashes: &[Crash], fault: Option<Fault>) -> Self {
        Self {
            sim: story.builder().sim(),
            monitor: Monitor::new(story),
            fault,
            records: (!crashes.is_empty()).then(VecDeque::new),
            timeline: None,
        }
    }

    /// Lets all of it happen.
    pub(super) fn run(&mut self, story: &Story, crashes: &[Crash]) {
        let (delete_at, grace) = (story.delete.0, story.delete.1.unwrap_or(story.grace));
        for (at, deed) in deeds(story, crashes) {
            self.follow(Time(at as i64));
            self.do_deed(deed, at, grace);
        }
        if !self.sim.machine().is_deleting() && !self.sim.machine().is_finished() {
            // An old record did not know of it.
            self.delete(grace);
        }
        let limit = self.sim.now().max(Time(delete_at as i64)) + end_takes(story);
        self.follow(limit);
        let machine = self.sim.machine();
        let ended = machine.is_finished() && matches!(phase(&self.sim), "Succeeded" | "Failed");
        let silent = machine.next_wakeup().is_none();
        let why = || format!("R8.2: not finished {limit:?} after its deletion");
        self.monitor.must(ended && silent, why);
    }

    fn do_deed(&mut self, deed: Deed, at: u64, grace: i64) {
        if self.monitor.is_broken() {
            return;
        }
        match deed {
            Deed::Change(container) => {
                self.sim.inject(changed(&self.sim, container, at));
                self.look();
                self.sim.inject(Input::ObjectsChanged);
            }
            Deed::Crash(away, stale) => {
                let record = self.recorded(stale);
                self.sim.crash(record.clone(), ms(away));
                self.monitor.look_at_crash(&self.sim, &record);
                self.observe(true);
                self.sim.advance(self.sim.now());
            }
            Deed::Delete => self.delete(grace),
            Deed::Kill => self.sim.inject(Input::KillNow),
        }
        self.look();
    }

    fn delete(&mut self, grace: i64) {
        if self.fault != Some(Fault::LosesDeletions) {
            delete(&mut self.sim, Some(grace));
            self.look();
        }
    }

    /// Lets everything happen up to this time.
    fn follow(&mut self, until: Time) {
        let mut steps = 0;
        while !self.monitor.is_broken() && self.sim.advance(until) {
            self.look();
            steps += 1;
            self.monitor
                .must(steps < 40_000, || "it never comes to rest".to_owned());
        }
        if !self.monitor.is_broken() {
            self.sim.run_until(until);
        }
    }

    fn look(&mut self) {
        if self.monitor.is_broken() {
            return;
        }
        self.monitor.look(&self.sim);
        if let Some(records) = &mut self.records {
            records.push_back(self.sim.record());
            if records.len() > 4 {
                records.pop_front();
            }
        }
        self.observe(false);
    }

    fn observe(&mut self, killed: bool) {
        let Some((timeline, seen)) = &mut self.timeline else {
            return;
        };
        let now = self.sim.now();
        if killed {
            timeline.interrupt(now);
        }
        timeline.observe(&self.sim.record(), now);
        for (at, event) in self.sim.events().skip(*seen) {
            *seen += 1;
            timeline.event(event, at);
        }
    }

    /// What is on disk when the newest `stale` steps were not written down.
    fn recorded(&mut self, stale: usize) -> Pod {
        let records = self.records.take().unwrap_or_default();
        let older = records.into_iter().rev().nth(stale).filter(|_| stale > 0);
        let record = older.unwrap_or_else(|| self.sim.record());
        self.records = Some(VecDeque::new());
        let text = serde_json::to_string(&record).expect("a Pod can be written");
        serde_json::from_str(&text).expect("and read")
    }
}

fn deeds(story: &Story, crashes: &[Crash]) -> Vec<(u64, Deed)> {
    let delete_at = story.delete.0;
    let changes = story.changes.iter().filter(|(at, _)| *at < delete_at);
    let changes = changes.map(|(at, container)| (*at, Deed::Change(*container)));
    let crashes = crashes.iter();
    let crashes = crashes.map(|(at, away, stale)| (*at, Deed::Crash(*away, *stale)));
    let kill = story.kill.map(|after| (delete_at + after, Deed::Kill));
    let mut deeds: Vec<_> = changes.chain(crashes).chain(kill).collect();
    deeds.push((delete_at, Deed::Delete));
    deeds.sort_by_key(|(at, _)| *at);
    deeds
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

/// A whole life with wake-ups that nobody asked for and news about nobody, beside one without: at each of these
/// milliseconds, and right after each step.
pub(super) fn undisturbed(story: &Story, at: &[u64]) -> Result<(), String> {
    let alone = whole_life(story, |_, _| {});
    let mut moments = at
        .iter()
        .map(|at| Time(*at as i64))
        .collect::<VecDeque<_>>();
    let disturbed = whole_life(story, |sim, until| {
        let now = sim.now();
        while moments.front().is_some_and(|at| *at <= now) {
            moments.pop_front();
        }
        disturb(sim);
        // Before what comes next, too.
        let next = moments.front().copied().filter(|at| *at <= until);
        if let Some(at) = next.filter(|at| next_step(sim).is_some_and(|step| step > *at)) {
            sim.run_until(at);
            disturb(sim);
        }
    });
    let (a, b) = (trace(&alone), trace(&disturbed));
    let differs = a.iter().zip(&b).find(|(a, b)| a != b);
    if let Some((a, b)) = differs {
        return Err(format!(
            "a needless wake-up made a difference: {a:?}, with it {b:?}"
        ));
    }
    if a.len() != b.len() || alone.status() != disturbed.status() {
        return Err("a needless wake-up made a difference in the end".to_owned());
    }
    Ok(())
}

fn whole_life(story: &Story, mut between: impl FnMut(&mut Sim, Time)) -> Sim {
    let (at, grace) = (Time(story.delete.0 as i64), story.delete.1);
    let mut sim = story.builder().sim();
    let mut until = |sim: &mut Sim, time: Time| {
        let mut steps = 0;
        while steps < 20_000 && sim.advance(time) {
            between(sim, time);
            steps += 1;
        }
        sim.run_until(time);
    };
    until(&mut sim, at);
    delete(&mut sim, grace);
    until(&mut sim, at + end_takes(story));
    sim
}

fn next_step(sim: &Sim) -> Option<Time> {
    use lifecycle::sim::World;
    let next = [sim.machine().next_wakeup(), sim.world().next_event()];
    next.into_iter().flatten().min()
}

const NOBODY: u32 = 9999;

fn disturb(sim: &mut Sim) {
    sim.inject(Input::Wake);
    let (container, instance) = ("a0".to_owned(), NOBODY);
    let (exit, message) = (lifecycle::Exit::default(), None);
    sim.inject(Input::Exited {
        container,
        instance,
        exit,
        message,
    });
}

/// What happened, but for the disturbances.
fn trace(sim: &Sim) -> Vec<&(Time, lifecycle::sim::TraceEvent)> {
    use lifecycle::sim::TraceEvent;
    let nobody = |event: &TraceEvent| {
        matches!(
            event,
            TraceEvent::Input(Input::Exited {
                instance: NOBODY,
                ..
            })
        )
    };
    sim.trace()
        .iter()
        .filter(|(_, event)| !nobody(event))
        .collect()
}
