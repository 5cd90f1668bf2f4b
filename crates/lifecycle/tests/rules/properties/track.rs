//! What is known of each container of a story from what went in and out of the machine.

use std::collections::BTreeSet;
use std::time::Duration;

use lifecycle::{Exit, HookKind, ProbeKind, ProbeOutcome, Role, Time};
use manifest::core::v1::{
    Container, ContainerRestartRuleOnExitCodesOperator as Operator, RestartPolicy,
};

/// One container, seen from outside the machine.
pub(super) struct Track {
    pub(super) spec: Container,
    pub(super) role: Role,
    /// The policy that holds for it.
    policy: RestartPolicy,
    pub(super) live: Option<Alive>,
    /// Runs that ended.
    pub(super) dead: BTreeSet<u32>,
    /// The number of the next run.
    pub(super) next: u32,
    /// The next run may leave numbers out, since the runner was killed.
    pub(super) unsure: bool,
    /// The newest run whose process began.
    pub(super) began: Option<u32>,
    /// An init container that did its work.
    pub(super) done: bool,
    /// A sidecar that was initialized, by any of its runs.
    pub(super) up: bool,
    /// How the newest run ended; none once that was forgotten.
    pub(super) end: Option<Ended>,
    pub(super) ladder: Ladder,
    /// `restartCount` as it was shown last.
    pub(super) count: i32,
    pub(super) starts_after_delete: u32,
    /// It ended for good before the runner was killed.
    pub(super) stays: bool,
}

/// A run whose process is there.
pub(super) struct Alive {
    pub(super) instance: u32,
    pub(super) since: Time,
    /// Its startup probe succeeded, or it has none.
    pub(super) started: bool,
    /// Message and time of its `Killing` event.
    pub(super) killing: Option<(String, Time)>,
    pub(super) signalled: Option<Time>,
    pub(super) killed: bool,
    /// Hooks that began, and those of them that have not ended.
    pub(super) hooks: BTreeSet<HookKind>,
    pub(super) hooks_run: BTreeSet<HookKind>,
    /// Probes that wait for an answer.
    pub(super) probing: BTreeSet<ProbeKind>,
    /// Failures in a row of its liveness probe.
    pub(super) liveness_failures: i32,
}

impl Alive {
    pub(super) fn new(instance: u32, since: Time, started: bool) -> Self {
        Self {
            instance,
            since,
            started,
            killing: None,
            signalled: None,
            killed: false,
            hooks: BTreeSet::new(),
            hooks_run: BTreeSet::new(),
            probing: BTreeSet::new(),
            liveness_failures: 0,
        }
    }

    /// Whether it is being stopped in turn with the rest of the Pod, and since when.
    pub(super) fn stopping(&self) -> Option<Time> {
        let (message, at) = self.killing.as_ref()?;
        message.starts_with("Stopping").then_some(*at)
    }
}

/// An end.
pub(super) struct Ended {
    pub(super) at: Time,
    pub(super) exit: Exit,
    /// Its restart was decided before it ended: a probe or another definition killed it.
    pub(super) replaced: bool,
    /// The machine stopped it.
    pub(super) stopped: bool,
}

impl Track {
    pub(super) fn new(spec: &Container, role: Role, pod: RestartPolicy) -> Self {
        Self {
            policy: spec.restart_policy.unwrap_or(pod),
            spec: spec.clone(),
            role,
            live: None,
            dead: BTreeSet::new(),
            next: 0,
            unsure: false,
            began: None,
            done: false,
            up: false,
            end: None,
            ladder: Ladder::default(),
            count: 0,
            starts_after_delete: 0,
            stays: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(super) fn lives(&self, instance: u32) -> bool {
        self.live.as_ref().is_some_and(|l| l.instance == instance)
    }

    /// R3.1, R2.2, R20.1, written down a second time: whether it is started again after such an end.
    pub(super) fn restarts_after(&self, exit: Exit) -> bool {
        let matches = |rule: &manifest::core::v1::ContainerRestartRule| {
            rule.exit_codes.as_ref().is_some_and(|codes| {
                codes.values.contains(&exit.code) == (codes.operator == Some(Operator::In))
            })
        };
        if self.role == Role::Init && exit.code == 0 && !exit.oom_killed {
            return false;
        }
        if self.spec.restart_policy_rules.iter().any(matches) {
            return true;
        }
        match (self.role, self.policy) {
            (Role::Sidecar, _) | (Role::App, RestartPolicy::Always) => true,
            (_, RestartPolicy::Never) => false,
            (Role::App, RestartPolicy::OnFailure) => exit.code != 0,
            (Role::Init, _) => true,
        }
    }

    /// A run begins.
    pub(super) fn begin(&mut self, instance: u32, now: Time, started: bool) {
        self.live = Some(Alive::new(instance, now, started));
        self.next = instance + 1;
        self.began = Some(instance);
        self.end = None;
        self.up |= started && self.spec.startup_probe.is_none();
    }

    /// Whether it has ended and is not started again.
    pub(super) fn is_over(&self) -> bool {
        let for_good = |end: &Ended| !end.replaced && !self.restarts_after(end.exit);
        self.live.is_none() && self.end.as_ref().is_some_and(for_good)
    }

    /// Whether its newest run has ended and it is to be started again.
    pub(super) fn is_due(&self) -> bool {
        let again = |end: &Ended| self.restarts_after(end.exit);
        self.live.is_none() && self.end.as_ref().is_some_and(again)
    }
}

impl Track {
    /// Its process ended.
    pub(super) fn ended(&mut self, instance: u32, exit: Exit, at: Time) {
        let Some(live) = self.live.take_if(|live| live.instance == instance) else {
            return;
        };
        self.dead.insert(instance);
        self.done |= exit.code == 0 && !exit.oom_killed;
        let replaced = live
            .killing
            .as_ref()
            .is_some_and(|(why, _)| !why.starts_with("Stopping") && why != "FailedPostStartHook");
        let stopped = live.killing.is_some();
        self.end = Some(Ended {
            at,
            exit,
            replaced,
            stopped,
        });
    }

    /// A probe of it was answered.
    pub(super) fn probed(&mut self, instance: u32, kind: ProbeKind, outcome: ProbeOutcome) {
        let Some(live) = self.live.as_mut().filter(|l| l.instance == instance) else {
            return;
        };
        live.probing.remove(&kind);
        let passed = matches!(outcome, ProbeOutcome::Success | ProbeOutcome::Warning);
        match kind {
            ProbeKind::Startup if passed => {
                live.started = true;
                self.up = true;
            }
            ProbeKind::Liveness if passed => live.liveness_failures = 0,
            ProbeKind::Liveness if outcome == ProbeOutcome::Failure => live.liveness_failures += 1,
            _ => {}
        }
    }
}

/// R3.2 and R3.4, written down a second time.
#[derive(Default)]
pub(super) struct Ladder {
    /// Restarts since it began.
    steps: usize,
    taken: Option<Time>,
    /// The delay that the status promised last.
    promised: Duration,
}

const STEPS: [u64; 7] = [0, 10, 20, 40, 80, 160, 300];

impl Ladder {
    /// The least time between an end and the restart that follows.
    pub(super) fn delay(&mut self, end: Time) -> Duration {
        if self
            .taken
            .is_some_and(|t| end.since(t).as_secs_f64() > 600.0)
        {
            *self = Self::default();
        }
        Duration::from_secs(STEPS[self.steps.min(STEPS.len() - 1)])
    }

    pub(super) fn climb(&mut self, now: Time) {
        (self.steps, self.taken) = (self.steps + 1, Some(now));
    }

    /// A delay that the status promises; whether it may be the next.
    pub(super) fn promise(&mut self, delay: Duration) -> bool {
        let known = STEPS[1..].contains(&delay.as_secs()) && delay.subsec_nanos() == 0;
        let grows = delay >= self.promised;
        self.promised = delay;
        known && grows
    }
}
