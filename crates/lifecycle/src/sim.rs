//! The simulator: a machine in a world without processes, on a clock that jumps.
//!
//! A [`World`] stands where the node stands: it is handed the machine's actions and answers with inputs
//! when their time comes. [`Scripted`] is a world whose processes do what data says; another world may
//! interpret real scripts. Nothing here waits: a day of a Pod's life takes as long as its events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use manifest::core::v1::{Pod, PodPhase, PodStatus};

use crate::protocol::{Action, Input, Instance, PodEvent};
use crate::{Handover, Machine, Options, Time};

mod scripted;

pub use scripted::{Hook, OnTerm, Probe, Run, Script, Scripted};

/// What carries out a machine's actions.
pub trait World {
    /// Takes an action in. Its answer comes later, even when it takes no time.
    fn perform(&mut self, action: &Action, now: Time);

    /// When the next input is due.
    fn next_event(&self) -> Option<Time>;

    /// The next input that is due at `now`, if there is one.
    fn take_input(&mut self, now: Time) -> Option<Input>;

    /// The runner dies: no process is left and nothing that was due comes. Says which run of each container was
    /// the newest that had begun, whether anybody was told of it or not.
    fn lose_all(&mut self) -> BTreeMap<String, Instance>;

    /// The runner is started again: processes run on, and nobody waits for probes that were under way.
    fn lose_probes(&mut self);
}

/// Something that happened in a simulation.
#[derive(Clone, Debug, PartialEq)]
pub enum TraceEvent {
    /// The machine was told this. Wake-ups are left out.
    Input(Input),
    /// The machine asked for this.
    Action(Action),
    /// The phase that the status shows is now this.
    Phase(PodPhase),
    /// The runner died with all it had started, and another took the Pod over.
    Restored,
}

/// A machine, a world, and what happened between them.
pub struct Simulator<W> {
    machine: Machine,
    world: W,
    now: Time,
    trace: Vec<(Time, TraceEvent)>,
    wakeups: u64,
}

impl<W: World> Simulator<W> {
    /// A Pod that is accepted at time 0.
    pub fn new(pod: impl Into<Arc<Pod>>, options: Options, world: W) -> Self {
        Self::begin_at(Time(0), pod, options, world)
    }

    /// A Pod that is accepted at this time.
    pub fn begin_at(now: Time, pod: impl Into<Arc<Pod>>, options: Options, world: W) -> Self {
        let machine = Machine::new(pod.into(), options, now);
        Self {
            machine,
            world,
            now,
            trace: Vec::new(),
            wakeups: 0,
        }
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The world.
    pub fn world(&self) -> &W {
        &self.world
    }

    /// The world, to change it on the way.
    pub fn world_mut(&mut self) -> &mut W {
        &mut self.world
    }

    /// The simulated time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The Pod's status now.
    pub fn status(&self) -> PodStatus {
        self.machine.status(self.now)
    }

    /// All that happened so far.
    pub fn trace(&self) -> &[(Time, TraceEvent)] {
        &self.trace
    }

    /// How often the machine asked to be woken.
    pub fn wakeups(&self) -> u64 {
        self.wakeups
    }

    /// Tells the machine something now.
    pub fn inject(&mut self, input: Input) {
        if matches!(input, Input::Wake) {
            self.wakeups += 1;
        } else {
            self.trace
                .push((self.now, TraceEvent::Input(input.clone())));
        }
        let before = self.machine.shown_phase();
        for action in self.machine.step(input, self.now) {
            self.world.perform(&action, self.now);
            self.trace.push((self.now, TraceEvent::Action(action)));
        }
        let after = self.machine.shown_phase();
        if after != before {
            self.trace.push((self.now, TraceEvent::Phase(after)));
        }
    }

    /// What a runner keeps of the Pod on disk: the object with its status now.
    pub fn record(&self) -> Pod {
        let mut pod = self.machine.pod().as_ref().clone();
        pod.status = Some(self.status());
        pod.metadata.deletion_timestamp = self.machine.is_deleting().then(|| self.now.to_meta());
        pod
    }

    /// The runner is killed. After a while another takes the Pod over from this record of it, which may be older
    /// than what happened last, and from the logs that are there.
    pub fn crash(&mut self, record: Pod, away: Duration) {
        let logs = self.world.lose_all();
        self.now = self.now + away;
        let options = self.machine.options.clone();
        self.machine = Machine::restore(Arc::new(record), options, self.now);
        for (container, instance) in logs {
            self.machine.note_run(&container, instance);
        }
        self.trace.push((self.now, TraceEvent::Restored));
    }

    /// The runner is asked to start again: what it hands over at the next moment that is one for it, if there is
    /// one `within` that time.
    pub fn hand_over(&mut self, within: Duration) -> Option<(Pod, Handover)> {
        let end = self.now + within;
        loop {
            match self.machine.hand_over() {
                Some(handover) => return Some((self.record(), handover)),
                None if self.advance(end) => {}
                None => return None,
            }
        }
    }

    /// The runner is started again and goes on from what it has handed over just now. What happens while it is away it
    /// learns afterwards.
    pub fn resume(&mut self, record: Pod, handover: Handover, away: Duration) {
        self.world.lose_probes();
        self.now = self.now + away;
        let options = self.machine.options.clone();
        self.machine = Machine::resume(Arc::new(record), options, handover, self.now);
    }

    /// Lets the next thing happen unless it comes after `until`; says whether one did.
    pub fn advance(&mut self, until: Time) -> bool {
        let next = [self.machine.next_wakeup(), self.world.next_event()];
        let Some(at) = next.into_iter().flatten().min().filter(|&at| at <= until) else {
            return false;
        };
        self.now = self.now.max(at);
        match self.world.take_input(self.now) {
            Some(input) => self.inject(input),
            // What goes on in the world alone is no reason to wake the machine, which did not ask for it.
            None if self
                .machine
                .next_wakeup()
                .is_some_and(|due| due <= self.now) =>
            {
                self.inject(Input::Wake);
            }
            None => {}
        }
        true
    }

    /// Lets everything happen up to `until`, which then is the time.
    pub fn run_until(&mut self, until: Time) {
        while self.advance(until) {}
        self.now = self.now.max(until);
    }

    /// Lets everything happen for so long.
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    /// Runs until the Pod is finished or nothing will ever happen, at most up to `limit`; says whether it
    /// came to rest.
    pub fn run_to_rest(&mut self, limit: Time) -> bool {
        while !self.machine.is_finished() {
            if !self.advance(limit) {
                let next = [self.machine.next_wakeup(), self.world.next_event()];
                return next.into_iter().flatten().next().is_none();
            }
        }
        true
    }

    /// Runs until the condition holds; says whether it did by `limit`.
    pub fn run_while(&mut self, limit: Time, mut goes_on: impl FnMut(&Self) -> bool) -> bool {
        while goes_on(self) {
            if !self.advance(limit) {
                return false;
            }
        }
        true
    }

    /// When a container's nth run began.
    pub fn started(&self, name: &str, run: Instance) -> Option<Time> {
        self.find(|event| match event {
            TraceEvent::Input(Input::Started {
                container,
                instance,
                ..
            }) => container == name && *instance == run,
            _ => false,
        })
    }

    /// When a container's nth run ended.
    pub fn exited(&self, name: &str, run: Instance) -> Option<Time> {
        self.find(|event| match event {
            TraceEvent::Input(Input::Exited {
                container,
                instance,
                ..
            }) => container == name && *instance == run,
            _ => false,
        })
    }

    /// When a container's nth run got its stop signal.
    pub fn signalled(&self, name: &str, run: Instance) -> Option<Time> {
        self.find(|event| match event {
            TraceEvent::Action(Action::Stop {
                container,
                instance,
                ..
            }) => container == name && *instance == run,
            _ => false,
        })
    }

    /// When a container's nth run got SIGKILL.
    pub fn killed(&self, name: &str, run: Instance) -> Option<Time> {
        self.find(|event| match event {
            TraceEvent::Action(Action::Kill {
                container,
                instance,
            }) => container == name && *instance == run,
            _ => false,
        })
    }

    /// The events that were emitted, with their times.
    pub fn events(&self) -> impl Iterator<Item = (Time, &PodEvent)> {
        self.trace.iter().filter_map(|(at, event)| match event {
            TraceEvent::Action(Action::Emit(event)) => Some((*at, event)),
            _ => None,
        })
    }

    fn find(&self, which: impl Fn(&TraceEvent) -> bool) -> Option<Time> {
        self.trace
            .iter()
            .find(|(_, event)| which(event))
            .map(|(at, _)| *at)
    }
}
