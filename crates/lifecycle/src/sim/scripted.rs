//! A world whose processes do what data says.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use super::World;
use crate::Time;
use crate::protocol::{
    Action, Exit, HookKind, Input, Instance, ProbeKind, ProbeOutcome, StartFailure,
};

/// What one container's processes, probes and hooks do.
#[derive(Clone, Debug)]
pub struct Script {
    /// By run; the last one stands for all that follow. Empty: as `Run::default()`.
    pub runs: Vec<Run>,
    /// Time from asking for a start to the running process.
    pub start_takes: Duration,
    /// By attempt: the start fails like this. Attempts beyond succeed.
    pub start_fails: Vec<Option<(StartFailure, String)>>,
    /// What its startup probe finds.
    pub startup: Probe,
    /// What its liveness probe finds.
    pub liveness: Probe,
    /// What its readiness probe finds.
    pub readiness: Probe,
    /// What its postStart hook does.
    pub post_start: Hook,
    /// What its preStop hook does.
    pub pre_stop: Hook,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            start_takes: Duration::ZERO,
            start_fails: Vec::new(),
            startup: Probe::always(ProbeOutcome::Success),
            liveness: Probe::always(ProbeOutcome::Success),
            readiness: Probe::always(ProbeOutcome::Success),
            post_start: Hook::default(),
            pre_stop: Hook::default(),
        }
    }
}

/// What one run of a container does.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// It ends by itself after this time, so; never when absent.
    pub exits: Option<(Duration, Exit)>,
    /// What it does at the stop signal.
    pub on_term: OnTerm,
    /// Its termination message.
    pub message: Option<String>,
    /// From this time on it does nothing any more: probes get no answer, the stop signal is ignored.
    pub hangs: Option<Duration>,
}

impl Run {
    /// A run that ends by itself.
    #[must_use]
    pub fn exits(after: Duration, code: i32) -> Self {
        let exit = Exit {
            code,
            ..Exit::default()
        };
        Self {
            exits: Some((after, exit)),
            ..Self::default()
        }
    }

    /// What it does at the stop signal.
    #[must_use]
    pub fn on_term(mut self, on_term: OnTerm) -> Self {
        self.on_term = on_term;
        self
    }
}

/// What a process does at the stop signal.
#[derive(Clone, Debug)]
pub enum OnTerm {
    /// It ends after a while with a code.
    Exit(Duration, i32),
    /// Nothing, as the first process of a container without a handler (R8.15).
    Ignore,
}

impl Default for OnTerm {
    fn default() -> Self {
        Self::Exit(Duration::ZERO, 0)
    }
}

/// What a probe finds, by the time since its container's start.
#[derive(Clone, Debug)]
pub struct Probe {
    /// From when on which outcome; the first at 0.
    pub answers: Vec<(Duration, ProbeOutcome)>,
    /// How long an attempt takes; cut at the probe's time-out, when it is a failure.
    pub takes: Duration,
}

impl Probe {
    /// Always the same.
    #[must_use]
    pub fn always(outcome: ProbeOutcome) -> Self {
        Self {
            answers: vec![(Duration::ZERO, outcome)],
            takes: Duration::ZERO,
        }
    }

    /// Failures until this time, successes from then on.
    #[must_use]
    pub fn succeeds_after(start: Duration) -> Self {
        let answers = vec![
            (Duration::ZERO, ProbeOutcome::Failure),
            (start, ProbeOutcome::Success),
        ];
        Self {
            answers,
            takes: Duration::ZERO,
        }
    }

    fn outcome(&self, since_start: Duration) -> ProbeOutcome {
        let current = self
            .answers
            .iter()
            .rev()
            .find(|(from, _)| *from <= since_start);
        current.map_or(ProbeOutcome::Failure, |(_, outcome)| *outcome)
    }
}

/// What a hook does.
#[derive(Clone, Debug)]
pub struct Hook {
    /// How long it takes; for ever when absent.
    pub takes: Option<Duration>,
    /// What comes of it.
    pub result: Result<(), String>,
}

impl Default for Hook {
    fn default() -> Self {
        Self {
            takes: Some(Duration::ZERO),
            result: Ok(()),
        }
    }
}

impl Hook {
    /// A hook that succeeds after a while.
    #[must_use]
    pub fn takes(duration: Duration) -> Self {
        Self {
            takes: Some(duration),
            result: Ok(()),
        }
    }

    /// A hook that fails after a while.
    #[must_use]
    pub fn fails(after: Duration) -> Self {
        Self {
            takes: Some(after),
            result: Err("command exited with 1".to_owned()),
        }
    }
}

/// A world of scripts. Containers without one run for ever and end with 0 at the stop signal.
#[derive(Debug, Default)]
pub struct Scripted {
    scripts: BTreeMap<String, Script>,
    attempts: BTreeMap<String, usize>,
    /// The newest run of each container that began.
    begun: BTreeMap<String, Instance>,
    processes: BTreeMap<(String, Instance), Process>,
    queue: BinaryHeap<Reverse<Due>>,
    /// What is due, by its number in the queue.
    pending: BTreeMap<u64, Pending>,
    sequence: u64,
    /// How long making and removing the sandbox takes.
    pub sandbox_takes: Duration,
    /// How often making the sandbox fails before it succeeds.
    pub sandbox_failures: u32,
}

#[derive(Debug)]
struct Process {
    started: Time,
    /// The planned end in `pending`, replaced by signals.
    end: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Time,
    number: u64,
}

#[derive(Debug)]
struct Pending {
    input: Input,
    /// The process without which it does not happen.
    process: Option<(String, Instance)>,
}

impl Scripted {
    /// A world with these scripts.
    #[must_use]
    pub fn new(scripts: impl IntoIterator<Item = (String, Script)>) -> Self {
        Self {
            scripts: scripts.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A container's script, to change it.
    pub fn script(&mut self, container: &str) -> &mut Script {
        self.scripts.entry(container.to_owned()).or_default()
    }

    fn later(&mut self, at: Time, input: Input, process: Option<(String, Instance)>) -> u64 {
        let number = self.sequence;
        self.sequence += 1;
        self.queue.push(Reverse(Due { at, number }));
        self.pending.insert(number, Pending { input, process });
        number
    }

    fn start(&mut self, container: &str, instance: Instance, now: Time) {
        let attempt = self.attempts.entry(container.to_owned()).or_default();
        let number = *attempt;
        *attempt += 1;
        let script = self.script(container);
        let at = now + script.start_takes;
        let container = container.to_owned();
        let input = match script.start_fails.get(number).cloned().flatten() {
            Some((failure, message)) => Input::StartFailed {
                container,
                instance,
                failure,
                message,
            },
            None => Input::Started {
                container_id: format!("sim://{container}/{instance}"),
                image_id: format!("sim://image/{container}"),
                image: container.clone(),
                container,
                instance,
            },
        };
        self.later(at, input, None);
    }

    fn run(&mut self, container: &str, instance: Instance) -> Run {
        let runs = &self.script(container).runs;
        let nth = usize::try_from(instance).unwrap_or(usize::MAX);
        runs.get(nth).or(runs.last()).cloned().unwrap_or_default()
    }

    fn begin(&mut self, container: &str, instance: Instance, now: Time) {
        self.begun.insert(container.to_owned(), instance);
        let key = (container.to_owned(), instance);
        self.processes.insert(
            key,
            Process {
                started: now,
                end: None,
            },
        );
        if let Some((after, exit)) = self.run(container, instance).exits {
            self.plan_end(container, instance, now + after, exit);
        }
    }

    fn plan_end(&mut self, container: &str, instance: Instance, at: Time, exit: Exit) {
        let key = (container.to_owned(), instance);
        if !self.processes.contains_key(&key) {
            return;
        }
        let message = self.run(container, instance).message;
        let input = Input::Exited {
            container: container.to_owned(),
            instance,
            exit,
            message,
        };
        let number = self.later(at, input, Some(key.clone()));
        let before = self
            .processes
            .get_mut(&key)
            .and_then(|process| process.end.replace(number));
        if let Some(before) = before {
            self.pending.remove(&before);
        }
    }

    fn probe(
        &mut self,
        (container, instance): (&str, Instance),
        kind: ProbeKind,
        timeout: Duration,
        now: Time,
    ) {
        let key = (container.to_owned(), instance);
        let Some(started) = self.processes.get(&key).map(|process| process.started) else {
            return;
        };
        let hangs = self.run(container, instance).hangs;
        let hangs = hangs.is_some_and(|hangs| now.since(started) >= hangs);
        let script = self.script(container);
        let probe = match kind {
            ProbeKind::Startup => &script.startup,
            ProbeKind::Liveness => &script.liveness,
            ProbeKind::Readiness => &script.readiness,
        };
        let (takes, outcome) = if hangs || probe.takes > timeout {
            (timeout, ProbeOutcome::Failure)
        } else {
            (probe.takes, probe.outcome(now.since(started)))
        };
        let output = format!("{outcome:?}").to_lowercase();
        let container = container.to_owned();
        let input = Input::ProbeDone {
            container,
            instance,
            probe: kind,
            outcome,
            output,
        };
        self.later(now + takes, input, Some(key));
    }

    fn hook(&mut self, container: &str, instance: Instance, hook: HookKind, now: Time) {
        let script = self.script(container);
        let told = match hook {
            HookKind::PostStart => &script.post_start,
            HookKind::PreStop => &script.pre_stop,
        };
        let Some(takes) = told.takes else { return };
        let container = container.to_owned();
        let input = Input::HookDone {
            container,
            instance,
            hook,
            result: told.result.clone(),
        };
        self.later(now + takes, input, None);
    }
}

impl World for Scripted {
    fn perform(&mut self, action: &Action, now: Time) {
        match action {
            Action::CreateSandbox => {
                let input = if self.sandbox_failures > 0 {
                    self.sandbox_failures -= 1;
                    Input::SandboxFailed {
                        reason: "FailedCreatePodSandBox".to_owned(),
                        message: "scripted".to_owned(),
                    }
                } else {
                    Input::SandboxReady {
                        ips: vec![[10, 88, 0, 2].into()],
                    }
                };
                self.later(now + self.sandbox_takes, input, None);
            }
            Action::StopSandbox => {
                self.later(now + self.sandbox_takes, Input::SandboxStopped, None);
            }
            Action::Start {
                container,
                instance,
            } => self.start(container, *instance, now),
            Action::RunProbe {
                container,
                instance,
                probe,
                timeout,
            } => {
                self.probe((container, *instance), *probe, *timeout, now);
            }
            Action::RunHook {
                container,
                instance,
                hook,
                ..
            } => {
                self.hook(container, *instance, *hook, now);
            }
            Action::Stop {
                container,
                instance,
                ..
            } => {
                let run = self.run(container, *instance);
                let process = self.processes.get(&(container.clone(), *instance));
                let lived = process.map_or(Duration::ZERO, |process| now.since(process.started));
                let hangs = run.hangs.is_some_and(|hangs| lived >= hangs);
                if let OnTerm::Exit(after, code) = run.on_term
                    && !hangs
                {
                    let exit = Exit {
                        code,
                        ..Exit::default()
                    };
                    self.plan_end(container, *instance, now + after, exit);
                }
            }
            Action::Kill {
                container,
                instance,
            } => {
                let exit = Exit {
                    code: 137,
                    signal: Some(9),
                    oom_killed: false,
                };
                self.plan_end(container, *instance, now, exit);
            }
            Action::CancelStart { .. }
            | Action::CancelHook { .. }
            | Action::Remove { .. }
            | Action::Emit(_) => {}
        }
    }

    fn lose_all(&mut self) -> BTreeMap<String, Instance> {
        self.queue.clear();
        self.processes.clear();
        for pending in std::mem::take(&mut self.pending).into_values() {
            if let Input::Started {
                container,
                instance,
                ..
            } = pending.input
            {
                self.begun.insert(container, instance);
            }
        }
        self.begun.clone()
    }

    fn lose_probes(&mut self) {
        let probe = |pending: &Pending| matches!(pending.input, Input::ProbeDone { .. });
        self.pending.retain(|_, pending| !probe(pending));
    }

    fn next_event(&self) -> Option<Time> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    fn take_input(&mut self, now: Time) -> Option<Input> {
        while self.queue.peek().is_some_and(|Reverse(due)| due.at <= now) {
            let Reverse(due) = self.queue.pop()?;
            let Some(Pending { input, process }) = self.pending.remove(&due.number) else {
                continue;
            };
            if process.is_some_and(|process| !self.processes.contains_key(&process)) {
                continue;
            }
            match &input {
                Input::Started {
                    container,
                    instance,
                    ..
                } => {
                    let (container, instance) = (container.clone(), *instance);
                    self.begin(&container, instance, due.at);
                }
                Input::Exited {
                    container,
                    instance,
                    ..
                } => {
                    self.processes.remove(&(container.clone(), *instance));
                }
                _ => {}
            }
            return Some(input);
        }
        None
    }
}
