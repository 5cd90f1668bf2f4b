//! What a harness does with a scenario, simulated or real: its steps one after the other, then what it expects.

use std::time::Duration;

use lifecycle::Time;
use manifest::core::v1::PodPhase;
use serde_json::Value;

use crate::case::{Assertion, Case, Step, Subject, Until};

/// How long a status may lag behind (README of the scenarios).
const LAG: Duration = Duration::from_secs(3);
/// How long a deletion may take.
const GONE_WITHIN: Duration = Duration::from_secs(600);

/// A Pod that is run.
pub(crate) trait Harness: Subject {
    /// The time on the clock of the scripts.
    fn now(&self) -> Time;
    /// Waits until something may have changed, at most to `end`; says whether that is not reached yet.
    fn advance(&mut self, end: Time) -> bool;
    /// Whether there is no sense in going on.
    fn stopped(&self) -> bool;
    /// Notes the time under a name.
    fn mark(&mut self, name: &str);
    /// Whether the Pod is deleted and gone.
    fn is_gone(&self) -> bool;
    /// Begins to delete the Pod.
    fn delete(&mut self, grace_s: Option<i64>) -> Result<(), String>;
    /// Makes a file in the events directory.
    fn touch(&mut self, name: &str) -> Result<(), String>;
    /// Makes or replaces an object.
    fn apply(&mut self, object: &Value) -> Result<(), String>;
    /// Stops the runner and starts it again; with the flag the Pod's processes end.
    fn restart_runner(&mut self, kill_sandbox: bool) -> Result<(), String>;
}

pub(crate) fn is_terminal(phase: PodPhase) -> bool {
    matches!(phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// Takes the steps of a scenario and judges what it expects.
pub(crate) fn steps(harness: &mut dyn Harness, case: &Case) -> Result<(), String> {
    if !case.runs_nothing() {
        let mut pod = case.pod.clone();
        for one in &case.steps {
            step(harness, &mut pod, one)?;
        }
    }
    all_hold(harness, &case.expect)
}

/// One step. `pod` is the Pod as it was applied last.
fn step(harness: &mut dyn Harness, pod: &mut Value, step: &Step) -> Result<(), String> {
    match step {
        Step::Wait {
            until,
            within_s,
            line,
        } => {
            let within = Duration::from_secs_f64(*within_s);
            wait(harness, within, until)
                .map_err(|why| format!("line {line}: not within {within_s} s: {why}"))
        }
        Step::Check(assertions) => all_hold(harness, assertions),
        Step::Hold { what, for_s } => {
            // What is seen of a status may lag behind the event that was waited for.
            let begun = harness.now() + LAG;
            while let Err(why) = judge_all(harness, what) {
                if harness.stopped() || !harness.advance(begun) {
                    return Err(why);
                }
            }
            let end = harness.now() + Duration::from_secs_f64(*for_s);
            loop {
                judge_all(harness, what)?;
                if !harness.advance(end) {
                    return Ok(());
                }
            }
        }
        Step::Sleep(seconds) => {
            let end = harness.now() + Duration::from_secs_f64(*seconds);
            while harness.advance(end) {}
            Ok(())
        }
        Step::Delete {
            grace_s,
            wait: waits,
        } => {
            harness.mark("@delete");
            harness.delete(*grace_s)?;
            if *waits {
                wait(harness, GONE_WITHIN, &[Until::Gone])?;
            }
            Ok(())
        }
        Step::Touch(name) => harness.touch(name),
        Step::Apply(object) => {
            if object["kind"] == "Pod" {
                pod.clone_from(object);
            }
            harness.apply(object)
        }
        Step::Mark(name) => {
            harness.mark(&format!("@{name}"));
            Ok(())
        }
        Step::RestartRunner { kill_sandbox } => harness.restart_runner(*kill_sandbox),
        Step::SetImage { container, image } => {
            let lists = ["initContainers", "containers"];
            for list in lists {
                let list = pod["spec"][list].as_array_mut();
                let named = |c: &&mut Value| c["name"] == container.as_str();
                if let Some(found) = list.and_then(|list| list.iter_mut().find(named)) {
                    found["image"] = image.as_str().into();
                    return harness.apply(pod);
                }
            }
            Err(format!("set_image: there is no container {container}"))
        }
    }
}

fn judge_all(harness: &mut dyn Harness, assertions: &[Assertion]) -> Result<(), String> {
    assertions
        .iter()
        .try_for_each(|assertion| assertion.judge(harness))
}

fn reached(harness: &mut dyn Harness, until: &Until) -> Result<(), String> {
    let phase = || harness.status().phase.unwrap_or_default();
    match until {
        Until::Holds(assertion) => assertion.judge(harness),
        Until::Event(selector) => match harness.events().find(selector) {
            Some(_) => Ok(()),
            None => Err(format!("{selector} did not occur")),
        },
        Until::Terminal if is_terminal(phase()) => Ok(()),
        Until::Terminal => Err(format!("the phase is {}", phase())),
        Until::Gone if harness.is_gone() => Ok(()),
        Until::Gone => Err("the Pod is not gone".to_owned()),
    }
}

/// Waits until all hold at once.
fn wait(harness: &mut dyn Harness, within: Duration, until: &[Until]) -> Result<(), String> {
    let end = harness.now() + within;
    loop {
        let failure = until.iter().find_map(|one| reached(harness, one).err());
        let Some(why) = failure else { return Ok(()) };
        if harness.stopped() || !harness.advance(end) {
            return Err(why);
        }
    }
}

/// Whether all hold, each at some moment of the time that a status may lag.
fn all_hold(harness: &mut dyn Harness, assertions: &[Assertion]) -> Result<(), String> {
    let end = harness.now() + LAG;
    let mut open: Vec<&Assertion> = assertions.iter().collect();
    loop {
        let mut why = Vec::new();
        open.retain(|assertion| match assertion.judge(harness) {
            Ok(()) => false,
            Err(failure) => {
                why.push(failure);
                true
            }
        });
        if open.is_empty() {
            return Ok(());
        }
        if harness.stopped() || !harness.advance(end) {
            return Err(why.join("; "));
        }
    }
}
