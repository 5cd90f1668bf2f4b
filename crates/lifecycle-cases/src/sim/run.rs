//! One scenario in the simulator.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lifecycle::columns::{Columns, columns};
use lifecycle::sim::Simulator;
use lifecycle::{Input, Options, PodEvent, Time};
use manifest::core::v1::{Pod, PodStatus};
use serde_json::Value;

use super::config::Objects;
use super::fs::Entry;
use super::volumes::EVENTS;
use super::world::ShellWorld;
use crate::case::{Case, Events, Subject, seconds};
use crate::drive::{self, Harness, is_terminal};
use crate::outcome::Outcome;
use crate::pod;

/// When the simulated machine booted, before the Pod: what scripts read is the time since then.
const CREATED_AT: Time = Time(1_000_000);
/// How long a runner is away that was killed.
const AWAY: Duration = Duration::from_secs(1);
/// How long a runner may take to find a moment to start again in, and how long it is away then.
const RESTARTS_WITHIN: Duration = Duration::from_secs(60);
const RESTART_TAKES: Duration = Duration::from_millis(50);

/// Runs a scenario in the simulator.
pub(crate) fn simulate(case: &Case) -> Outcome {
    if let Some(outcome) = pod::judge_admission(case, EVENTS) {
        return outcome;
    }
    match begin(case) {
        Ok(mut run) => run.outcome(case),
        Err(why) => Outcome::Failed(why),
    }
}

/// A Pod that was just created.
fn begin(case: &Case) -> Result<Simulation, String> {
    let pod = Arc::new(pod::accepted(case, EVENTS)?);
    let mut objects = Objects::default();
    case.objects.iter().for_each(|object| objects.apply(object));
    let world = ShellWorld::new(Arc::clone(&pod), objects);
    let mut run = Simulation {
        simulator: Simulator::begin_at(CREATED_AT, Arc::clone(&pod), Options::default(), world),
        marks: Events::default(),
        deleting: false,
        gone: None,
        ip: None,
        kept_ip: true,
        log: RefCell::default(),
        parsed: Cell::default(),
        lack: RefCell::default(),
    };
    run.mark("@create");
    Ok(run)
}

struct Simulation {
    simulator: Simulator<ShellWorld>,
    marks: Events,
    /// Whether its deletion was asked for.
    deleting: bool,
    /// The status when the object vanished.
    gone: Option<Box<(PodStatus, Columns)>>,
    ip: Option<String>,
    kept_ip: bool,
    /// The events of the log, and how long that was when they were read.
    log: RefCell<Rc<Events>>,
    parsed: Cell<usize>,
    /// What an assertion needed that is not simulated.
    lack: RefCell<Option<String>>,
}

impl Simulation {
    fn outcome(&mut self, case: &Case) -> Outcome {
        let result = drive::steps(self, case);
        let lack = self.simulator.world().lacks().or(self.lack.take());
        match (lack, result) {
            (Some(what), _) => Outcome::Skipped(format!("needs a real container: {what}")),
            (None, Ok(())) => Outcome::Passed,
            (None, Err(why)) => Outcome::Failed(why),
        }
    }

    /// Notes what is noted once.
    fn observe(&mut self) {
        let machine = self.simulator.machine();
        let finished = machine.is_finished();
        if is_terminal(machine.shown_phase()) && self.marks.all("@terminal").is_empty() {
            self.mark("@terminal");
        }
        if self.gone.is_some() {
            return;
        }
        let ip = self.simulator.status().pod_ip;
        if let Some(ip) = ip.filter(|ip| !ip.is_empty()) {
            self.kept_ip &= *self.ip.get_or_insert_with(|| ip.clone()) == ip;
        }
        if self.deleting && finished {
            self.vanish();
        }
    }

    fn vanish(&mut self) {
        self.mark("@gone");
        self.gone = Some(Box::new((self.status(), self.columns())));
    }
}

impl Harness for Simulation {
    fn now(&self) -> Time {
        self.simulator.now()
    }

    fn stopped(&self) -> bool {
        self.lack.borrow().is_some() || self.simulator.world().lacks().is_some()
    }

    fn advance(&mut self, end: Time) -> bool {
        let advanced = self.simulator.advance(end);
        if !advanced {
            self.simulator.run_until(end);
        }
        self.observe();
        advanced
    }

    fn mark(&mut self, name: &str) {
        let now = seconds(self.simulator.now());
        self.marks.push(name, now);
    }

    fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    fn delete(&mut self, grace_s: Option<i64>) -> Result<(), String> {
        self.deleting = true;
        self.simulator.inject(Input::Delete {
            grace_seconds: grace_s,
        });
        if grace_s == Some(0) {
            // R8.19: the object is gone at once, the processes are not.
            self.vanish();
        }
        self.observe();
        Ok(())
    }

    fn touch(&mut self, name: &str) -> Result<(), String> {
        let events = &self.simulator.world().volumes.events;
        events
            .borrow_mut()
            .set(&format!("/{name}"), Entry::File(Vec::new()));
        Ok(())
    }

    fn apply(&mut self, object: &Value) -> Result<(), String> {
        if object["kind"] == "Pod" {
            let pod = Arc::new(pod::changed(object, EVENTS)?);
            self.simulator.world_mut().set_pod(Arc::clone(&pod));
            self.simulator.inject(Input::SpecChanged { pod });
        } else {
            self.simulator.world_mut().objects.apply(object);
            self.simulator.inject(Input::ObjectsChanged);
        }
        Ok(())
    }

    fn restart_runner(&mut self, kill_sandbox: bool) -> Result<(), String> {
        if kill_sandbox {
            let record = self.simulator.record();
            self.simulator.crash(record, AWAY);
        } else {
            let Some(handed_over) = self.simulator.hand_over(RESTARTS_WITHIN) else {
                return Err("the runner found no moment to start again in".to_owned());
            };
            // As one process writes it and the other reads it.
            let text = serde_json::to_string(&handed_over).map_err(|error| error.to_string())?;
            let (record, handover) =
                serde_json::from_str(&text).map_err(|error| error.to_string())?;
            self.simulator.resume(record, handover, RESTART_TAKES);
        }
        self.observe();
        Ok(())
    }
}

impl Subject for Simulation {
    fn events(&self) -> Events {
        let world = self.simulator.world();
        let tree = world.volumes.events.borrow();
        if let Some(Entry::File(bytes)) = tree.get("/log")
            && bytes.len() != self.parsed.get()
        {
            self.parsed.set(bytes.len());
            let events = Events::parse(&String::from_utf8_lossy(bytes));
            self.log.replace(Rc::new(events));
        }
        self.log.borrow().with(&self.marks)
    }

    fn status(&self) -> PodStatus {
        match &self.gone {
            Some(gone) => gone.0.clone(),
            None => self.simulator.status(),
        }
    }

    fn pod(&self) -> &Pod {
        self.simulator.machine().pod()
    }

    fn columns(&self) -> Columns {
        match &self.gone {
            Some(gone) => gone.1.clone(),
            None => {
                let now = self.simulator.now();
                columns(&self.pod().spec, &self.status(), self.deleting, now)
            }
        }
    }

    fn pod_events(&self) -> Vec<PodEvent> {
        self.simulator
            .events()
            .map(|(_, event)| event.clone())
            .collect()
    }

    fn log(&self, container: &str) -> Option<String> {
        self.simulator.world().log(container)
    }

    fn file(&self, path: &str) -> Option<String> {
        let events = &self.simulator.world().volumes.events;
        events.borrow().text(&format!("/{path}"))
    }

    fn arguments(&self, _: &str) -> Result<Vec<String>, String> {
        self.lack
            .replace(Some("the command line that the runtime gets".to_owned()));
        Err("no runtime".to_owned())
    }

    fn kept_ip(&self) -> bool {
        self.kept_ip
    }

    fn node_memory(&self) -> Result<u64, String> {
        self.lack
            .replace(Some("the memory of the machine".to_owned()));
        Err("no machine".to_owned())
    }
}

#[cfg(test)]
mod tests;
